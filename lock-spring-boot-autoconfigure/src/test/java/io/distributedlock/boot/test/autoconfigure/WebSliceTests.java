package io.distributedlock.boot.test.autoconfigure;

import io.distributedlock.Lease;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.webmvc.test.autoconfigure.WebMvcTest;
import org.springframework.context.annotation.Import;
import org.springframework.test.web.servlet.assertj.MockMvcTester;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link AutoConfigureDistributedLock} in a slice.
 */
@WebMvcTest(properties = "distributed-lock.store=redis")
@AutoConfigureDistributedLock
@Import({ LockedSlices.ShopController.class, LockedSlices.Shop.class })
class WebSliceTests {

	@Autowired
	private MockMvcTester web;

	@Autowired
	private LockTemplate locks;

	@Test
	void methodRunsUnderItsLockInTheStoreInMemory() {
		assertThat(this.web.get().uri("/buy/42")).hasStatusOk().hasBodyTextEqualTo("memory stock:42");
	}

	@Test
	void methodIsRefusedItsLockWhileSomebodyElseHasIt() {
		LockRequest someoneElse = LockRequest.of("stock", "42").withOwner(LockOwner.create("another buyer"));
		try (Lease lease = this.locks.acquire(someoneElse)) {
			assertThat(lease.isHeld()).isTrue();
			assertThat(this.web.get().uri("/buy/42")).hasFailed()
				.failure()
				.hasRootCauseInstanceOf(LockNotAcquiredException.class);
			assertThat(this.web.get().uri("/buy/43")).hasStatusOk();
		}
		assertThat(this.web.get().uri("/buy/42")).hasStatusOk();
	}

}
