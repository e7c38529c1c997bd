package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Lock;
import java.util.function.UnaryOperator;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.MultiLease;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Readers, strict order and permits among several locks that are acquired together.
 */
class KindsTogetherTests extends EngineFixture {

	private static final StoreException OUTAGE = new StoreException("The store is down.", false, false, null);

	/**
	 * How a caller wants the lock whose fate decides.
	 */
	enum Kind {

		ALONE((request) -> request, CommandKind.ACQUIRE),

		READ((request) -> request.withMode(LockMode.READ), CommandKind.ACQUIRE_SHARED),

		SINGLE_READ((request) -> request.withMode(LockMode.READ).withRenew(false), CommandKind.ACQUIRE_SHARED),

		FAIR((request) -> request.withFair(true), CommandKind.ACQUIRE),

		PERMIT((request) -> request.withPermits(2), CommandKind.ACQUIRE_SHARED);

		private final UnaryOperator<LockRequest> change;

		/** What a caller sends that does not wait. */
		private final CommandKind command;

		Kind(UnaryOperator<LockRequest> change, CommandKind command) {
			this.change = change;
			this.command = command;
		}

		LockRequest of(String id) {
			return this.change.apply(LockRequest.of("thing", id).withWaitTime(Duration.ofSeconds(20)));
		}

	}

	/** One of each kind, and the given one in their middle, in order. */
	private static List<LockRequest> mixed(Kind middle) {
		return List.of(Kind.READ.of("a"), Kind.PERMIT.of("b"), Kind.FAIR.of("c"), middle.of("m"), Kind.ALONE.of("x"),
				Kind.SINGLE_READ.of("y"), Kind.PERMIT.of("z"));
	}

	private static List<LockRequest> with(List<LockRequest> requests, UnaryOperator<LockRequest> change) {
		return requests.stream().map(change).toList();
	}

	private static List<LockRequest> patient(List<LockRequest> requests, Duration waitTime) {
		return with(requests, (request) -> request.withWaitTime(waitTime));
	}

	private Lease taken(String id) throws Exception {
		return heldByAnother(otherJvm("jvm-2"), Kind.ALONE.of(id));
	}

	private void nothingIsLeft() {
		assertThat(this.engine.held()).isEmpty();
		eventually().until(this::storeIsEmpty);
		eventually().until(() -> this.engine.gateCount() == 0);
	}

