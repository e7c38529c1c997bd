package io.distributedlock;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link LockOwner} and {@link LockContext}.
 */
class LockOwnerTests {

	@Test
	void aThreadHasOneOwnerAndBindingReplacesItForAWhile() {
		LockOwner own = LockContext.owner();
		assertThat(LockContext.owner()).isSameAs(own);
		assertThat(LockContext.boundOwner()).isNull();
		LockOwner flow = LockOwner.create("flow");
		LockContext.Scope scope = LockContext.bind(flow);
		assertThat(LockContext.owner()).isSameAs(flow);
		assertThat(LockContext.boundOwner()).isSameAs(flow);
		scope.close();
		assertThat(LockContext.owner()).isSameAs(own);
	}

	@Test
	void theOwnerOfAnotherThreadCanBeBoundAsWell() {
		LockOwner other = LockOwner.ofThread(new Thread());
		LockContext.Scope scope = LockContext.bind(other);
		assertThat(LockContext.boundOwner()).isSameAs(other);
		scope.close();
		scope = LockContext.bind(LockContext.owner());
		assertThat(LockContext.boundOwner()).as("its own").isNull();
		scope.close();
	}

	@Test
	void anOwnerIsGoneWhenItsThreadHasEnded() throws Exception {
		LockOwner[] owner = new LockOwner[1];
		Thread thread = new Thread(() -> owner[0] = LockContext.owner());
		thread.start();
		thread.join();
		assertThat(owner[0].isGone()).isTrue();
		assertThat(LockContext.owner().isGone()).isFalse();
		assertThat(LockOwner.create("flow").isGone()).isFalse();
	}

	@Test
	void explicitOwnersAreNeverEqual() {
		assertThat(LockOwner.create("flow")).isNotEqualTo(LockOwner.create("flow"));
	}

}
