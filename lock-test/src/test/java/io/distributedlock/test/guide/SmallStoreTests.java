package io.distributedlock.test.guide;

import java.time.Duration;

import io.distributedlock.spi.LockStore;
import io.distributedlock.test.LockStoreContractTests;

/**
 * The core of the contract is enough for a store that can do nothing else.
 */
class SmallStoreTests extends LockStoreContractTests {

	private final SmallServer server = new SmallServer();

	@Override
	protected LockStore createStore(String instance) {
		return new SmallStore(this.server, instance);
	}

	@Override
	public void pass(Duration time) {
		this.server.pass(time);
	}

	@Override
	public long nanoTime() {
		return this.server.now();
	}

}
