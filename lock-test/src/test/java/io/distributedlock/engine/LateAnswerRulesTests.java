package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.HeldRequest;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What readers, holders of permits and callers in strict order may rely on when answers
 * come late, in an odd order or not at all. The clock stands still but for when a test
 * moves it, and nobody looks at deadlines by itself.
 */
class LateAnswerRulesTests extends EngineFixture {

	/** Commands of these leases may take half a minute of real time. */
	private static final Duration LONG_TTL = Duration.ofMinutes(10);

	private final ManualTicker ticker = new ManualTicker();

	private final InMemoryLockServer slowServer = InMemoryLockServer.builder()
		.ticker(this.ticker)
		.queueEntryTtl(Duration.ofHours(10))
		.build();

	private final FaultyLockStore store = FaultyLockStore.around(this.slowServer.connect("jvm-1"));

	private final CountDownLatch wakesUp = new CountDownLatch(1);

	private final CountDownLatch goesOn = new CountDownLatch(1);

	private final LockEngine jvm = jvm(this.store);

	private LockEngine jvm(FaultyLockStore of) {
		LockEngine made = engine((builder) -> builder.store(of.store())
			.ticker(this.ticker)
			.commandTimeout(Duration.ofSeconds(30))
			.listener(new LockListener() {

				@Override
				public void onWaitingEnded(LockKey key, String store) {
					if (Thread.currentThread().getName().equals("sleepy")) {
						LateAnswerRulesTests.this.wakesUp.countDown();
						try {
							LateAnswerRulesTests.this.goesOn.await(20, TimeUnit.SECONDS);
						}
						catch (InterruptedException ex) {
							Thread.currentThread().interrupt();
						}
					}
				}

			}));
		made.watchdog().close();
		return made;
	}

	private static LockRequest request() {
		return stock().withTtl(LONG_TTL).withMaxHold(Duration.ofHours(5)).withWaitTime(Duration.ofHours(1));
	}

	private static LockRequest reading() {
		return request().withMode(LockMode.READ);
	}

	private static LockRequest fair() {
		return request().withFair(true);
	}

	private static LockRequest of(String owner, LockRequest request) {
		return request.withOwner(LockOwner.create(owner));
	}

	private List<HeldRequest> held(int expected) {
		eventually().until(() -> this.store.heldBack().size() == expected);
		return this.store.heldBack();
	}

	private boolean isEmpty() {
		return this.slowServer.size() == 0;
	}

	private boolean isFreeForOthers() {
		LockEngine other = jvm(FaultyLockStore.around(this.slowServer.connect("other")));
		return other.tryAcquire(of("other", request().withWaitTime(Duration.ZERO))).isPresent();
	}

	@Test
	void leaseEnteredThroughItsOwnerIsNotTakenAwayByALateGrant() throws Exception {
		LockRequest permit = request().withPermits(2).withWaitTime(Duration.ofHours(1));
		LockEngine other = jvm(FaultyLockStore.around(this.slowServer.connect("jvm-2")));
		List<Lease> taken = List.of(heldByAnother(other, permit), heldByAnother(other, permit));
		LockOwner shared = LockOwner.create("shared");
		CompletableFuture<Lease> first = this.jvm.acquireAsync(permit.withOwner(shared));
		CompletableFuture<Lease> second = new CompletableFuture<>();
		Thread sleepy = new Thread(() -> {
			try {
				second.complete(this.jvm.acquire(permit.withOwner(shared)));
			}
			catch (RuntimeException ex) {
				second.completeExceptionally(ex);
			}
		}, "sleepy");
		sleepy.start();
		eventually().until(() -> waiters(this.jvm) == 2);
		eventually().until(() -> sleepy.getState() == Thread.State.TIMED_WAITING);
		this.store.next(CommandKind.ACQUIRE_SHARED, Fault.holdBack(), Fault.holdBack());
		this.store.resume();
		List<HeldRequest> asked = held(2);
		taken.forEach(Lease::release);
		asked.get(0).deliver();
		Lease opener = first.get(10, TimeUnit.SECONDS);
		assertThat(this.wakesUp.await(10, TimeUnit.SECONDS)).isTrue();
		asked.get(1).deliver();
		this.goesOn.countDown();
		Lease nested = second.get(10, TimeUnit.SECONDS);
		assertThat(nested.fencingToken()).isEqualTo(opener.fencingToken());
		opener.release();
		assertThat(nested.release()).isTrue();
		eventually().until(this::isEmpty);
	}

	@Test
	void grantThatIsPassedOnIsNotReliedUponForLongerThanTheStoreKeepsIt() throws Exception {
		Lease holder = heldByAnother(this.jvm, fair());
		CompletableFuture<Lease> quick = this.jvm.acquireAsync(of("quick", fair().withTtl(Duration.ofSeconds(1))));
		this.store.next(CommandKind.RELEASE_IN_ORDER, Fault.holdBack());
		holder.releaseAsync();
		HeldRequest release = held(1).get(0);
		CompletableFuture<Lease> slow = this.jvm.acquireAsync(of("slow", fair().withRenew(false)));
		quick.cancel(true);
		eventually().until(() -> waiters(this.jvm) == 1);
		assertThat(release.deliver()).isTrue();
		Lease lease = slow.get(10, TimeUnit.SECONDS);
		StoredLock stored = this.jvm.find(key(), null).orElseThrow();
		assertThat(lease.remaining()).isLessThanOrEqualTo(stored.remaining()).isGreaterThan(LONG_TTL.dividedBy(2));
		assertThat(lease.release()).isTrue();
		eventually().until(this::isEmpty);
	}

