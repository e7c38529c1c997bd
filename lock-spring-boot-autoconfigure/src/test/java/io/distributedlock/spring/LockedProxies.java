package io.distributedlock.spring;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.test.InMemoryLockServer;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;

import org.springframework.aop.framework.ProxyFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A real engine over the memory store, and proxies whose annotated methods it locks.
 */
abstract class LockedProxies {

	final LockEngine engine = LockEngine.builder().store(InMemoryLockServer.create().connect("jvm-1")).build();

	private final AspectSettings settings = new AspectSettings(true, LockSettings.DEFAULTS, (name) -> LockSettings.NONE,
			OnActiveTransaction.DEFER);

	@AfterEach
	void nothingIsLeftBehind() {
		try {
			eventually().untilAsserted(() -> {
				assertThat(this.engine.held()).isEmpty();
				assertThat(this.engine.waiting()).isEmpty();
			});
		}
		finally {
			this.engine.close();
		}
	}

	@SuppressWarnings("unchecked")
	<T> T proxy(T target) {
		ProxyFactory factory = new ProxyFactory(target);
		factory.setProxyTargetClass(true);
		factory.addAdvisor(new DistributedLockAdvisor(() -> this.engine, () -> this.settings, (text) -> text));
		return (T) factory.getProxy();
	}

	Lease hold(String name) {
		return this.engine.acquire(LockRequest.of(name));
	}

	void takeAway(String name) {
		long token = this.engine.held().get(0).fencingToken();
		assertThat(this.engine.forceRelease(LockKey.of(name), null, token)).isTrue();
	}

	int waiting() {
		return this.engine.waiting().stream().mapToInt((waited) -> waited.waiters()).sum();
	}

	int held() {
		return this.engine.held().size();
	}

	static ConditionFactory eventually() {
		return Awaitility.await().pollInterval(Duration.ofMillis(2)).atMost(Duration.ofSeconds(10));
	}

	/**
	 * Notices work that overlaps.
	 */
	static final class Section {

		private final AtomicInteger inside = new AtomicInteger();

		final AtomicInteger begun = new AtomicInteger();

		final AtomicInteger overlaps = new AtomicInteger();

		void enter() {
			this.begun.incrementAndGet();
			if (this.inside.incrementAndGet() > 1) {
				this.overlaps.incrementAndGet();
			}
		}

		void leave() {
			this.inside.decrementAndGet();
		}

	}

}
