package io.distributedlock.boot.autoconfigure.observation;

import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.micrometer.observation.tck.TestObservationRegistry;
import io.micrometer.observation.tck.TestObservationRegistryAssert;
import org.junit.jupiter.api.Test;

class LockObservationsTests {

	private final TestObservationRegistry registry = TestObservationRegistry.create();

	private final LockEvents events = new LockEvents(new LockObservations(this.registry, null, null));

	private final StubLease lease = StubLease.of("stock", 42);

	@Test
	void anAcquireIsObservedWithNameStoreOutcomeAndKey() {
		this.events.acquired(this.lease);
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasObservationWithNameEqualTo("lock.acquire")
			.that()
			.hasBeenStarted()
			.hasBeenStopped()
			.hasContextualNameEqualTo("lock.acquire stock")
			.hasLowCardinalityKeyValue("lock.name", "stock")
			.hasLowCardinalityKeyValue("lock.store", "redis")
			.hasLowCardinalityKeyValue("outcome", "acquired")
			.hasHighCardinalityKeyValue("lock.key", "stock:42")
			.hasHighCardinalityKeyValue("lock.token", "17");
	}

	@Test
	void aHoldLastsFromTheAcquireToTheRelease() {
		this.events.acquired(this.lease);
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasObservationWithNameEqualTo("lock.hold")
			.that()
			.hasBeenStarted()
			.isNotStopped();
		this.events.released(this.lease);
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasObservationWithNameEqualTo("lock.hold")
			.that()
			.hasBeenStopped()
			.hasLowCardinalityKeyValue("outcome", "released")
			.doesNotHaveError();
	}

	@Test
	void anotherLeaseObjectOfTheSameTokenEndsTheHold() {
		this.events.acquired(this.lease);
		this.events.released(StubLease.of("stock", 42));
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasObservationWithNameEqualTo("lock.hold")
			.that()
			.hasBeenStopped();
	}

	@Test
	void aLossIsAnErrorOfTheHold() {
		this.events.acquired(this.lease);
		this.events.lost(this.lease, LossReason.EXPIRED);
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasObservationWithNameEqualTo("lock.hold")
			.that()
			.hasBeenStopped()
			.hasLowCardinalityKeyValue("outcome", "lost")
			.hasError();
	}

	@Test
	void aLossThatIsReportedBeforeTheAcquireEndsTheHoldToo() {
		this.events.lost(this.lease.lost(), LossReason.EXPIRED);
		this.events.acquired(this.lease.lost());
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasObservationWithNameEqualTo("lock.hold")
			.that()
			.hasBeenStopped()
			.hasLowCardinalityKeyValue("outcome", "lost");
	}

	@Test
	void contentionIsAnOutcomeAndNoError() {
		this.events.refused(this.lease.key(), Reason.TIMED_OUT);
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasSingleObservationThat()
			.hasNameEqualTo("lock.acquire")
			.hasBeenStopped()
			.hasLowCardinalityKeyValue("outcome", "timed_out")
			.doesNotHaveHighCardinalityKeyValueWithKey("lock.token")
			.doesNotHaveError();
	}

	@Test
	void anOutageIsAnError() {
		this.events.failed(this.lease.key());
		TestObservationRegistryAssert.assertThat(this.registry)
			.hasSingleObservationThat()
			.hasLowCardinalityKeyValue("outcome", "error")
			.hasError();
	}

}
