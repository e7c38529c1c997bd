package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockLostException;
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

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Tests for several locks that are acquired together (rule S5).
 */
class SeveralLocksTests extends EngineFixture {

	private static final StoreException OUTAGE = new StoreException("The store is down.", false, false, null);

	private static LockRequest account(Object id) {
		return LockRequest.of("account", id).withWaitTime(Duration.ofSeconds(5));
	}

	private static List<LockRequest> accounts(int count) {
		return IntStream.range(0, count).mapToObj(SeveralLocksTests::account).toList();
	}

	private static List<LockRequest> impatient(List<LockRequest> requests) {
		return requests.stream().map((request) -> request.withWaitTime(Duration.ZERO)).toList();
	}

	@Test
	void allAreHeldInOrderWithTokensOfTheirOwnAndGivenBackTogether() {
		try (MultiLease leases = this.engine
			.acquireAll(List.of(account("c"), account("a"), account("b"), account("a")))) {
			assertThat(leases.leases()).extracting((lease) -> lease.key().parts().get(0))
				.containsExactly("a", "b", "c");
			assertThat(leases.isHeld()).isTrue();
			leases.assertHeld();
			assertThat(leases.remaining()).isBetween(Duration.ofSeconds(25), Duration.ofSeconds(30));
			assertThat(leases.lease(account("b").key()).fencingToken()).isPositive();
			assertThat(this.engine.held()).hasSize(3);
		}
		assertThat(storeIsEmpty()).isTrue();
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void theCodeUnderThemNamesTheKeyWhoseTokenItWants() {
		try (MultiLease leases = this.engine.acquireAll(List.of(account("a"), account("b")))) {
			for (Lease lease : leases.leases()) {
				assertThat(LockContext.current(lease.key())).containsSame(lease);
				LockContext.assertHeld(lease.key());
			}
			LockContext.assertHeld("account");
			assertThatIllegalStateException().isThrownBy(() -> LockContext.current("account"))
				.withMessageContaining("'account:a'")
				.withMessageContaining("'account:b'")
				.withMessageContaining("LockContext.current(LockKey.of(\"account\", ...))");
			assertThatIllegalStateException().isThrownBy(() -> LockContext.assertHeld(account("c").key()))
				.withMessageContaining("'account:c'");
			try (Lease inner = this.engine.acquire(account("c"))) {
				assertThat(LockContext.current("account")).as("one that was taken alone").containsSame(inner);
			}
			leases.leases().get(0).release();
			assertThat(LockContext.current("account")).as("the last one").containsSame(leases.leases().get(1));
		}
		assertThat(LockContext.current("account")).isEmpty();
		try (Lease alone = this.engine.acquire(account("a"))) {
			assertThat(LockContext.current("account")).containsSame(alone);
		}
	}

	@Test
	void demandingANameDemandsAllOfThem() {
		try (MultiLease leases = this.engine.acquireAll(List.of(account("a"), account("b")))) {
			Lease first = leases.leases().get(0);
			this.engine.forceRelease(first.key(), null, first.fencingToken());
			eventually().until(() -> !first.isHeld());
			LockContext.assertHeld(account("b").key());
			assertThatExceptionOfType(LockLostException.class).isThrownBy(() -> LockContext.assertHeld("account"));
			leases.release();
		}
	}

	@Test
	void aThousandLocksAreTakenAndGivenBackInTwoBatches() {
		this.faults.resetCounts();
		try (MultiLease leases = this.engine.acquireAll(accounts(1000))) {
			assertThat(leases.leases()).hasSize(1000);
			assertThat(this.faults.batches()).isEqualTo(1);
		}
		assertThat(this.faults.batches()).isEqualTo(2);
		assertThat(this.faults.count(CommandKind.ACQUIRE)).isEqualTo(1000);
		assertThat(this.faults.count(CommandKind.RELEASE)).isEqualTo(1000);
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void whileItWaitsItHoldsOnlyWhatComesBefore() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		Lease blocking = heldByAnother(other, account(2));
		LockOwner owner = LockOwner.create("transfer");
		Future<MultiLease> waiting = onThread(
				() -> this.engine.acquireAll(accounts(5).stream().map((request) -> request.withOwner(owner)).toList()));
		eventually().until(() -> waiters(this.engine) == 1);
		eventually().until(() -> this.engine.held().size() == 2);
		Lease free = heldByAnother(other, account(3).withWaitTime(Duration.ofSeconds(2)));
		free.release();
		blocking.release();
		try (MultiLease leases = waiting.get(5, TimeUnit.SECONDS)) {
			assertThat(leases.isHeld()).isTrue();
			assertThat(leases.leases()).hasSize(5);
		}
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void nothingIsLeftWhenOneStaysTaken() throws Exception {
		Lease blocking = heldByAnother(otherJvm("jvm-2"), account(2));
		List<LockRequest> requests = accounts(5).stream()
			.map((request) -> request.withWaitTime(Duration.ofMillis(100)))
			.toList();
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.engine.acquireAll(requests))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(Reason.TIMED_OUT))
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo(account(2).key()));
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquireAll(impatient(requests)))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(Reason.BUSY));
		assertThat(this.engine.held()).isEmpty();
		blocking.release();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anInterruptEndsTheWaitAndLeavesNothing() throws Exception {
		Lease blocking = heldByAnother(otherJvm("jvm-2"), account(2));
		CompletableFuture<Boolean> flag = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				this.engine.acquireAll(accounts(4));
			}
			catch (LockNotAcquiredException ex) {
				flag.complete(ex.reason() == Reason.INTERRUPTED && Thread.currentThread().isInterrupted());
			}
		});
		thread.start();
		eventually().until(() -> waiters(this.engine) == 1);
		thread.interrupt();
		assertThat(flag.get(5, TimeUnit.SECONDS)).isTrue();
		blocking.release();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anInterruptDuringTheBatchLeavesNothing() throws Exception {
		this.faults.next(CommandKind.ACQUIRE, Fault.none(), Fault.holdBack());
		CompletableFuture<Boolean> flag = new CompletableFuture<>();
		Thread thread = new Thread(() -> {
			try {
				this.engine.acquireAll(accounts(4));
			}
			catch (LockNotAcquiredException ex) {
				flag.complete(ex.reason() == Reason.INTERRUPTED && Thread.currentThread().isInterrupted());
			}
		});
		thread.start();
		eventually().until(() -> this.faults.heldBack().size() == 1);
		thread.interrupt();
		assertThat(flag.get(5, TimeUnit.SECONDS)).isTrue();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anOutageOfOneEndsAll() {
		this.faults.next(CommandKind.ACQUIRE, Fault.none(), Fault.none(), Fault.failBefore(OUTAGE));
		assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> this.engine.acquireAll(accounts(5)))
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo(account(2).key()));
		assertThat(this.engine.held()).isEmpty();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anAnswerThatStaysOutIsAnOutageAndWhatItWouldHaveBroughtIsGivenBack() {
		this.faults.next(CommandKind.ACQUIRE, Fault.none(), Fault.dropReply());
		List<LockRequest> requests = impatient(accounts(3)).stream()
			.map((request) -> request.withTtl(SHORT_TTL))
			.toList();
		assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> this.engine.acquireAll(requests));
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anOutageThatPassesIsWaitedFor() {
		StoreException passing = new StoreException("The store fails over.", false, true, null);
		this.faults.next(CommandKind.ACQUIRE, Fault.none(), Fault.failBefore(passing));
		try (MultiLease leases = this.engine.acquireAll(accounts(3))) {
			assertThat(leases.isHeld()).isTrue();
		}
	}

	@Test
	void aKeyThatTheOwnerHoldsIsReentered() {
		try (Lease outer = this.engine.acquire(account(1))) {
			try (MultiLease leases = this.engine.acquireAll(accounts(3))) {
				assertThat(leases.lease(outer.key()).fencingToken()).isEqualTo(outer.fencingToken());
			}
			assertThat(outer.isHeld()).isTrue();
		}
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void whatWasLostWhileAnotherWasWaitedForIsTakenAgain() throws Exception {
		Lease blocking = heldByAnother(otherJvm("jvm-2"), account(2));
		LockOwner owner = LockOwner.create("transfer");
		Future<MultiLease> waiting = onThread(
				() -> this.engine.acquireAll(accounts(3).stream().map((request) -> request.withOwner(owner)).toList()));
		eventually().until(() -> waiters(this.engine) == 1 && owner.leases().size() == 2);
		Lease first = owner.leases().get(0);
		this.engine.forceRelease(first.key(), null, first.fencingToken());
		eventually().until(() -> !first.isHeld());
		blocking.release();
		try (MultiLease leases = waiting.get(5, TimeUnit.SECONDS)) {
			assertThat(leases.isHeld()).isTrue();
			assertThat(leases.lease(first.key()).fencingToken()).isGreaterThan(first.fencingToken());
		}
	}

	@Test
	void theLossOfOneIsTheLossOfAll() {
		MultiLease leases = this.engine.acquireAll(accounts(3));
		List<LockLostException> losses = Collections.synchronizedList(new ArrayList<>());
		leases.onLost(losses::add);
		Lease second = leases.leases().get(1);
		this.engine.forceRelease(second.key(), null, second.fencingToken());
		eventually().until(() -> !losses.isEmpty());
		assertThat(leases.isHeld()).isFalse();
		assertThat(leases.remaining()).isZero();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(leases::assertHeld);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(leases::close)
			.satisfies((ex) -> assertThat(ex.key()).isEqualTo(second.key()));
		leases.close();
		assertThat(losses).hasSize(1);
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void workUnderSeveralLocksThatKeepsThemLeavesThemTaken() {
		List<LockRequest> kept = accounts(2).stream().map((request) -> request.withKeep(true)).toList();
		assertThat(this.engine.<String, RuntimeException>executeAll(kept, (leases) -> "done")).isEqualTo("done");
		assertThat(this.engine.tryAcquireEach(accounts(2))).hasOnlyElementsOfType(LockOutcome.Refused.class);
	}

	@Test
	void eachOfManyLocksHasAnOutcomeOfItsOwn() throws Exception {
		heldByAnother(otherJvm("jvm-2"), account(1));
		heldByAnother(this.engine, account(2));
		this.faults.next(CommandKind.ACQUIRE, Fault.none(), Fault.none(), Fault.failBefore(OUTAGE));
		List<LockOutcome> outcomes = this.engine.tryAcquireEach(accounts(6));
		assertThat(outcomes).extracting(LockOutcome::key)
			.containsExactlyElementsOf(accounts(6).stream().map(LockRequest::key).toList());
		assertThat(outcomes.get(0)).isInstanceOf(LockOutcome.Granted.class);
		assertThat(outcomes.get(1)).isInstanceOf(LockOutcome.Refused.class);
		assertThat(outcomes.get(2)).isInstanceOf(LockOutcome.Refused.class);
		assertThat(outcomes.get(3)).isInstanceOf(LockOutcome.Failed.class);
		List<Lease> leases = outcomes.stream().flatMap((outcome) -> outcome.lease().stream()).toList();
		assertThat(leases).hasSize(3).allMatch(Lease::isHeld);
		assertThat(this.engine.releaseAll(leases)).isTrue();
		assertThat(this.engine.releaseAll(leases)).isFalse();
	}

	@Test
	void asynchronouslyAllAreHeldOrNone() throws Exception {
		MultiLease leases = this.engine.acquireAllAsync(accounts(100)).get(5, TimeUnit.SECONDS);
		assertThat(leases.isHeld()).isTrue();
		CompletableFuture<MultiLease> waiting = this.engine.acquireAllAsync(accounts(100));
		eventually().until(() -> waiters(this.engine) == 1);
		assertThat(waiting.cancel(false)).isTrue();
		CompletableFuture<MultiLease> next = this.engine.acquireAllAsync(accounts(100));
		eventually().until(() -> waiters(this.engine) == 1);
		assertThat(leases.releaseAsync().toCompletableFuture().get(5, TimeUnit.SECONDS)).isTrue();
		next.get(5, TimeUnit.SECONDS).close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void requestsThatContradictEachOtherAreRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.engine.acquireAll(List.of()))
			.withMessageContaining("no locks");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> this.engine.acquireAll(List.of(account(1), account(1).withTtl(Duration.ofSeconds(7)))))
			.withMessageContaining("twice");
		assertThatIllegalArgumentException()
			.isThrownBy(
					() -> this.engine.acquireAll(List.of(account(1), account(2).withOwner(LockOwner.create("other")))))
			.withMessageContaining("owner");
		assertThat(this.engine.tryAcquireEach(List.of())).isEmpty();
	}

	@Test
	void aStoppedEngineAdmitsNobody() {
		this.engine.stop(Duration.ZERO);
		assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> this.engine.acquireAll(accounts(3)))
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(Reason.SHUTTING_DOWN));
		assertThat(this.engine.tryAcquireEach(accounts(3))).hasOnlyElementsOfType(LockOutcome.Refused.class);
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void transfersOfManyThreadsAndJvmsLoseNoMoneyAndNeverWaitForEachOther() throws Exception {
		int[] balances = new int[10];
		Arrays.fill(balances, 1000);
		AtomicInteger[] inside = IntStream.range(0, 10)
			.mapToObj((i) -> new AtomicInteger())
			.toArray(AtomicInteger[]::new);
		List<LockEngine> engines = List.of(this.engine, otherJvm("jvm-2"), otherJvm("jvm-3"));
		List<Future<Integer>> callers = new ArrayList<>();
		for (int caller = 0; caller < 24; caller++) {
			LockEngine jvm = engines.get(caller % 3);
			Random random = new Random(caller);
			callers.add(onThread(() -> transfer(jvm, random, balances, inside)));
		}
		int done = 0;
		for (Future<Integer> caller : callers) {
			done += caller.get(60, TimeUnit.SECONDS);
		}
		assertThat(done).isEqualTo(24 * 200);
		assertThat(IntStream.of(balances).sum()).isEqualTo(10_000);
		eventually().until(this::storeIsEmpty);
	}

	private static int transfer(LockEngine jvm, Random random, int[] balances, AtomicInteger[] inside) {
		int done = 0;
		while (done < 200) {
			int from = random.nextInt(10);
			int to = (from + 1 + random.nextInt(9)) % 10;
			List<LockRequest> both = List.of(account(from).withWaitTime(Duration.ofSeconds(30)),
					account(to).withWaitTime(Duration.ofSeconds(30)));
			try (MultiLease leases = jvm.acquireAll(both)) {
				assertThat(inside[from].incrementAndGet() + inside[to].incrementAndGet()).isEqualTo(2);
				balances[from] -= 1;
				Thread.yield();
				balances[to] += 1;
				inside[from].decrementAndGet();
				inside[to].decrementAndGet();
				leases.assertHeld();
			}
			done++;
		}
		return done;
	}

}
