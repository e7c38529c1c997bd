package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What many locks at once cost, against as many one by one. The figures go to the log.
 */
class BatchesOnEtcdTests {

	private static final Logger logger = LoggerFactory.getLogger(BatchesOnEtcdTests.class);

	private static final int LOCKS = 1000;

	/** Nothing is renewed here, and a slow disk takes its time. */
	private static final Duration TTL = Duration.ofSeconds(120);

	private static final Duration TIMEOUT = Duration.ofSeconds(20);

	@Test
	void aThousandLocksAtOnceTakeAFractionOfTheTime() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		try (EtcdServer etcd = EtcdServer.start(); StoreFixture jvm = StoreFixture.of(etcd)) {
			atOnce(jvm, "warm");
			List<LockKey> single = keys("single");
			List<AttemptId> attempts = new ArrayList<>();
			Duration oneByOne = timed(() -> single.forEach((key) -> attempts.add(jvm.hold(key, TTL))));
			Duration releases = timed(() -> IntStream.range(0, LOCKS)
				.forEach((i) -> assertThat(jvm.release(single.get(i), attempts.get(i)))
					.isEqualTo(new ReleaseReply.Released(false))));
			Duration[] batch = atOnce(jvm, "batch");
			logger.info("{} locks one by one: acquired in {} ms, released in {} ms; at once: {} ms and {} ms", LOCKS,
					oneByOne.toMillis(), releases.toMillis(), batch[0].toMillis(), batch[1].toMillis());
			assertThat(batch[0].multipliedBy(3)).isLessThan(oneByOne);
			assertThat(batch[1].multipliedBy(3)).isLessThan(releases);
		}
	}

	private static Duration[] atOnce(StoreFixture jvm, String name) {
		List<AcquireCommand> acquires = keys(name).stream()
			.map((key) -> new AcquireCommand(key, AttemptId.random(), TTL, 1, false, TIMEOUT))
			.toList();
		List<ReleaseCommand> releases = acquires.stream()
			.map((command) -> new ReleaseCommand(command.key(), command.attempt(), Duration.ZERO, TIMEOUT))
			.toList();
		Duration acquired = timed(() -> {
			List<AcquireReply> replies = all(() -> jvm.store.acquireEach(acquires));
			assertThat(replies).hasSize(LOCKS).hasOnlyElementsOfType(Granted.class);
		});
		Duration released = timed(() -> {
			List<ReleaseReply> replies = all(() -> jvm.store.releaseEach(releases));
			assertThat(replies).hasSize(LOCKS).containsOnly(new ReleaseReply.Released(false));
		});
		return new Duration[] { acquired, released };
	}

	private static <T> List<T> all(Supplier<List<CompletionStage<T>>> batch) {
		return batch.get().stream().map(StoreFixture::get).toList();
	}

	private static Duration timed(Runnable work) {
		long start = System.nanoTime();
		work.run();
		return Duration.ofNanos(System.nanoTime() - start);
	}

	private static List<LockKey> keys(String name) {
		return IntStream.range(0, LOCKS).mapToObj((i) -> LockKey.of(name, i)).toList();
	}

}
