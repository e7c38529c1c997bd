package io.distributedlock.spring;

import io.distributedlock.LockSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.aop.framework.ProxyFactory;
import org.springframework.transaction.support.TransactionSynchronization;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.transaction.support.TransactionSynchronizationUtils;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A kept lock within a transaction that was begun before, for each outcome.
 */
class KeepWithinTransactionTests {

	private final FakeLocks locks = new FakeLocks();

	@BeforeEach
	void begin() {
		TransactionSynchronizationManager.initSynchronization();
		TransactionSynchronizationManager.setActualTransactionActive(true);
	}

	@AfterEach
	void clear() {
		TransactionSynchronizationManager.clear();
	}

	private void complete(int status) {
		AspectSettings settings = new AspectSettings(true, LockSettings.DEFAULTS, (name) -> LockSettings.NONE,
				OnActiveTransaction.DEFER);
		ProxyFactory factory = new ProxyFactory(new Payments());
		factory.setProxyTargetClass(true);
		factory.addAdvisor(new DistributedLockAdvisor(() -> this.locks, () -> settings, (text) -> text));
		((Payments) factory.getProxy()).pay();
		assertThat(this.locks.journal).containsExactly("acquired payment");
		TransactionSynchronizationUtils.invokeAfterCompletion(TransactionSynchronizationManager.getSynchronizations(),
				status);
	}

	@Test
	void itIsKeptAfterTheCommit() {
		complete(TransactionSynchronization.STATUS_COMMITTED);
		assertThat(this.locks.journal).containsExactly("acquired payment", "kept payment", "released payment");
	}

	@Test
	void itIsFreedAfterARollback() {
		complete(TransactionSynchronization.STATUS_ROLLED_BACK);
		assertThat(this.locks.journal).containsExactly("acquired payment", "released payment");
	}

	@Test
	void itIsKeptAfterAnUnknownOutcomeSinceTheWorkMayHaveBeenDone() {
		complete(TransactionSynchronization.STATUS_UNKNOWN);
		assertThat(this.locks.journal).containsExactly("acquired payment", "kept payment", "released payment");
	}

	static class Payments {

		@DistributedLock(name = "payment", keep = "true")
		public void pay() {
		}

	}

}
