package io.distributedlock.test;

import java.time.Duration;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;

import io.distributedlock.spi.LockStore;
import org.junit.jupiter.api.AfterEach;

/**
 * The contract over an imitated network: replies come late and on other threads.
 */
class InMemoryLockStoreNetworkTests extends LockStoreContractTests
		implements SignalContractTests, MessageContractTests, InspectQueueContractTests, SharedContractTests,
		DowngradeContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	private final ScheduledExecutorService network = Executors.newScheduledThreadPool(2);

	private final ManualTicker ticker = new ManualTicker();

	private final InMemoryLockServer server = InMemoryLockServer.builder().ticker(this.ticker).build();

	@Override
	protected LockStore createStore(String instance) {
		return this.server.connect(instance, this.network,
				() -> Duration.ofNanos(ThreadLocalRandom.current().nextInt(500_000)));
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

	@AfterEach
	void endNetwork() {
		this.network.shutdownNow();
	}

}
