package io.distributedlock.spring;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

import io.distributedlock.LockContext;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockSettings;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import org.springframework.aop.framework.ProxyFactory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * Tests for {@link DistributedLock#lockAll}, through a proxy as applications see it.
 */
class SeveralLocksOfMethodTests {

	private final FakeLocks locks = new FakeLocks();

	private final Bank target = new Bank();

	@AfterEach
	void nothingIsHeld() {
		assertThat(Thread.interrupted()).isFalse();
		assertThat(LockContext.leases()).isEmpty();
	}

	@SuppressWarnings("unchecked")
	private <T> T proxy(T object) {
		AspectSettings settings = new AspectSettings(true, LockSettings.DEFAULTS, (name) -> LockSettings.NONE,
				OnActiveTransaction.DEFER);
		ProxyFactory factory = new ProxyFactory(object);
		factory.setProxyTargetClass(true);
		factory.addAdvisor(new DistributedLockAdvisor(() -> this.locks, () -> settings, (text) -> text));
		return (T) factory.getProxy();
	}

	@Test
	void eachExpressionGivesTheKeyOfALock() {
		assertThat(proxy(this.target).transfer("a", "b")).isEqualTo("account:a account:b");
		assertThat(this.locks.journal).containsExactlyInAnyOrder("acquired account:a", "acquired account:b",
				"released account:a", "released account:b");
	}

	@Test
	void aCollectionOrArrayGivesManyKeys() {
		assertThat(proxy(this.target).close(List.of(1L, 2L), new int[] { 7, 8 }, "x"))
			.isEqualTo("account:1 account:2 account:7 account:8 account:x");
	}

	@Test
	void anEmptyCollectionIsAnErrorThatSaysWhatToDo() {
		assertThatIllegalArgumentException().isThrownBy(() -> proxy(this.target).settle(List.of()))
			.withMessageContaining("Bank.settle")
			.withMessageContaining("condition = \"!#ids.empty\"");
		assertThatIllegalArgumentException().isThrownBy(() -> proxy(this.target).settle(Arrays.asList("a", null)))
			.withMessageContaining("lockAll");
		assertThat(this.locks.requests).isEmpty();
	}

	@Test
	void theAdvisedConditionLetsAnEmptyCollectionPass() {
		assertThat(proxy(this.target).settleIfAny(List.of())).isEmpty();
		assertThat(proxy(this.target).settleIfAny(List.of("a", "b"))).isEqualTo("account:a account:b");
	}

	@Test
	void refusalOfOneIsAnsweredByTheFallback() {
		this.locks.failWith(new LockNotAcquiredException(LockKey.of("account", "b"), Reason.BUSY, Duration.ZERO, ""));
		assertThat(proxy(this.target).transferOrLater("a", "b")).isEqualTo("later");
	}

	@Test
	void lossOfOneFailsTheCall() {
		this.target.during = () -> this.locks.leases.get(1).lose();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> proxy(this.target).transfer("a", "b"))
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo(LockKey.of("account", "b")));
	}

	@Test
	void lossOfOneInterruptsTheMethodThatWantsIt() {
		this.target.during = () -> {
			this.locks.leases.get(0).lose();
			assertThat(Thread.currentThread().isInterrupted()).isTrue();
		};
		assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> proxy(this.target).interrupted("a", "b"));
	}

	@Test
	void allAreKeptAfterANormalReturn() {
		proxy(this.target).once("a", "b");
		assertThat(this.locks.journal).contains("kept account:a", "kept account:b");
	}

	@Test
	void contradictionsAreErrorsAtStartUp() {
		refused(new KeyAndLockAll(), "both key and lockAll");
		refused(new NoKey(), "Map");
		refused(new Unknown(), "#form");
	}

	private void refused(Object bean, String problem) {
		assertThatThrownBy(() -> proxy(bean)).rootCause()
			.isInstanceOf(InvalidDistributedLockException.class)
			.hasMessageContaining(problem);
	}

	static class Bank {

		Runnable during = () -> {
		};

		@DistributedLock(name = "account", lockAll = { "#from", "#to" })
		public String transfer(String from, String to) {
			this.during.run();
			return held();
		}

		@DistributedLock(name = "account", lockAll = { "#ids", "#numbers", "#last" })
		public String close(List<Long> ids, int[] numbers, String last) {
			return held();
		}

		@DistributedLock(name = "account", lockAll = "#ids")
		public String settle(List<String> ids) {
			return held();
		}

		@DistributedLock(name = "account", lockAll = "#ids", condition = "!#ids.empty")
		public String settleIfAny(List<String> ids) {
			return held();
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, fallback = "later")
		public String transferOrLater(String from, String to) {
			return held();
		}

		String later(String from, String to) {
			return "later";
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, onLost = OnLost.INTERRUPT)
		public String interrupted(String from, String to) {
			this.during.run();
			return held();
		}

		@DistributedLock(name = "account", lockAll = { "#from", "#to" }, keep = "true")
		public String once(String from, String to) {
			return held();
		}

		private static String held() {
			return LockContext.leases()
				.stream()
				.map((lease) -> lease.key().toString())
				.collect(Collectors.joining(" "));
		}

	}

	static class KeyAndLockAll {

		@DistributedLock(name = "account", key = "#from", lockAll = "#to")
		public void transfer(String from, String to) {
		}

	}

	static class NoKey {

		@DistributedLock(name = "account", lockAll = "#from")
		public void transfer(Map<String, String> from) {
		}

	}

	static class Unknown {

		@DistributedLock(name = "account", lockAll = "#form")
		public void transfer(String from) {
		}

	}

}
