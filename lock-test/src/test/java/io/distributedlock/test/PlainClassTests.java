package io.distributedlock.test;

import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * A class that needs its lease, made with {@code new}, as the guide shows it.
 */
class PlainClassTests {

	private final Accounts accounts = new Accounts();

	@Test
	void serviceFindsTheLeaseThatTheTestTookForIt() {
		try (LockEngine locks = LockEngine.builder().store(InMemoryLockServer.create().connect("test")).build()) {
			locks.executeWithoutResult(LockRequest.of("account", "a"), (lease) -> {
				this.accounts.deposit("a", 5);
				assertThat(this.accounts.written).containsExactly("a 5 " + lease.fencingToken());
			});
		}
	}

	@Test
	void withoutALockTheServiceHasNoLease() {
		assertThatExceptionOfType(NoSuchElementException.class).isThrownBy(() -> this.accounts.deposit("a", 5));
		assertThat(this.accounts.written).isEmpty();
	}

	static class Accounts {

		private final List<String> written = new ArrayList<>();

		void deposit(String account, int amount) {
			Lease lease = LockContext.current("account").orElseThrow();
			this.written.add(account + " " + amount + " " + lease.fencingToken());
		}

	}

}
