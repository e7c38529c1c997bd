package io.distributedlock.engine;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.DeadlockDetectedException.Participant;
import io.distributedlock.Lease;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import io.distributedlock.spi.LockStore;
import io.distributedlock.test.CommandKind;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Cycles within one JVM (rule S6), and what is none.
 */
class DeadlockTests extends DeadlockFixture {

	@Test
	void theSecondOfTwoThreadsThatWaitForEachOtherGivesUpAndTheFirstGoesOn() throws Exception {
		Caller first = caller("first", this.engine, lock("a"), lock("b"));
		Caller second = caller("second", this.engine, lock("b"), lock("a"));
		first.waits();
		second.waits();
		DeadlockDetectedException deadlock = second.deadlock();
		assertThat(second.keptFirst).isTrue();
		assertThat(first.outcome()).isNull();
		assertThat(deadlock.key()).isEqualTo(keyOf("a"));
		assertThat(deadlock.cycle()).extracting(Participant::owner).containsExactly("second", "first");
		assertThat(deadlock.cycle()).extracting(Participant::holds).containsExactly("b", "a");
		assertThat(deadlock.cycle()).extracting(Participant::waitsFor).containsExactly("a", "b");
		assertThat(deadlock.cycle()).extracting(Participant::waited)
			.allSatisfy((waited) -> assertThat(waited).isBetween(Duration.ofMillis(45), WAIT));
		assertThat(deadlock)
			.hasMessageStartingWith("Deadlock over 2 callers, so that lock 'a' was not acquired: (1)"
					+ " this caller, 'second' of jvm-1, holds 'b' and has waited ")
			.hasMessageContaining("; (2) 'first' of jvm-1, holds 'a' and has waited ")
			.hasMessageEndingWith("Take several locks with acquireAll() or lockAll, or always in the same order.");
		assertThat(deadlock.getStackTrace()).extracting(StackTraceElement::getClassName)
			.contains(Caller.class.getName());
		nothingIsLeft();
	}

	@Test
	void aCycleOverThreeThreadsEndsWithItsYoungestWaiter() throws Exception {
		Caller first = caller("first", this.engine, lock("a"), lock("b"));
		Caller second = caller("second", this.engine, lock("b"), lock("c"));
		Caller third = caller("third", this.engine, lock("c"), lock("a"));
		second.waits();
		third.waits();
		first.waits();
		assertThat(first.deadlock().cycle()).extracting(Participant::owner).containsExactly("first", "second", "third");
		assertThat(third.outcome()).isNull();
		assertThat(second.outcome()).isNull();
		nothingIsLeft();
	}

	@Test
	void aCycleIsFoundSoonAfterTheThreshold() throws Exception {
		Caller first = caller("first", this.engine, lock("a"), lock("b"));
		Caller second = caller("second", this.engine, lock("b"), lock("a"));
		first.waits();
		second.waits();
		assertThat(second.deadlock().cycle().get(0).waited()).isLessThan(Duration.ofSeconds(3));
	}

	@Test
	void storesWithoutMessagesFindTheCyclesWithinTheJvm() throws Exception {
		LockStore rich = this.server.connect("plain");
		LockStore plain = (LockStore) Proxy.newProxyInstance(getClass().getClassLoader(),
				new Class<?>[] { LockStore.class }, (proxy, method, arguments) -> method.invoke(rich, arguments));
		LockEngine polling = engine((builder) -> builder.store(plain));
		Caller first = caller("first", polling, lock("a"), lock("b"));
		Caller second = caller("second", polling, lock("b"), lock("a"));
		first.waits();
		second.waits();
		assertThat(second.deadlock()).hasMessageContaining("'first' of this instance, holds 'a'");
		assertThat(first.outcome()).isNull();
	}

	@Test
	void readersAndWritersThatWaitForEachOtherAreFound() throws Exception {
		LockRequest readA = lock("a").withMode(LockMode.READ);
		LockRequest readB = lock("b").withMode(LockMode.READ);
		Caller first = caller("first", this.engine, readA, lock("b"));
		Caller bystander = caller("bystander", this.engine, readA, lock("z"));
		Caller second = caller("second", this.engine, readB, lock("a"));
		first.waits();
		second.waits();
		assertThat(second.deadlock().cycle()).extracting(Participant::owner).containsExactly("second", "first");
		assertThat(first.outcome()).isNull();
		bystander.waits();
		assertThat(bystander.outcome()).isNull();
		nothingIsLeft();
	}

