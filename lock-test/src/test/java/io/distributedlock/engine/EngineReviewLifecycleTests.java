package io.distributedlock.engine;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;

import io.distributedlock.Lease;
import io.distributedlock.LockListener;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.InMemoryLockServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Shutdown, and stores and listeners that break their contract: nobody is left waiting,
 * and no key is stuck.
 */
@Timeout(10)
class EngineReviewLifecycleTests {

	private static final Duration SOON = Duration.ofSeconds(2);

	private final InMemoryLockServer server = InMemoryLockServer.create();

	private final FaultyLockStore faulty = FaultyLockStore.around(this.server.connect("jvm-1"));

	private final LockRequest request = LockRequest.of("stock", 42).withTtl(Duration.ofSeconds(30));

	private final LockRequest once = this.request.withWaitTime(Duration.ZERO);

	@Test
	void anAsynchronousAcquireAfterCloseIsRefused() {
		LockEngine engine = LockEngine.builder().store(this.faulty.store()).build();
		engine.close();
		assertThat(engine.acquireAsync(this.request)).failsWithin(SOON)
			.withThrowableThat()
			.havingCause()
			.isInstanceOfSatisfying(LockNotAcquiredException.class,
					(refused) -> assertThat(refused.reason()).isEqualTo(Reason.SHUTTING_DOWN));
	}

	@Test
	void anAsynchronousReleaseAfterCloseCompletes() {
		LockEngine engine = LockEngine.builder().store(this.faulty.store()).build();
		Lease lease = engine.acquire(this.request);
		engine.close();
		assertThat(lease.releaseAsync().toCompletableFuture()).succeedsWithin(SOON);
	}

	@Test
	void anAsynchronousAcquireThatWaitsIsRefusedByClose() {
		InMemoryLockServer server = this.server;
		try (LockEngine other = LockEngine.builder().store(server.connect("jvm-2")).build();
				Lease elsewhere = other.acquire(this.request)) {
			LockEngine engine = LockEngine.builder().store(this.faulty.store()).build();
			CompletableFuture<Lease> waiting = engine.acquireAsync(this.request);
			engine.close();
			assertThat(waiting).failsWithin(SOON);
			assertThat(elsewhere.isHeld()).isTrue();
		}
	}

	@Test
	void stopWaitsForTheAnswerToAnAcquireAndGivesBackWhatItBrings() {
		LockEngine engine = LockEngine.builder()
			.store(this.faulty.store())
			.commandTimeout(Duration.ofMillis(200))
			.build();
		this.faulty.next(CommandKind.ACQUIRE_OR_ENQUEUE, Fault.dropReply());
		CompletableFuture<Lease> waiting = engine.acquireAsync(this.request);
		assertThat(this.server.size()).isOne();
		assertThat(engine.stop(SOON)).isTrue();
		engine.close();
		assertThat(waiting).failsWithin(SOON);
		assertThat(this.server.size()).isZero();
	}

	@Test
	void stopMayBeGivenForEver() {
		InMemoryLockServer server = this.server;
		try (LockEngine other = LockEngine.builder().store(server.connect("jvm-2")).build();
				LockEngine engine = LockEngine.builder().store(this.faulty.store()).build();
				Lease elsewhere = other.acquire(this.request)) {
			CompletableFuture<Lease> waiting = engine.acquireAsync(this.request);
			assertThat(engine.stop(ChronoUnit.FOREVER.getDuration())).isTrue();
			assertThat(waiting).failsWithin(SOON);
			assertThat(elsewhere.isHeld()).isTrue();
		}
	}

	@Test
	void aStoppedEngineServesAgainAfterStart() {
		try (LockEngine engine = LockEngine.builder().store(this.faulty.store()).build()) {
			Lease held = engine.acquire(this.request);
			assertThat(engine.stop(Duration.ZERO)).isFalse();
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> engine.acquire(LockRequest.of("stock", 43)));
			engine.acquire(this.request).close();
			engine.start();
			engine.acquire(LockRequest.of("stock", 43)).close();
			held.close();
		}
		assertThat(this.server.size()).isZero();
	}

	@Test
	void aStoreThatThrowsAnErrorStrandsNoKey() {
		aKeyIsUsableAfter((method) -> {
			throw new NoSuchMethodError("planned: " + method);
		});
	}

	@Test
	void aStoreThatReturnsNothingStrandsNoKey() {
		aKeyIsUsableAfter((method) -> null);
	}

	private void aKeyIsUsableAfter(Function<String, Object> spoilt) {
		AtomicReference<Function<String, Object>> fault = new AtomicReference<>(spoilt);
		try (LockEngine engine = LockEngine.builder().store(spoil(this.server.connect("jvm-1"), fault)).build()) {
			assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> engine.acquire(this.once));
			fault.set(null);
			await().atMost(SOON).until(() -> engine.tryAcquire(this.once).map(Lease::release).orElse(false));
			Lease lease = engine.acquire(this.once);
			fault.set(spoilt);
			assertThat(lease.release()).isTrue();
			fault.set(null);
			await().atMost(SOON).until(() -> this.server.size() == 0);
			await().atMost(SOON).until(() -> engine.stop(Duration.ZERO));
		}
	}

	@Test
	void aListenerThatThrowsAnErrorHarmsNobody() {
		LockListener broken = new LockListener() {

			@Override
			public void onAcquired(Lease lease, Duration waited) {
				throw new AssertionError("planned");
			}

			@Override
			public void onReleaseUnconfirmed(Lease lease, Throwable cause) {
				throw new AssertionError("planned");
			}

		};
		try (LockEngine engine = LockEngine.builder().store(this.faulty.store()).listener(broken).build()) {
			Lease lease = engine.acquire(this.request);
			this.faulty.next(CommandKind.RELEASE, Fault.failBefore(new StoreException("planned", true, true, null)));
			assertThat(lease.release()).isTrue();
			await().atMost(SOON).until(() -> this.server.size() == 0);
		}
	}

	private static LockStore spoil(LockStore store, AtomicReference<Function<String, Object>> fault) {
		return (LockStore) Proxy.newProxyInstance(EngineReviewLifecycleTests.class.getClassLoader(),
				new Class<?>[] { QueueingLockStore.class, SignallingLockStore.class }, (proxy, method, arguments) -> {
					Function<String, Object> current = fault.get();
					boolean command = arguments != null && method.getReturnType() != Void.TYPE;
					if (command && current != null) {
						return current.apply(method.getName());
					}
					try {
						return method.invoke(store, arguments);
					}
					catch (InvocationTargetException ex) {
						throw ex.getTargetException();
					}
				});
	}

}
