package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.kv.GetResponse;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * How questions are asked again while a server hangs.
 */
class QuestionsTests {

	private static final ByteSequence KEY = KeyLayout.bytes("some-key");

	private static EtcdServer hanging;

	private static EtcdServer healthy;

	private static Client toHanging;

	private static Client toHealthy;

	private final Timers timers = new Timers("questions-test");

	private final Questions questions = new Questions(this.timers);

	@BeforeAll
	static void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		hanging = EtcdServer.start();
		healthy = EtcdServer.start();
		toHanging = Client.builder().endpoints(hanging.endpoint()).build();
		toHealthy = Client.builder().endpoints(healthy.endpoint()).build();
		assertThat(toHanging.getKVClient().get(KEY)).succeedsWithin(Duration.ofSeconds(10));
		assertThat(toHealthy.getKVClient().get(KEY)).succeedsWithin(Duration.ofSeconds(10));
		hanging.freeze();
	}

	@AfterAll
	static void stop() {
		if (hanging != null) {
			toHanging.close();
			hanging.close();
		}
		if (healthy != null) {
			toHealthy.close();
			healthy.close();
		}
	}

	@AfterEach
	void close() {
		this.timers.close();
	}

	/**
	 * Asks the server that hangs first, as often as is said, and then the other one.
	 */
	private static Supplier<CompletableFuture<GetResponse>> question(int hangs, AtomicInteger asked) {
		KV bad = toHanging.getKVClient();
		KV good = toHealthy.getKVClient();
		return () -> (asked.incrementAndGet() <= hangs) ? bad.get(KEY) : good.get(KEY);
	}

	@Test
	void aQuestionToAServerThatHangsGoesToAnother() {
		AtomicInteger asked = new AtomicInteger();
		assertThat(this.questions.insist(question(1, asked))).succeedsWithin(Duration.ofSeconds(10));
		assertThat(asked).hasValue(2);
	}

	@Test
	void questionsThatAreNeverAnsweredDoNotKeepOthersFromBeingAskedAgain() {
		AtomicInteger never = new AtomicInteger();
		for (int i = 0; i < 8; i++) {
			this.questions.insist(question(Integer.MAX_VALUE, never));
		}
		await().until(() -> never.get() >= 16);
		AtomicInteger asked = new AtomicInteger();
		assertThat(this.questions.insist(question(1, asked))).succeedsWithin(Duration.ofSeconds(10));
		AtomicInteger later = new AtomicInteger();
		assertThat(this.questions.insist(question(2, later))).succeedsWithin(Duration.ofSeconds(10));
	}

	@Test
	void aQuestionThatCannotBeAskedFails() {
		assertThat(this.questions.insist(() -> {
			throw new IllegalStateException("closed");
		})).failsWithin(Duration.ofSeconds(10)).withThrowableThat().withMessageContaining("closed");
	}

}