	@Test
	void strictOrderDoesNotHideACycle() throws Exception {
		Caller first = caller("first", this.engine, lock("a").withFair(true), lock("b").withFair(true));
		Caller second = caller("second", this.engine, lock("b").withFair(true), lock("a").withFair(true));
		first.waits();
		second.waits();
		assertThat(second.deadlock().cycle()).hasSize(2);
		assertThat(first.outcome()).isNull();
		nothingIsLeft();
	}

	@Test
	void whoWaitsForAPermitIsNoPartOfACycle() throws Exception {
		LockRequest permit = lock("pool").withPermits(2);
		Lease free = heldByAnother(this.engine, permit);
		Caller first = caller("first", this.engine, permit, lock("b"));
		Caller second = caller("second", this.engine, lock("b"), permit);
		first.waits();
		second.waits();
		Thread.sleep(300);
		assertThat(first.isDone() || second.isDone()).isFalse();
		free.release();
		assertThat(second.outcome()).isNull();
		assertThat(first.outcome()).isNull();
	}

	@Test
	void severalLocksAndASingleOneInACycleAreFound() throws Exception {
		Caller single = caller("single", this.engine, lock("b"), lock("a"));
		Lease outer = this.engine.acquire(lock("a"));
		single.waits();
		assertThatExceptionOfType(DeadlockDetectedException.class)
			.isThrownBy(() -> this.engine.acquireAll(List.of(lock("b"), lock("c"))))
			.satisfies((deadlock) -> assertThat(deadlock.cycle()).hasSize(2));
		assertThat(outer.isHeld()).isTrue();
		outer.release();
		assertThat(single.outcome()).isNull();
		try (MultiLease both = this.engine.acquireAll(List.of(lock("b"), lock("c")))) {
			assertThat(both.leases()).hasSize(2);
		}
	}

