package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Tests for the moment in which a caller that wants several locks has got one of them:
 * the next is asked for by the thread that granted it ({@link Ahead}).
 */
class NextLockTests extends EngineFixture {

	private static LockRequest account(String id) {
		return LockRequest.of("account", id).withWaitTime(Duration.ofSeconds(20));
	}

	/** A caller that sleeps until it gets account a. */
	private Thread sleeper(Runnable work) {
		Thread thread = new Thread(work, "sleeper");
		thread.start();
		eventually().until(() -> waiters(this.engine) == 1 && thread.getState() == Thread.State.TIMED_WAITING);
		return thread;
	}

	@Test
	void theGrantingThreadAsksForIt() throws Exception {
		Queue<Thread> askers = new ConcurrentLinkedQueue<>();
		Lease first = this.engine.acquire(account("a"));
		CompletableFuture<Boolean> held = new CompletableFuture<>();
		Thread sleeper = sleeper(() -> {
			try (MultiLease both = this.engine.acquireAll(List.of(account("a"), account("b")))) {
				held.complete(both.isHeld() && both.leases().size() == 2);
			}
		});
		this.faults.otherwise((kind) -> {
			if (kind == CommandKind.ACQUIRE_OR_ENQUEUE) {
				askers.add(Thread.currentThread());
			}
			return Fault.none();
		});
		first.close();
		assertThat(held.get(10, TimeUnit.SECONDS)).isTrue();
		sleeper.join();
		assertThat(askers).containsExactly(Thread.currentThread());
		eventually().until(this::storeIsEmpty);
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void aCallerThatIsInterruptedThereLeavesBothLocks() throws Exception {
		Lease second = heldByAnother(otherJvm("jvm-2"), account("b"));
		Lease first = this.engine.acquire(account("a"));
		CompletableFuture<Reason> reason = new CompletableFuture<>();
		Thread sleeper = sleeper(() -> {
			try {
				this.engine.acquireAll(List.of(account("a"), account("b")));
			}
			catch (LockNotAcquiredException ex) {
				reason.complete(ex.reason());
			}
		});
		first.close();
		// It may sleep still, be on its way, or wait for the next.
		sleeper.interrupt();
		assertThat(reason.get(10, TimeUnit.SECONDS)).isEqualTo(Reason.INTERRUPTED);
		assertThat(this.engine.held()).isEmpty();
		second.release();
		eventually().until(this::storeIsEmpty);
		eventually().until(() -> this.engine.gateCount() == 0);
	}

	@Test
	void aCallerThatMayNotHaveItIsToldByItsOwnThread() throws Exception {
		Lease first = this.engine.acquire(account("a"));
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		Thread sleeper = sleeper(() -> {
			try (Lease read = this.engine.acquire(account("b").withMode(LockMode.READ))) {
				assertThat(read.isHeld()).isTrue();
				this.engine.acquireAll(List.of(account("a"), account("b")));
			}
			catch (RuntimeException ex) {
				failure.complete(ex);
			}
		});
		first.close();
		assertThatIllegalStateException().isThrownBy(() -> {
			throw failure.get(10, TimeUnit.SECONDS);
		}).withMessageContaining("account:b");
		sleeper.join();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void oneThatComesMeanwhileDoesNotOvertakeACallerThatAsksForMore() throws Exception {
		Lease second = heldByAnother(otherJvm("jvm-2"), account("b"));
		Lease first = this.engine.acquire(account("a"));
		CompletableFuture<Boolean> held = new CompletableFuture<>();
		sleeper(() -> {
			try (MultiLease both = this.engine.acquireAll(List.of(account("a"), account("b")))) {
				held.complete(both.isHeld());
			}
		});
		first.close();
		Future<Lease> late = onThread(() -> this.engine.acquire(account("a")));
		eventually().until(() -> waiters(this.engine) == 2);
		second.release();
		assertThat(held.get(10, TimeUnit.SECONDS)).isTrue();
		onThread(late::get).get(10, TimeUnit.SECONDS).release();
		eventually().until(this::storeIsEmpty);
	}

}
