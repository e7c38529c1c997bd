package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockRequest;
import io.distributedlock.LossReason;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.ForwardingLockStore;
import io.distributedlock.test.HeldRequest;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.InMemoryLockStore;
import io.distributedlock.test.ManualTicker;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Rules E5 and E6 of the protocol: what a holder may believe, and until when.
 */
class DeadlineRulesTests extends EngineFixture {

	private final ManualTicker ticker = new ManualTicker();

	private final FaultyLockStore store = FaultyLockStore.around(this.server.connect("manual"));

	private final LockEngine manual = engine((builder) -> builder.store(this.store.store()).ticker(this.ticker));

	@Test
	@Tag("E5")
	void theDeadlineIsTheTtlLessDriftFromBeforeTheSending() {
		Lease lease = this.manual.acquire(stock().withTtl(Duration.ofSeconds(10)).withRenew(false));
		assertThat(lease.remaining()).isEqualTo(Duration.ofMillis(10_000 - 100 - 2));
		this.ticker.advance(Duration.ofMillis(9_897));
		assertThat(lease.isHeld()).isTrue();
		this.ticker.advance(Duration.ofMillis(1));
		assertThat(lease.isHeld()).isFalse();
		assertThat(lease.remaining()).isZero();
	}

	@Test
	@Tag("E5")
	void timeOnTheWayToTheStoreCountsAgainstTheLease() {
		this.store.next(CommandKind.ACQUIRE_OR_ENQUEUE, Fault.holdBack());
		CompletableFuture<Lease> acquiring = this.manual
			.acquireAsync(stock().withTtl(Duration.ofSeconds(10)).withWaitTime(Duration.ofSeconds(20)));
		this.ticker.advance(Duration.ofSeconds(4));
		this.store.heldBack().forEach(HeldRequest::deliver);
		assertThat(acquiring.join().remaining()).isEqualTo(Duration.ofMillis(6_000 - 100 - 2));
	}

	@Test
	@Tag("E5")
	void aGrantThatIsAnsweredAfterItsDeadlineIsGivenBackAndNotUsed() {
		this.store.next(CommandKind.ACQUIRE_OR_ENQUEUE, Fault.holdBack());
		CompletableFuture<Lease> acquiring = this.manual
			.acquireAsync(stock().withTtl(Duration.ofSeconds(10)).withWaitTime(Duration.ofSeconds(60)));
		this.ticker.advance(Duration.ofSeconds(10));
		this.store.heldBack().forEach(HeldRequest::deliver);
		Lease lease = acquiring.join();
		assertThat(lease.remaining()).isGreaterThan(Duration.ofSeconds(9));
		assertThat(this.store.count(CommandKind.ABANDON)).isEqualTo(1);
	}

	@Test
	@Tag("E13")
	void anEarlierTryOfAnAttemptThatIsGrantedTooLateLeavesNothingBehind() throws Exception {
		LateStore late = new LateStore(InMemoryLockServer.builder().ticker(this.ticker).build().connect("late"),
				this.ticker);
		LockEngine engine = engine((builder) -> builder.store(late).ticker(this.ticker));
		// Its first try gets no answer, and the server may execute it within a second.
		CompletableFuture<Lease> first = engine
			.acquireAsync(stock().withTtl(Duration.ofSeconds(30)).withWaitTime(Duration.ofMinutes(1)));
		CompletableFuture<Lease> second = engine
			.acquireAsync(stock().withTtl(Duration.ofMillis(500)).withWaitTime(Duration.ofMinutes(1)));
		first.cancel(false);
		// The second try is granted, but that is known only when its ttl is over.
		this.ticker.advance(Duration.ofMillis(10));
		eventually().until(() -> late.acquires.size() == 2);
		this.ticker.advance(Duration.ofMillis(500));
		late.answer.complete(late.granted);
		eventually().until(() -> late.acquires.size() >= 3);
		AttemptId attempt = late.acquires.get(0).attempt();
		assertThat(late.acquires.get(1).attempt()).isEqualTo(attempt);
		assertThat(late.acquires.get(2).attempt()).isNotEqualTo(attempt);
		assertThat(late.abandoned).containsExactly(new Abandoned(attempt, Duration.ofMillis(510)));
		assertThat(second).as("the ghost has the lock").isNotDone();
		this.ticker.advance(Duration.ofMillis(491));
		second.get(5, TimeUnit.SECONDS).close();
		assertThat(late.abandoned).containsExactly(new Abandoned(attempt, Duration.ofMillis(510)),
				new Abandoned(attempt, Duration.ofMillis(1001)));
		assertThat(late.inspect(key(), Duration.ofSeconds(1)).toCompletableFuture().join()).isEmpty();
		eventually().until(() -> engine.gateCount() == 0);
	}