	@Test
	void anAsynchronousCallerGetsItsDeadlockInTheFuture() throws Exception {
		LockOwner one = LockOwner.create("one");
		LockOwner two = LockOwner.create("two");
		this.engine.acquire(lock("a").withOwner(one));
		Lease held = this.engine.acquire(lock("b").withOwner(two));
		CompletableFuture<Lease> older = this.engine.acquireAsync(lock("b").withOwner(one));
		Thread.sleep(20);
		CompletableFuture<Lease> younger = this.engine.acquireAsync(lock("a").withOwner(two));
		assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> younger.get(10, TimeUnit.SECONDS))
			.withCauseInstanceOf(DeadlockDetectedException.class);
		assertThat(older).isNotDone();
		held.release();
		older.get(10, TimeUnit.SECONDS).release();
		one.leases().forEach(Lease::release);
		nothingIsLeft();
	}

	@Test
	void anOwnerThatComesToHoldSomethingWhileItWaitsIsFound() throws Exception {
		LockOwner one = LockOwner.create("one");
		LockOwner two = LockOwner.create("two");
		Lease b = this.engine.acquire(lock("b").withOwner(two));
		CompletableFuture<Lease> older = this.engine.acquireAsync(lock("b").withOwner(one));
		Lease a = this.engine.acquireAsync(lock("a").withOwner(one)).get(10, TimeUnit.SECONDS);
		Thread.sleep(20);
		CompletableFuture<Lease> younger = this.engine.acquireAsync(lock("a").withOwner(two));
		assertThatExceptionOfType(ExecutionException.class).isThrownBy(() -> younger.get(10, TimeUnit.SECONDS))
			.withCauseInstanceOf(DeadlockDetectedException.class);
		a.release();
		b.release();
		older.get(10, TimeUnit.SECONDS).release();
	}

	@Test
	void aWaitThatIsShorterThanTheThresholdEndsByItsTime() throws Exception {
		LockStore store = this.server.connect("patient");
		LockEngine patient = engine((builder) -> builder.store(store).deadlockThreshold(Duration.ofSeconds(3)));
		Caller first = caller("first", patient, lock("a"), lock("b"));
		Caller second = caller("second", patient, lock("b"), lock("a").withWaitTime(Duration.ofMillis(40)));
		first.waits();
		second.waits();
		assertThat(second.outcome()).isInstanceOfSatisfying(LockNotAcquiredException.class,
				(refusal) -> assertThat(refusal.reason()).isEqualTo(Reason.TIMED_OUT));
		assertThat(first.outcome()).isNull();
	}

	@Test
	void aCallerThatDoesNotWaitIsRefusedAsEver() throws Exception {
		Caller first = caller("first", this.engine, lock("a"), lock("b"));
		Caller second = caller("second", this.engine, lock("b"), lock("a").withWaitTime(Duration.ZERO));
		first.waits();
		second.waits();
		assertThat(second.outcome()).isInstanceOfSatisfying(LockNotAcquiredException.class,
				(refusal) -> assertThat(refusal.reason()).isEqualTo(Reason.BUSY));
		assertThat(first.outcome()).isNull();
	}

	@Test
	void whoHoldsNothingIsNotLookedAt() throws Exception {
		Lease held = heldByAnother(this.engine, lock("a"));
		Future<Lease> waiting = waitingThread(this.engine, lock("a"));
		Thread.sleep(150);
		assertThat(this.engine.deadlocks().size()).isZero();
		assertThat(this.faults.count(CommandKind.INSPECT)).isZero();
		held.release();
		waiting.get().release();
	}

	@Test
	void reEntryClosesNoCycle() throws Exception {
		Caller waiter = caller("waiter", this.engine, lock("b"), lock("a"));
		Lease outer = this.engine.acquire(lock("a"));
		waiter.waits();
		Thread.sleep(100);
		this.engine.acquire(lock("a")).release();
		outer.release();
		assertThat(waiter.outcome()).isNull();
	}

	@Test
	void aHolderThatGoesOnIsNoDeadlockHoweverLongOthersWait() throws Exception {
		Caller holder = caller("holder", this.engine, lock("a"), lock("z"));
		Caller waiter = caller("waiter", this.engine, lock("b"), lock("a"));
		waiter.waits();
		Thread.sleep(400);
		assertThat(waiter.isDone()).isFalse();
		holder.waits();
		assertThat(holder.outcome()).isNull();
		assertThat(waiter.outcome()).isNull();
	}

	@Test
	void whatIsSwitchedOffFindsNothing() throws Exception {
		LockStore store = this.server.connect("off");
		LockEngine off = engine((builder) -> builder.store(store).deadlockDetection(false));
		Caller first = caller("first", off, lock("a"), lock("b").withWaitTime(Duration.ofSeconds(15)));
		Caller second = caller("second", off, lock("b"), lock("a").withWaitTime(Duration.ofMillis(500)));
		first.waits();
		second.waits();
		assertThat(second.outcome()).isInstanceOf(LockNotAcquiredException.class);
	}

	@Test
	void aHigherThresholdIsKept() throws Exception {
		LockStore store = this.server.connect("slow");
		LockEngine slow = engine((builder) -> builder.store(store).deadlockThreshold(Duration.ofMillis(400)));
		Caller first = caller("first", slow, lock("a"), lock("b"));
		Caller second = caller("second", slow, lock("b"), lock("a"));
		first.waits();
		second.waits();
		assertThat(second.deadlock().cycle().get(0).waited()).isGreaterThanOrEqualTo(Duration.ofMillis(399));
	}

	@Test
	void aThresholdOfLessThanAMillisecondIsRefused() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> LockEngine.builder().deadlockThreshold(Duration.ofNanos(10)))
			.withMessageContaining("Use 1 ms or more; the default is 50 ms.");
	}

	@Test
	void listenersHearOfEachDeadlockOnce() throws Exception {
		AtomicInteger heard = new AtomicInteger();
		AtomicInteger waitingEnded = new AtomicInteger();
		LockStore store = this.server.connect("heard");
		LockEngine listened = engine((builder) -> builder.store(store).listener(new LockListener() {
			@Override
			public void onDeadlock(LockKey key, String name, DeadlockDetectedException exception, Duration waited) {
				assertThat(key).isEqualTo(keyOf("a"));
				assertThat(name).isEqualTo("memory");
				heard.incrementAndGet();
			}

			@Override
			public void onWaitingEnded(LockKey key, String name) {
				waitingEnded.incrementAndGet();
			}
		}));
		Caller first = caller("first", listened, lock("a"), lock("b"));
		Caller second = caller("second", listened, lock("b"), lock("a"));
		first.waits();
		second.waits();
		LockException outcome = second.outcome();
		first.outcome();
		assertThat(outcome).isInstanceOf(DeadlockDetectedException.class);
		assertThat(heard).hasValue(1);
		assertThat(listened.statistics()).filteredOn((lock) -> lock.name().equals("a"))
			.singleElement()
			.satisfies((lock) -> assertThat(lock.refused()).isEqualTo(1));
		assertThat(waitingEnded).hasValue(2);
	}

	private void nothingIsLeft() {
		eventually().until(() -> this.engine.gateCount() == 0 && storeIsEmpty());
		assertThat(this.engine.deadlocks().size()).isZero();
	}

}
