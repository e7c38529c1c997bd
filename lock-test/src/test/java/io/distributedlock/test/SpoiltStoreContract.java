package io.distributedlock.test;

import java.time.Duration;
import java.time.Instant;

import io.distributedlock.spi.LockStore;
import org.jspecify.annotations.Nullable;

/**
 * The contract of a store with a planted bug. {@link LockStoreContractCatchesBugsTests}
 * runs it; by its name it is no test of the build.
 */
class SpoiltStoreContract extends LockStoreContractTests implements SignalContractTests, InspectQueueContractTests {

	static volatile @Nullable PlantedBug bug;

	private final ManualTicker ticker = new ManualTicker();

	private final InMemoryLockServer server;

	SpoiltStoreContract() {
		InMemoryLockServer.Builder builder = InMemoryLockServer.builder()
			.ticker(this.ticker)
			.wallClock(this.ticker.wallClock(Instant.parse("2026-11-20T12:00:00Z")));
		this.server = ((bug != null) ? bug.server(builder) : builder).build();
	}

	@Override
	protected LockStore createStore(String instance) {
		InMemoryLockStore good = this.server.connect(instance);
		return (bug != null) ? bug.store(good) : new ForwardingLockStore(good);
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
