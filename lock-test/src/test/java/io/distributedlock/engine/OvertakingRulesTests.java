package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;

import io.distributedlock.Lease;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Rule E4 and ADR 0015: callers that are awake may go before one that was granted the
 * lock and still sleeps, within bounds, and nobody loses anything by it.
 * <p>
 * The sleeper is a {@link Waiter} whose thread never looks at it unless the test says so.
 */
@Tag("E4")
class OvertakingRulesTests extends EngineFixture {

	private static final Duration WAIT = Duration.ofSeconds(5);

	private final ManualTicker ticker = new ManualTicker();

	private LockEngine jvm = jvm(64);

	private LockEngine jvm(int leases) {
		return engine((builder) -> builder.store(this.server.connect("jvm-" + leases))
			.ticker(this.ticker)
			.handoff(leases, Duration.ofMillis(50)));
	}

	private static Profile profile(Duration ttl, boolean renew, Duration wait) {
		Terms terms = new Terms(ttl.toNanos(), renew, 0, Duration.ofHours(1).toNanos(), 0);
		return new Profile(terms, wait.toNanos());
	}

	private Waiter sleeper(Profile profile) {
		StoreRuntime runtime = this.jvm.runtime(null);
		Waiter waiter = Waiter.blocking(Thread.currentThread(), LockOwner.create("sleeper"), false, profile,
				runtime.now(), 1_000_000_000, null);
		runtime.enter(key(), waiter);
		return waiter;
	}

	private Waiter sleeper() {
		return sleeper(profile(Duration.ofSeconds(30), true, WAIT));
	}

	private Lease acquire() {
		return this.jvm.acquire(stock().withWaitTime(WAIT));
	}

	/** A quick hold is over, and the sleeper has the lock but does not know it. */
	private Waiter sleeperWithTheLock() {
		Lease before = acquire();
		Waiter sleeper = sleeper();
		before.close();
		eventually().until(() -> sleeper.state() == Waiter.State.GRANTED);
		return sleeper;
	}

	@Test
	void aCallerThatIsAwakeGoesBeforeOneThatSleeps() {
		Waiter sleeper = sleeperWithTheLock();
		try (Lease lease = acquire()) {
			assertThat(lease.isHeld()).isTrue();
			assertThat(sleeper.state()).isEqualTo(Waiter.State.WAITING);
			assertThat(this.jvm.held()).singleElement().satisfies((held) -> {
				assertThat(held.fencingToken()).isEqualTo(lease.fencingToken());
				assertThat(held.waiters()).isOne();
			});
		}
		assertThat(sleeper.settled()).isTrue();
		assertThat(sleeper.lease().isHeld()).isTrue();
		sleeper.lease().close();
		eventually().until(() -> storeIsEmpty() && this.jvm.gateCount() == 0);
	}

	@Test
	void theTokenOfWhoIsOvertakenIsHigherThanThatOfWhoOvertook() {
		Waiter sleeper = sleeperWithTheLock();
		long first;
		try (Lease lease = acquire()) {
			first = lease.fencingToken();
		}
		long second;
		try (Lease lease = acquire()) {
			second = lease.fencingToken();
		}
		assertThat(sleeper.settled()).isTrue();
		assertThat(second).isGreaterThan(first);
		assertThat(sleeper.lease().fencingToken()).isGreaterThan(second);
		sleeper.lease().close();
	}

	@Test
	void nobodyIsOvertakenMoreThanEightTimes() throws Exception {
		Waiter sleeper = sleeperWithTheLock();
		for (int i = 0; i < 8; i++) {
			acquire().close();
		}
		Future<Lease> ninth = threadThatWaits();
		assertThat(ninth).isNotDone();
		assertThat(sleeper.settled()).isTrue();
		sleeper.lease().close();
		assertThat(ninth.get(5, TimeUnit.SECONDS).isHeld()).isTrue();
		ninth.get().close();
	}

