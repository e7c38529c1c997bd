package io.distributedlock.engine;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Decides whether callers whose command is on its way park at once, or give the processor
 * to other threads a few times first.
 * <p>
 * To park and to be woken costs two system calls, two switches of threads and often the
 * wake-up of an idle processor: together several times what the engine itself needs for a
 * lease. Where many threads have more to do than the processors can, the answer is mostly
 * there when a thread that yielded is scheduled again, and all of that is saved. Where
 * processors are idle, or busy with long computations, yielding gains nothing or does
 * harm. That is not guessed but measured, for each store: for a while all callers park,
 * for a while all yield, then all park again, and yielding is kept until the next trial
 * if it gave clearly shorter waits than both. Against one trial of parking alone, what
 * comes second would win in a JVM that still compiles: waits become shorter whatever
 * callers do, and yielding then takes the processor from the compiler.
 * <p>
 * Nothing but speed depends on this, so that the counters need not be exact: a race can
 * end a trial a few waits too early.
 */
final class AnswerWait {

	/** Bounds what a wait can waste: about 10 microseconds of processor time. */
	private static final int MOST_YIELDS = 20;

	/** Waits of one trial. The first quarter still shows what was done before. */
	private static final int TRIAL = 2048;

	private static final int NOT_COUNTED = TRIAL / 4;

	/** Waits for which the result of the trials is kept. */
	private static final int KEPT = 32 * TRIAL;

	/** Yielding has to be that much better, since it costs processor time. */
	private static final double CLEARLY = 0.9;

	private static final @Nullable MethodHandle IS_VIRTUAL = isVirtual();

	private enum Phase {

		PARK, YIELD, PARK_AGAIN, SETTLED

	}

	private final AtomicInteger waits = new AtomicInteger();

	private final LongAdder nanos = new LongAdder();

	private volatile Phase phase = Phase.PARK;

	private volatile boolean yielding;

	private volatile long nanosOfParking;

	private volatile long nanosOfYielding;

	private static @Nullable MethodHandle isVirtual() {
		try {
			return MethodHandles.publicLookup()
				.findVirtual(Thread.class, "isVirtual", MethodType.methodType(boolean.class));
		}
		catch (ReflectiveOperationException ex) {
			// Before JDK 21 there are none.
			return null;
		}
	}

	/**
	 * Lets the calling thread yield if that is worth it, until something has happened or
	 * it has done so often enough.
	 * @param happened whether it has
	 */
	void yieldUntil(BooleanSupplier happened) {
		if (!this.yielding || isOnVirtualThread()) {
			return;
		}
		for (int i = 0; i < MOST_YIELDS && !happened.getAsBoolean(); i++) {
			Thread.yield();
		}
	}

	/** To park one of these costs next to nothing. */
	private static boolean isOnVirtualThread() {
		if (IS_VIRTUAL == null) {
			return false;
		}
		try {
			return (boolean) IS_VIRTUAL.invokeExact(Thread.currentThread());
		}
		catch (Throwable ex) {
			return false;
		}
	}

	/**
	 * Takes note of a wait for the store alone.
	 * @param took how long it took, in nanoseconds
	 */
	void ended(long took) {
		int count = this.waits.incrementAndGet();
		Phase current = this.phase;
		if (current == Phase.SETTLED) {
			// Exactly: one thread alone begins the trial.
			if (count == KEPT) {
				begin(Phase.PARK, false);
			}
			return;
		}
		if (count > NOT_COUNTED) {
			this.nanos.add(took);
		}
		if (count == TRIAL) {
			long sum = this.nanos.sumThenReset();
			trialEnded(current, sum);
		}
	}

	private void trialEnded(Phase trial, long sum) {
		if (trial == Phase.PARK) {
			this.nanosOfParking = sum;
			begin(Phase.YIELD, true);
		}
		else if (trial == Phase.YIELD) {
			this.nanosOfYielding = sum;
			begin(Phase.PARK_AGAIN, false);
		}
		else {
			begin(Phase.SETTLED, this.nanosOfYielding < CLEARLY * Math.min(this.nanosOfParking, sum));
		}
	}

	private void begin(Phase next, boolean yield) {
		this.yielding = yield;
		this.phase = next;
		this.waits.set(0);
	}

}
