package io.distributedlock.test;

import io.distributedlock.spi.LockStore;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every kind of lock, of three JVMs over the memory.
 */
class KindsInMemoryTests extends KindsContractTests {

	private final InMemoryLockServer server = InMemoryLockServer.create();

	@Override
	protected LockStore createStore(String instance) {
		return this.server.connect(instance);
	}

	@Override
	protected void assertNothingLeft() {
		assertThat(this.server.size()).as("keys that the server remembers").isZero();
	}

}