	@ParameterizedTest
	@EnumSource
	void allKindsAreHeldTogetherAndGivenBackTogether(Kind kind) {
		try (MultiLease leases = this.engine.acquireAll(mixed(kind))) {
			assertThat(leases.leases()).hasSize(7).allMatch(Lease::isHeld);
			assertThat(leases.lease(LockKey.of("thing", "a")).mode()).isEqualTo(LockMode.READ);
			assertThat(leases.lease(LockKey.of("thing", "c")).mode()).isEqualTo(LockMode.WRITE);
			assertThat(this.engine.held()).hasSize(7);
		}
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void withoutWaitTimeARefusalInTheMiddleLeavesNothing(Kind kind) throws Exception {
		Lease other = taken("m");
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquireAll(patient(mixed(kind), Duration.ZERO)))
			.satisfies((refused) -> assertThat(refused.reason()).isEqualTo(Reason.BUSY))
			.satisfies((refused) -> assertThat(refused.key()).isEqualTo(other.key()));
		assertThat(this.engine.held()).isEmpty();
		// Nothing is left when the caller learns of it, and not only some time later.
		assertThat(this.server.size()).isOne();
		other.release();
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void whenTheTimeIsOverNothingIsLeft(Kind kind) throws Exception {
		Lease other = taken("m");
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquireAll(patient(mixed(kind), Duration.ofMillis(200))))
			.satisfies((refused) -> assertThat(refused.reason()).isEqualTo(Reason.TIMED_OUT))
			.satisfies((refused) -> assertThat(refused.key()).isEqualTo(other.key()));
		other.release();
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void anInterruptLeavesNothing(Kind kind) throws Exception {
		Lease other = taken("m");
		CompletableFuture<Boolean> told = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				this.engine.acquireAll(mixed(kind));
				told.complete(false);
			}
			catch (LockNotAcquiredException ex) {
				told.complete(ex.reason() == Reason.INTERRUPTED && Thread.currentThread().isInterrupted());
			}
		});
		thread.start();
		// On its way it waits for answers, too.
		eventually().until(() -> waiters(this.engine) == 1 && this.engine.held().size() == 3);
		thread.interrupt();
		assertThat(told.get(10, TimeUnit.SECONDS)).isTrue();
		other.release();
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void anOutageHalfWayLeavesNothing(Kind kind) {
		Kind other = (kind.command == CommandKind.ACQUIRE) ? Kind.READ : Kind.FAIR;
		List<LockRequest> requests = List.of(other.of("a"), kind.of("m"), other.of("x"));
		this.faults.next(kind.command, Fault.failBefore(OUTAGE));
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> this.engine.acquireAll(patient(requests, Duration.ZERO)))
			.satisfies((outage) -> assertThat(outage.key()).isEqualTo(LockKey.of("thing", "m")));
		assertThat(storeIsEmpty()).isTrue();
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void whoWaitsInTheMiddleGoesOnWhenItCan(Kind kind) throws Exception {
		Lease other = taken("m");
		LockOwner owner = LockOwner.create("caller");
		Future<MultiLease> waiting = onThread(
				() -> this.engine.acquireAll(with(mixed(kind), (request) -> request.withOwner(owner))));
		eventually().until(() -> waiters(this.engine) == 1);
		eventually().until(() -> this.engine.held().size() == 3);
		other.release();
		MultiLease leases = waiting.get(10, TimeUnit.SECONDS);
		assertThat(leases.isHeld()).isTrue();
		assertThat(leases.leases()).hasSize(7);
		assertThat(leases.release()).isTrue();
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void anAsynchronousCallerThatIsCancelledLeavesNothing(Kind kind) throws Exception {
		Lease other = taken("m");
		CompletableFuture<MultiLease> waiting = this.engine.acquireAllAsync(mixed(kind));
		eventually().until(() -> waiters(this.engine) == 1 && this.engine.held().size() == 3);
		assertThat(waiting.cancel(false)).isTrue();
		eventually().until(() -> this.engine.held().isEmpty());
		other.release();
		nothingIsLeft();
		try (MultiLease leases = this.engine.acquireAllAsync(mixed(kind)).get(10, TimeUnit.SECONDS)) {
			assertThat(leases.leases()).hasSize(7).allMatch(Lease::isHeld);
		}
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void whatWasLostMeanwhileIsTakenAgain(Kind kind) throws Exception {
		Lease other = taken("x");
		LockOwner owner = LockOwner.create("caller");
		List<LockRequest> requests = with(List.of(kind.of("a"), Kind.ALONE.of("x")),
				(request) -> request.withOwner(owner));
		Future<MultiLease> waiting = onThread(() -> this.engine.acquireAll(requests));
		eventually().until(() -> waiters(this.engine) == 1 && owner.leases().size() == 1);
		Lease first = owner.leases().get(0);
		assertThat(this.engine.forceRelease(first.key(), null, first.fencingToken())).isTrue();
		eventually().until(() -> !first.isHeld());
		other.release();
		MultiLease leases = waiting.get(10, TimeUnit.SECONDS);
		assertThat(leases.isHeld()).isTrue();
		assertThat(leases.lease(first.key())).isNotSameAs(first);
		leases.release();
		nothingIsLeft();
	}

	@Test
	void theLossOfAnyKindIsTheLossOfAll() {
		for (Kind kind : Kind.values()) {
			MultiLease leases = this.engine.acquireAll(List.of(Kind.ALONE.of("a"), kind.of("m")));
			Lease lost = leases.lease(LockKey.of("thing", "m"));
			this.engine.forceRelease(lost.key(), null, lost.fencingToken());
			eventually().until(() -> !leases.isHeld());
			assertThat(leases.release()).as("%s", kind).isFalse();
			nothingIsLeft();
		}
	}

	@ParameterizedTest
	@EnumSource
	void whatTheOwnerHasAlreadyIsReenteredInItsOwnKind(Kind kind) {
		try (Lease outer = this.engine.acquire(kind.of("m"))) {
			try (MultiLease leases = this.engine.acquireAll(mixed(kind))) {
				assertThat(leases.lease(outer.key()).fencingToken()).isEqualTo(outer.fencingToken());
			}
			assertThat(outer.isHeld()).isTrue();
		}
		nothingIsLeft();
	}

	@Test
	void whoWritesMayReadAmongOthers() {
		try (Lease writing = this.engine.acquire(Kind.ALONE.of("m"))) {
			try (MultiLease leases = this.engine.acquireAll(mixed(Kind.READ))) {
				assertThat(leases.isHeld()).isTrue();
			}
			assertThat(writing.isHeld()).isTrue();
		}
		nothingIsLeft();
	}

	@Test
	void whoReadsAndAsksToWriteAmongOthersIsToldAndKeepsOnlyWhatItHad() {
		for (Duration waitTime : List.of(Duration.ZERO, Duration.ofSeconds(20))) {
			try (Lease reading = this.engine.acquire(Kind.READ.of("m"))) {
				assertThatIllegalStateException()
					.isThrownBy(() -> this.engine.acquireAll(patient(mixed(Kind.ALONE), waitTime)))
					.withMessageContaining("thing:m");
				assertThatIllegalStateException()
					.isThrownBy(() -> this.engine.tryAcquireEach(patient(mixed(Kind.ALONE), waitTime)))
					.withMessageContaining("thing:m");
				assertThat(this.server.size()).isOne();
				assertThat(reading.isHeld()).isTrue();
			}
			nothingIsLeft();
		}
	}

	@Test
	void theSameKeyInTwoKindsIsAnErrorThatNamesIt() {
		for (Kind one : Kind.values()) {
			for (Kind other : Kind.values()) {
				if (one != other) {
					List<LockRequest> both = List.of(Kind.ALONE.of("a"), one.of("m"), other.of("m"));
					assertThatIllegalArgumentException().as("%s and %s", one, other)
						.isThrownBy(() -> this.engine.acquireAll(both))
						.withMessageContaining("thing:m")
						.withMessageContaining("twice");
					assertThatIllegalArgumentException().isThrownBy(() -> this.engine.acquireAllAsync(both))
						.withMessageContaining("twice");
					assertThatIllegalArgumentException().as("%s and %s", one, other)
						.isThrownBy(() -> this.engine.tryAcquireEach(both))
						.withMessageContaining("thing:m")
						.withMessageContaining("twice");
				}
			}
		}
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void theSameKeyTwiceInOneKindIsHeldOnce(Kind kind) {
		List<LockRequest> both = List.of(kind.of("m"), kind.of("m"));
		try (MultiLease leases = this.engine.acquireAll(both)) {
			assertThat(leases.leases()).hasSize(1);
		}
		List<LockOutcome> outcomes = this.engine.tryAcquireEach(both);
		assertThat(outcomes).hasSize(2).hasOnlyElementsOfType(LockOutcome.Granted.class);
		List<Lease> leases = outcomes.stream().flatMap((outcome) -> outcome.lease().stream()).toList();
		assertThat(leases.get(0).fencingToken()).isEqualTo(leases.get(1).fencingToken());
		leases.get(0).release();
		assertThat(leases.get(1).isHeld()).isTrue();
		leases.get(1).release();
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void eachOfManyKindsHasAnOutcomeOfItsOwn(Kind kind) throws Exception {
		Lease other = taken("m");
		List<LockOutcome> outcomes = this.engine.tryAcquireEach(mixed(kind));
		for (LockOutcome outcome : outcomes) {
			assertThat(outcome).as("%s", outcome.key())
				.isInstanceOf(
						outcome.key().equals(other.key()) ? LockOutcome.Refused.class : LockOutcome.Granted.class);
		}
		assertThat(this.engine.releaseAll(outcomes.stream().flatMap((outcome) -> outcome.lease().stream()).toList()))
			.isTrue();
		other.release();
		nothingIsLeft();
	}

	@ParameterizedTest
	@EnumSource
	void anOutageOfOneOfManyKindsIsItsOwn(Kind kind) {
		Kind other = (kind.command == CommandKind.ACQUIRE) ? Kind.READ : Kind.FAIR;
		this.faults.next(kind.command, Fault.failBefore(OUTAGE));
		List<LockOutcome> outcomes = this.engine.tryAcquireEach(List.of(other.of("a"), kind.of("m"), other.of("x")));
		assertThat(outcomes.get(0)).isInstanceOf(LockOutcome.Granted.class);
		assertThat(outcomes.get(1)).isInstanceOf(LockOutcome.Failed.class);
		assertThat(outcomes.get(2)).isInstanceOf(LockOutcome.Granted.class);
		this.engine.releaseAll(outcomes.stream().flatMap((outcome) -> outcome.lease().stream()).toList());
		nothingIsLeft();
	}

	@Test
	void readersOfSeveralLocksRunTogether() throws Exception {
		CountDownLatch inside = new CountDownLatch(6);
		List<LockEngine> jvms = List.of(this.engine, otherJvm("jvm-2"), otherJvm("jvm-3"));
		List<Future<Boolean>> readers = new ArrayList<>();
		for (int i = 0; i < 6; i++) {
			LockEngine jvm = jvms.get(i % 3);
			readers.add(onThread(() -> jvm.<Boolean, InterruptedException>executeAll(
					List.of(Kind.READ.of("a"), Kind.READ.of("b"), Kind.READ.of("c")), (leases) -> {
						inside.countDown();
						return inside.await(20, TimeUnit.SECONDS);
					})));
		}
		for (Future<Boolean> reader : readers) {
			assertThat(reader.get(30, TimeUnit.SECONDS)).isTrue();
		}
		nothingIsLeft();
	}

	@Test
	void whatIsKeptStaysTakenAmongOtherKinds() {
		List<LockRequest> requests = List.of(Kind.READ.of("a"), Kind.FAIR.of("b").withKeep(true),
				Kind.PERMIT.of("c").withKeep(true));
		this.engine.<String, RuntimeException>executeAll(requests, (leases) -> "done");
		assertThat(this.engine.held()).isEmpty();
		LockEngine other = otherJvm("jvm-2");
		assertThat(other.tryAcquireEach(List.of(Kind.ALONE.of("a"), Kind.ALONE.of("b"), Kind.ALONE.of("c"))))
			.extracting((outcome) -> outcome instanceof LockOutcome.Granted)
			.containsExactly(true, false, false);
	}

	@Test
	void viewsOfOneLockAndBatchesExcludeEachOther() {
		try (MultiLease leases = this.engine.acquireAll(List.of(Kind.READ.of("a"), Kind.FAIR.of("b")))) {
			assertThat(leases.isHeld()).isTrue();
			LockEngine other = otherJvm("jvm-2");
			Lock reading = other.asReadWriteLock(Kind.ALONE.of("a")).readLock();
			assertThat(reading.tryLock()).isTrue();
			reading.unlock();
			assertThat(other.asReadWriteLock(Kind.ALONE.of("a")).writeLock().tryLock()).isFalse();
			assertThat(other.asLock(Kind.FAIR.of("b")).tryLock()).isFalse();
		}
		nothingIsLeft();
	}

}
