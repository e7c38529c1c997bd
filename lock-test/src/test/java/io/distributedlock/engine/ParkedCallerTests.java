package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * A caller that has not parked yet is not unparked, which saves a system call, and still
 * never sleeps through its grant. The threads here wait for each other without parking,
 * since a permit that they leave behind would hide a wake-up that is missing.
 */
class ParkedCallerTests extends EngineFixture {

	private static final int ROUNDS = 20_000;

	/** Nobody is put to sleep and woken in so few nanoseconds. */
	private static final long WAKE_UP = 4_000;

	/** Longer than the test waits for a caller. */
	private static final LockRequest PATIENT = stock().withWaitTime(Duration.ofMinutes(2));

	private static final Duration TOO_LONG = Duration.ofSeconds(20);

	/** The last round in which the caller was about to park. */
	private volatile int waiting;

	private volatile int begun;

	private volatile int served;

	@Test
	@Tag("E4")
	void aCallerThatIsGrantedTheLockInTheMomentItParksDoesNotSleepThroughIt() throws Exception {
		Aim aim = new Aim();
		LockEngine raced = engine(
				(builder) -> builder.store(this.server.connect("raced")).listener(beforeParking(() -> {
					this.waiting = this.begun;
					aim.hesitate();
				})));
		Future<?> caller = this.threads.submit(() -> {
			for (int i = 1; i <= ROUNDS; i++) {
				int round = i;
				busilyUntil(() -> this.begun == round);
				Lease lease = raced.acquire(PATIENT);
				aim.correct();
				lease.close();
				this.served = round;
			}
		});
		for (int i = 1; i <= ROUNDS; i++) {
			int round = i;
			Lease held = raced.acquire(stock());
			this.begun = round;
			assertThat(busilyUntil(() -> this.waiting == round)).as("round %d: the caller waits", round).isTrue();
			held.close();
			assertThat(busilyUntil(() -> this.served == round)).as("round %d: the caller has had the lock", round)
				.isTrue();
		}
		caller.get(20, TimeUnit.SECONDS);
	}

	@Test
	@Tag("E4")
	void aCallerThatParksAfterItsGrantAndBeforeItIsToldIsUnparked() {
		LeaseHandle lease = (LeaseHandle) this.engine.acquire(stock());
		Profile profile = new Profile(lease.hold.terms(), 1);
		Waiter waiter = Waiter.blocking(Thread.currentThread(), LockOwner.create("caller"), false, profile, 0, 0, null);
		assertThat(waiter.grant(lease)).isTrue();
		waiter.parked = true;
		waiter.deliver();
		assertThat(sleeps(Duration.ofSeconds(5))).isLessThan(Duration.ofSeconds(5));
	}

	@Test
	@Tag("E4")
	void aCallerThatHasNotParkedYetIsNotUnparked() throws Exception {
		LockEngine watched = engine(
				(builder) -> builder.store(this.server.connect("watched")).listener(beforeParking(() -> {
					this.waiting = this.begun;
					int round = this.begun;
					busilyUntil(() -> this.served == round);
				})));
		Duration longest = Duration.ZERO;
		// One round would do if the JVM promised that nothing else ends a sleep.
		for (int i = 1; i <= 5; i++) {
			int round = i;
			Lease held = watched.acquire(stock());
			this.begun = round;
			Future<Duration> slept = onThread(() -> {
				watched.acquire(PATIENT).close();
				return sleeps(Duration.ofMillis(50));
			});
			assertThat(busilyUntil(() -> this.waiting == round)).isTrue();
			held.close();
			this.served = round;
			Duration last = slept.get(20, TimeUnit.SECONDS);
			longest = (last.compareTo(longest) > 0) ? last : longest;
		}
		assertThat(longest).isGreaterThanOrEqualTo(Duration.ofMillis(45));
	}

	/** Runs on the caller's thread when it has found that it has to wait. */
	private static LockListener beforeParking(Runnable work) {
		return new LockListener() {

			@Override
			public void onWaiting(LockKey key, String store) {
				work.run();
			}

		};
	}

	/** Tries to sleep; a permit to go on ends that at once. */
	private static Duration sleeps(Duration most) {
		long start = System.nanoTime();
		LockSupport.parkNanos(most.toNanos());
		return Duration.ofNanos(System.nanoTime() - start);
	}

	private static boolean busilyUntil(BooleanSupplier condition) {
		long end = System.nanoTime() + TOO_LONG.toNanos();
		for (int i = 0; !condition.getAsBoolean(); i++) {
			if (System.nanoTime() - end > 0 || Thread.currentThread().isInterrupted()) {
				return false;
			}
			if (i < 10_000) {
				Thread.onSpinWait();
			}
			else {
				Thread.yield();
			}
		}
		return true;
	}

	/**
	 * Makes the caller hesitate before it parks for so long that it is granted the lock
	 * in about that moment: half of the times it comes too late to sleep. Used by the
	 * caller's thread.
	 */
	private static final class Aim {

		private static final int SPREAD = 300;

		private static final int STEP = 10;

		private long delay = 1_000;

		private long hesitated;

		void hesitate() {
			long end = System.nanoTime() + this.delay + ThreadLocalRandom.current().nextInt(SPREAD);
			while (System.nanoTime() - end < 0) {
				Thread.onSpinWait();
			}
			this.hesitated = System.nanoTime();
		}

		void correct() {
			boolean slept = System.nanoTime() - this.hesitated > WAKE_UP;
			this.delay = Math.max(0, this.delay + (slept ? STEP : -STEP));
		}

	}

}