	@Test
	@Tag("E6")
	void heldIsComputedWithoutTheWatchdog() {
		Lease lease = this.manual.acquire(stock().withTtl(Duration.ofSeconds(10)));
		this.ticker.advance(Duration.ofSeconds(11));
		assertThat(lease.isHeld()).isFalse();
		assertThat(lease.state()).isEqualTo(LeaseState.LOST);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::assertHeld)
			.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LossReason.EXPIRED));
	}

	@Test
	@Tag("E6")
	void aRenewalThatIsAnsweredAfterTheDeadlineRevivesNothing() {
		Lease lease = this.manual.acquire(stock().withTtl(Duration.ofSeconds(10)));
		this.store.otherwise((kind) -> (kind == CommandKind.RENEW) ? Fault.holdBack() : Fault.none());
		this.ticker.advance(Duration.ofSeconds(4));
		eventually().until(() -> !this.store.heldBack().isEmpty());
		this.ticker.advance(Duration.ofSeconds(6));
		assertThat(lease.isHeld()).isFalse();
		this.store.heldBack().forEach(HeldRequest::deliver);
		assertThat(lease.isHeld()).isFalse();
		assertThat(lease.state()).isEqualTo(LeaseState.LOST);
	}

	@Test
	@Tag("E6")
	void noRenewalIsSentAfterTheDeadlineAndMissedTicksAreNotCaughtUp() {
		Lease lease = this.manual.acquire(stock().withTtl(Duration.ofSeconds(10)));
		AtomicReference<LockLostException> told = new AtomicReference<>();
		lease.onLost(told::set);
		this.ticker.advance(Duration.ofSeconds(100));
		eventually().until(() -> told.get() != null);
		assertThat(this.store.count(CommandKind.RENEW)).isZero();
		assertThat(told.get().reason()).isEqualTo(LossReason.EXPIRED);
	}

	@Test
	@Tag("E6")
	void aLeaseIsRenewedAtAThirdOfItsTtl() {
		Lease lease = this.manual.acquire(stock().withTtl(Duration.ofSeconds(9)));
		this.ticker.advance(Duration.ofMillis(2_900));
		assertThat(this.store.count(CommandKind.RENEW)).isZero();
		this.ticker.advance(Duration.ofMillis(150));
		eventually().until(() -> lease.remaining().compareTo(Duration.ofMillis(8_800)) > 0);
		assertThat(this.store.count(CommandKind.RENEW)).isEqualTo(1);
	}

	@Test
	@Tag("E6")
	void aRenewalThatFailsIsTriedAgainBeforeTheDeadline() {
		Lease lease = this.manual.acquire(stock().withTtl(Duration.ofSeconds(9)));
		this.store.next(CommandKind.RENEW, Fault.failBefore(new StoreException("away", false, true, null)));
		this.ticker.advance(Duration.ofSeconds(4));
		eventually().until(() -> this.store.count(CommandKind.RENEW) == 1);
		this.ticker.advance(Duration.ofSeconds(1));
		eventually().until(() -> lease.remaining().compareTo(Duration.ofSeconds(8)) > 0);
	}

	@Test
	@Tag("E6")
	void aRenewalOfAShortLeaseWhoseReplyIsLostIsTriedAgainInTime() {
		FaultyLockStore lossy = FaultyLockStore.around(this.server.connect("lossy"));
		LockEngine engine = engine((builder) -> builder.store(lossy.store()));
		Lease shortest = engine.acquire(stock().withTtl(SHORT_TTL));
		lossy.next(CommandKind.RENEW, Fault.dropReply());
		eventually().until(() -> lossy.count(CommandKind.RENEW) >= 3);
		assertThat(shortest.release()).isTrue();
	}

	@Test
	@Tag("E6")
	void manyLeasesAreRenewedInOneCommand() {
		for (int i = 0; i < 200; i++) {
			this.manual.acquire(LockRequest.of("many", i).withTtl(Duration.ofSeconds(9)));
		}
		this.ticker.advance(Duration.ofMillis(3_100));
		eventually().until(() -> this.store.count(CommandKind.RENEW) > 0);
		eventually().until(() -> this.manual.held()
			.stream()
			.allMatch((held) -> held.remaining().compareTo(Duration.ofMillis(8_500)) > 0));
		assertThat(this.store.count(CommandKind.RENEW)).isLessThanOrEqualTo(2);
	}

	@Test
	@Tag("E6")
	void theHolderIsToldOnceThatItsLeaseIsLostAndListenersToo() {
		AtomicInteger lost = new AtomicInteger();
		AtomicInteger released = new AtomicInteger();
		LockEngine listening = engine(
				(builder) -> builder.store(this.server.connect("listening")).listener(new LockListener() {

					@Override
					public void onLost(Lease lease, LockLostException exception, Duration held) {
						lost.incrementAndGet();
					}

					@Override
					public void onReleased(Lease lease, Duration held) {
						released.incrementAndGet();
					}

				}));
		Lease lease = listening.acquire(stock());
		AtomicInteger told = new AtomicInteger();
		lease.onLost((exception) -> told.incrementAndGet());
		listening.forceRelease(key(), null, lease.fencingToken());
		eventually().until(() -> told.get() == 1 && lost.get() == 1);
		assertThat(lease.release()).isFalse();
		lease.close();
		assertThat(told).hasValue(1);
		assertThat(lost).hasValue(1);
		assertThat(released).hasValue(0);
	}

	@Test
	@Tag("E6")
	void aCallbackThatIsRegisteredAfterTheLossStillRuns() {
		Lease lease = this.manual.acquire(stock().withTtl(Duration.ofSeconds(1)).withRenew(false));
		this.ticker.advance(Duration.ofSeconds(2));
		eventually().until(() -> this.manual.gateCount() == 0);
		AtomicReference<LockLostException> told = new AtomicReference<>();
		lease.onLost(told::set);
		eventually().until(() -> told.get() != null);
	}

	/**
	 * Loses sight of the first acquire, answers the second one when the test says so, and
	 * executes the first one before the third.
	 */
	private static final class LateStore extends ForwardingLockStore {

		private final ManualTicker ticker;

		private final long start;

		private final List<AcquireCommand> acquires = new CopyOnWriteArrayList<>();

		private final List<Abandoned> abandoned = new CopyOnWriteArrayList<>();

		private final CompletableFuture<AcquireReply> answer = new CompletableFuture<>();

		private volatile @Nullable AcquireReply granted;

		LateStore(InMemoryLockStore delegate, ManualTicker ticker) {
			super(delegate);
			this.ticker = ticker;
			this.start = ticker.nanoTime();
		}

		@Override
		public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
			int number = this.acquires.size() + 1;
			if (number == 1) {
				this.acquires.add(command);
				return CompletableFuture.failedFuture(new StoreException("The connection broke", true, true, null));
			}
			if (number == 2) {
				this.granted = super.acquireOrEnqueue(command).toCompletableFuture().join();
				this.acquires.add(command);
				return this.answer;
			}
			if (number == 3) {
				eventually().until(() -> !this.abandoned.isEmpty());
				AcquireReply ghost = super.acquireOrEnqueue(this.acquires.get(0)).toCompletableFuture().join();
				assertThat(ghost).isInstanceOf(AcquireReply.Granted.class);
			}
			CompletionStage<AcquireReply> reply = super.acquireOrEnqueue(command);
			this.acquires.add(command);
			return reply;
		}

		@Override
		public CompletionStage<Void> abandon(AbandonCommand command) {
			CompletionStage<Void> reply = super.abandon(command);
			this.abandoned.add(new Abandoned(command.attempt(), Duration.ofNanos(this.ticker.nanoTime() - this.start)));
			return reply;
		}

	}

	private record Abandoned(AttemptId attempt, Duration at) {
	}

}
