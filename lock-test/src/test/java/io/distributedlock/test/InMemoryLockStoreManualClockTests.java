package io.distributedlock.test;

import java.time.Duration;
import java.time.Instant;

import io.distributedlock.spi.LockStore;

/**
 * The contract on a clock that is moved by hand: nothing waits, and nothing expires by
 * accident.
 */
class InMemoryLockStoreManualClockTests extends LockStoreContractTests
		implements SignalContractTests, InspectQueueContractTests, SharedContractTests, DowngradeContractTests,
		PermitContractTests, FairContractTests, MultiContractTests {

	private final ManualTicker ticker = new ManualTicker();

	private final InMemoryLockServer server = InMemoryLockServer.builder()
		.ticker(this.ticker)
		.wallClock(this.ticker.wallClock(Instant.parse("2026-11-20T12:00:00Z")))
		.build();

	@Override
	protected LockStore createStore(String instance) {
		return this.server.connect(instance);
	}

	@Override
	public void pass(Duration time) {
		this.ticker.advance(time);
	}

	@Override
	public long nanoTime() {
		return this.ticker.nanoTime();
	}

	@Override
	public Duration expirySlack() {
		return Duration.ofMillis(20);
	}

}