	@Test
	void whoHasTakenTheLockIsNotOvertaken() throws Exception {
		Waiter sleeper = sleeperWithTheLock();
		assertThat(sleeper.settled()).isTrue();
		Future<Lease> late = threadThatWaits();
		assertThat(sleeper.lease().isHeld()).isTrue();
		assertThat(late).isNotDone();
		sleeper.lease().close();
		late.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	void afterASlowHoldNobodyIsOvertaken() throws Exception {
		Lease before = acquire();
		Waiter sleeper = sleeper();
		this.ticker.advance(Duration.ofMillis(1));
		before.close();
		assertNotOvertaken(sleeper);
	}

	@Test
	void whoAsksForOtherTermsDoesNotOvertake() throws Exception {
		Waiter sleeper = sleeperWithTheLock();
		LockRequest other = stock().withWaitTime(WAIT).withTtl(Duration.ofSeconds(9));
		Future<Lease> late = onThread(() -> this.jvm.acquire(other));
		eventually().until(() -> waiters(this.jvm) == 1);
		assertThat(sleeper.settled()).isTrue();
		assertThat(sleeper.lease().isHeld()).isTrue();
		sleeper.lease().close();
		late.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	void whoHasLittleTimeLeftToWaitIsNotOvertaken() throws Exception {
		Lease before = acquire();
		Waiter sleeper = sleeper(profile(Duration.ofSeconds(30), true, Duration.ofMillis(40)));
		before.close();
		assertNotOvertaken(sleeper);
	}

	@Test
	void theLastTokenIsForWhoIsInLine() throws Exception {
		this.jvm = jvm(2);
		Waiter sleeper = sleeperWithTheLock();
		acquire().close();
		eventually().until(() -> sleeper.state() == Waiter.State.GRANTED);
		// Its token is the last one: there is none left for the time after.
		assertNotOvertaken(sleeper);
	}

	@Test
	void whoIsOvertakenMayStillGiveUp() {
		Waiter sleeper = sleeperWithTheLock();
		Lease lease = acquire();
		assertThat(sleeper.cancel()).isTrue();
		lease.close();
		this.jvm.runtime(null).gates().forEach((gate) -> gate.left(sleeper));
		acquire().close();
		eventually().until(() -> storeIsEmpty() && this.jvm.gateCount() == 0);
	}

	@Test
	void oneTryIsRefusedAsLongAsTheLockIsGranted() {
		Waiter sleeper = sleeperWithTheLock();
		assertThat(this.jvm.tryAcquire(stock().withWaitTime(Duration.ZERO))).isEmpty();
		assertThat(sleeper.settled()).isTrue();
		sleeper.lease().close();
	}

	@Test
	void withThreadsThatComeAgainAndGiveUpNobodyOverlapsOrIsForgotten() throws Exception {
		LockEngine hot = otherJvm("hot");
		AtomicInteger inside = new AtomicInteger();
		AtomicLong lastToken = new AtomicLong();
		AtomicInteger again = new AtomicInteger();
		AtomicInteger acquired = new AtomicInteger();
		Thread[] before = new Thread[1];
		long end = System.nanoTime() + Duration.ofSeconds(2).toNanos();
		List<Future<?>> workers = new ArrayList<>();
		for (int i = 0; i < 8; i++) {
			boolean impatient = i % 2 == 0;
			workers.add(onThread(() -> {
				while (System.nanoTime() < end) {
					Duration wait = impatient ? Duration.ofNanos(ThreadLocalRandom.current().nextLong(1, 200_000_000))
							: WAIT;
					try (Lease lease = hot.acquire(stock().withWaitTime(wait))) {
						assertThat(inside.incrementAndGet()).isOne();
						assertThat(lastToken.getAndSet(lease.fencingToken())).isLessThan(lease.fencingToken());
						if (before[0] == Thread.currentThread()) {
							again.incrementAndGet();
						}
						before[0] = Thread.currentThread();
						acquired.incrementAndGet();
						inside.decrementAndGet();
					}
					catch (LockNotAcquiredException ex) {
						assertThat(impatient).isTrue();
					}
				}
				return null;
			}));
		}
		for (Future<?> worker : workers) {
			worker.get(30, TimeUnit.SECONDS);
		}
		assertThat(acquired).hasPositiveValue();
		assertThat(again).as("turns in which somebody overtook").hasPositiveValue();
		eventually().until(() -> storeIsEmpty() && hot.gateCount() == 0);
	}

	private Future<Lease> threadThatWaits() {
		Future<Lease> waiting = onThread(() -> acquire());
		eventually().until(() -> waiters(this.jvm) == 1);
		return waiting;
	}

	private void assertNotOvertaken(Waiter sleeper) throws Exception {
		int before = waiters(this.jvm);
		Future<Lease> late = onThread(() -> acquire());
		eventually().until(() -> waiters(this.jvm) == before + 1);
		assertThat(sleeper.settled()).isTrue();
		LeaseHandle lease = sleeper.lease();
		assertThat(lease.isHeld()).isTrue();
		lease.close();
		late.get(5, TimeUnit.SECONDS).close();
	}

}
