package io.distributedlock.boot.autoconfigure.observation;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.test.InMemoryLockServer;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationHandler;
import io.micrometer.observation.ObservationRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Holds of one key that overlap are observed one by one.
 */
class SharedHoldsTests {

	private final ObservationRegistry registry = ObservationRegistry.create();

	private final AtomicInteger stopped = new AtomicInteger();

	static Stream<LockRequest> shared() {
		LockRequest request = LockRequest.of("stock", 42);
		return Stream.of(request.withMode(LockMode.READ), request.withPermits(3));
	}

	@ParameterizedTest
	@MethodSource("shared")
	void eachHoldEndsWithItsOwnLease(LockRequest request) {
		try (LockEngine engine = engine()) {
			Lease first = engine.acquire(request.withOwner(LockOwner.create("first")));
			Lease second = engine.acquire(request.withOwner(LockOwner.create("second")));
			assertThat(this.stopped).hasValue(0);
			first.close();
			await().until(() -> this.stopped.get() == 1);
			second.close();
			await().until(() -> this.stopped.get() == 2);
		}
	}

	@Test
	void aNestedLeaseIsPartOfTheHold() {
		try (LockEngine engine = engine()) {
			Lease first = engine.acquire(LockRequest.of("stock"));
			Lease nested = engine.acquire(LockRequest.of("stock"));
			nested.close();
			assertThat(this.stopped).hasValue(0);
			first.close();
			await().until(() -> this.stopped.get() == 1);
		}
	}

	private LockEngine engine() {
		this.registry.observationConfig().observationHandler(new Stops());
		return LockEngine.builder()
			.store(InMemoryLockServer.create().connect("jvm-1"))
			.listener(new LockObservations(this.registry, null, null))
			.build();
	}

	private final class Stops implements ObservationHandler<LockHoldObservationContext> {

		@Override
		public void onStop(LockHoldObservationContext context) {
			SharedHoldsTests.this.stopped.incrementAndGet();
		}

		@Override
		public boolean supportsContext(Observation.Context context) {
			return context instanceof LockHoldObservationContext;
		}

	}

}
