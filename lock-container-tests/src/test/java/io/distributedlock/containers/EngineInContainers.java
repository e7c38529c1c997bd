package io.distributedlock.containers;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.Stream;

import io.distributedlock.Lease;
import io.distributedlock.LockLostException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;
import io.distributedlock.test.FuzzCounter;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * The engine over a server in a container: races, and a server that stops answering.
 */
abstract class EngineInContainers {

	private final List<LockEngine> engines = new ArrayList<>();

	abstract ServerContainer server();

	abstract LockStore createStore(String instance);

	private LockEngine engine(String instance) {
		LockEngine engine = LockEngine.builder().store(createStore(instance)).build();
		this.engines.add(engine);
		return engine;
	}

	@AfterEach
	void closeEngines() {
		this.engines.forEach(LockEngine::close);
	}

	@Test
	void threadsOfSeveralInstancesNeverOverlapAndTheirTokensRise() {
		List<LockEngine> jvms = Stream.of("jvm-1", "jvm-2", "jvm-3").map(this::engine).toList();
		FuzzCounter counter = new FuzzCounter();
		counter.run(jvms, LockRequest.of("race", "hot").withWaitTime(Duration.ofSeconds(30)), 4, 50);
		assertThat(counter.value()).isEqualTo(3 * 4 * 50);
	}

	@Test
	void aServerThatStopsAnsweringIsAnOutageTheHolderIsToldAndAfterwardsAllWorksAgain() {
		LockEngine engine = engine("jvm-1");
		Lease before = engine.acquire(LockRequest.of("outage", "held").withTtl(Duration.ofSeconds(2)));
		AtomicReference<LockLostException> told = new AtomicReference<>();
		before.onLost(told::set);
		server().pause();
		try {
			assertThatExceptionOfType(LockStoreException.class)
				.isThrownBy(() -> engine.acquire(LockRequest.of("outage", "new").withWaitTime(Duration.ofSeconds(1))));
			await().atMost(Duration.ofSeconds(5)).until(() -> told.get() != null);
			assertThat(before.isHeld()).isFalse();
		}
		finally {
			server().unpause();
		}
		await().atMost(Duration.ofSeconds(20)).ignoreExceptions().untilAsserted(() -> {
			try (Lease after = engine.acquire(LockRequest.of("outage", "held"))) {
				assertThat(after.fencingToken()).isGreaterThan(before.fencingToken());
			}
		});
	}

}