	@Test
	void answerToAnAttemptThatWasGivenUpIsNotTakenForOneToTheNext() throws Exception {
		Lease holder = heldByAnother(this.jvm, fair().withTtl(LONG_TTL.multipliedBy(2)));
		CompletableFuture<Lease> next = this.jvm.acquireAsync(of("next", fair().withRenew(false)));
		this.store.next(CommandKind.ACQUIRE_IN_ORDER, Fault.holdBack());
		this.store.resume();
		HeldRequest question = held(1).get(0);
		this.store.next(CommandKind.RELEASE_IN_ORDER, Fault.holdBack());
		holder.releaseAsync();
		HeldRequest release = held(2).get(1);
		// The release brings the lock to the next, but too late to be used.
		this.ticker.advance(LONG_TTL);
		assertThat(release.deliver()).isTrue();
		assertThat(question.deliver()).isTrue();
		Lease lease = next.get(10, TimeUnit.SECONDS);
		assertThat(lease.release()).as("it was held in the store").isTrue();
		eventually().until(this::isEmpty);
	}

	@Test
	void readerThatFindsTheRoomExpiredIsKnownToItsEngine() throws Exception {
		Lease expired = heldByAnother(this.jvm, reading());
		this.ticker.advance(LONG_TTL);
		Lease lease = heldByAnother(this.jvm, reading());
		assertThat(this.jvm.held()).hasSize(1);
		assertThat(this.jvm.stop(Duration.ZERO)).as("idle").isFalse();
		assertThat(expired.release()).isFalse();
		assertThat(lease.release()).isTrue();
		eventually().until(this::isEmpty);
		eventually().until(() -> this.jvm.gateCount() == 0);
	}

	@Test
	void readersAskForOneRoomAtATime() throws Exception {
		Lease first = heldByAnother(this.jvm, reading());
		this.ticker.advance(LONG_TTL.dividedBy(2).plusSeconds(1));
		// Too little is left of the first room.
		Lease second = heldByAnother(this.jvm, reading());
		this.ticker.advance(Duration.ofSeconds(1));
		this.store.next(CommandKind.EXTEND_SHARED, Fault.holdBack());
		CompletableFuture<Lease> third = this.jvm.acquireAsync(of("third", reading()));
		this.store.next(CommandKind.ACQUIRE_SHARED, Fault.holdBack());
		assertThat(first.release()).isTrue();
		HeldRequest question = held(2).get(1);
		this.ticker.advance(LONG_TTL.dividedBy(2));
		CompletableFuture<Lease> fourth = this.jvm.acquireAsync(of("fourth", reading()));
		question.deliver();
		assertThat(third.get(10, TimeUnit.SECONDS).release()).isTrue();
		assertThat(fourth.get(10, TimeUnit.SECONDS).release()).isTrue();
		assertThat(second.release()).isTrue();
		eventually().until(this::isEmpty);
	}

	@Test
	void readerWhoComesAgainAfterItsMaxHoldIsCountedForItself() throws Exception {
		LockOwner owner = LockOwner.create("again");
		Lease overdue = heldByAnother(this.jvm, reading().withOwner(owner).withMaxHold(LONG_TTL));
		Lease other = heldByAnother(this.jvm, reading());
		other.extend(Duration.ofHours(2));
		this.ticker.advance(LONG_TTL.multipliedBy(2));
		assertThat(overdue.isHeld()).isFalse();
		Lease again = this.jvm.acquireAsync(reading().withOwner(owner)).get(10, TimeUnit.SECONDS);
		assertThat(overdue.release()).isFalse();
		assertThat(other.release()).isTrue();
		assertThat(again.isHeld()).isTrue();
		assertThat(isFreeForOthers()).isFalse();
		assertThat(again.release()).isTrue();
		eventually().until(this::isEmpty);
		assertThat(this.jvm.gateCount()).isZero();
	}

	@Test
	void readerThatExtendsItsLeaseHasItAsLongAsItWasPromised() throws Exception {
		for (boolean renew : new boolean[] { true, false }) {
			Lease lease = heldByAnother(this.jvm, reading().withMaxHold(LONG_TTL).withRenew(renew));
			lease.extend(Duration.ofHours(2));
			this.ticker.advance(Duration.ofHours(1));
			assertThat(lease.state()).isEqualTo(LeaseState.HELD);
			assertThat(lease.release()).isTrue();
		}
	}

	@Test
	void callerThatExtendsALeaseDoesNotHangWhenTheEngineIsClosed() throws Exception {
		Lease lease = heldByAnother(this.jvm, request());
		this.store.next(CommandKind.RENEW, Fault.holdBack());
		Future<?> first = onThread(() -> {
			lease.extend(Duration.ofHours(1));
			return null;
		});
		HeldRequest renewal = held(1).get(0);
		Future<?> second = onThread(() -> {
			assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> lease.extend(Duration.ofHours(2)));
			return null;
		});
		// It waits for the first one, and comes again and again.
		Thread.sleep(50);
		this.jvm.close();
		second.get(10, TimeUnit.SECONDS);
		renewal.expire();
		assertThatExceptionOfType(Exception.class).isThrownBy(() -> first.get(10, TimeUnit.SECONDS))
			.withCauseInstanceOf(LockStoreException.class);
	}

}
