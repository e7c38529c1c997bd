package io.distributedlock.test;

import java.time.Duration;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.test.History.Hold;
import org.jspecify.annotations.Nullable;

/**
 * One thread of a race: acquires, holds, re-enters, extends, gives up, is interrupted and
 * cancels, all at random, and writes down what it saw.
 */
final class RaceCaller implements Runnable {

	private final String name;

	private final LockEngine engine;

	private final Race race;

	private final Random random;

	RaceCaller(String name, LockEngine engine, Race race, long seed) {
		this.name = name;
		this.engine = engine;
		this.race = race;
		this.random = new Random(seed);
	}

	@Override
	public void run() {
		while (System.nanoTime() - this.race.end() < 0) {
			ScheduledFuture<?> interrupt = null;
			if (chance(5)) {
				interrupt = this.race.timer()
					.schedule(Thread.currentThread()::interrupt, this.random.nextInt(20_000), TimeUnit.MICROSECONDS);
			}
			try {
				if (chance(15)) {
					callAsync();
				}
				else {
					call();
				}
			}
			finally {
				stop(interrupt);
			}
		}
	}

	private static void stop(@Nullable ScheduledFuture<?> interrupt) {
		if (interrupt != null && !interrupt.cancel(false)) {
			while (!interrupt.isDone()) {
				Thread.onSpinWait();
			}
		}
		Thread.interrupted();
	}

	private void call() {
		LockRequest request = request();
		long invoked = System.nanoTime();
		try {
			Lease lease = this.engine.acquire(request);
			checkPromptness(request, invoked);
			use(lease, request, invoked);
			close(lease);
		}
		catch (LockNotAcquiredException ex) {
			checkPromptness(request, invoked);
			this.race.refused().increment();
		}
		catch (LockStoreException ex) {
			checkPromptness(request, invoked);
			this.race.failed().increment();
		}
	}

	private void callAsync() {
		LockRequest request = request();
		long invoked = System.nanoTime();
		CompletableFuture<Lease> future = this.engine.acquireAsync(request);
		if (chance(50)) {
			pause(this.random.nextInt(2000));
			future.cancel(true);
		}
		try {
			Lease lease = future.join();
			checkPromptness(request, invoked);
			use(lease, request, invoked);
			lease.releaseAsync();
		}
		catch (CancellationException ex) {
			this.race.refused().increment();
		}
		catch (CompletionException ex) {
			checkPromptness(request, invoked);
			if (ex.getCause() instanceof LockNotAcquiredException) {
				this.race.refused().increment();
			}
			else if (ex.getCause() instanceof LockStoreException) {
				this.race.failed().increment();
			}
			else {
				throw ex;
			}
		}
	}

	private LockRequest request() {
		LockKey key = chance(70) ? LockKey.of("hot") : LockKey.of("cold", this.random.nextInt(5));
		Duration waitTime = chance(25) ? Duration.ZERO : Duration.ofMillis(this.random.nextInt(800));
		LockRequest request = LockRequest.of(key, LockSettings.NONE).withTtl(Race.TTL).withWaitTime(waitTime);
		if (chance(3)) {
			return request.withMinHold(Duration.ofMillis(this.random.nextInt(20)));
		}
		return chance(10) ? request.withRenew(false) : request;
	}

	private void use(Lease lease, LockRequest request, long invoked) {
		long returned = System.nanoTime();
		if (!lease.isHeld()) {
			this.race.lost().increment();
			return;
		}
		long heldUntil = returned;
		int steps = this.random.nextInt(4);
		for (int i = 0; i < steps; i++) {
			step(lease, request);
			long now = System.nanoTime();
			if (!lease.isHeld()) {
				break;
			}
			heldUntil = now;
		}
		long start = this.race.start();
		this.race.history()
			.add(new Hold(request.key(), this.name, lease.fencingToken(), invoked - start, returned - start,
					heldUntil - start));
	}

	private void step(Lease lease, LockRequest request) {
		try {
			if (chance(5)) {
				lease.extend(Race.TTL);
			}
			else if (chance(5)) {
				reenter(lease, request);
			}
			else if (this.random.nextInt(500) == 0) {
				// Longer than its ttl: only renewal keeps the lock.
				pause((int) TimeUnit.NANOSECONDS.toMicros(Race.TTL.toNanos()) * 5 / 4);
			}
			else {
				pause(this.random.nextInt(1500));
			}
		}
		catch (LockLostException | LockStoreException ex) {
			// The caller looks at the lease anyway.
		}
	}

	private void reenter(Lease lease, LockRequest request) {
		try {
			Lease nested = this.engine.acquire(request.withOwner(lease.owner()).withWaitTime(Duration.ZERO));
			if (nested.fencingToken() != lease.fencingToken() && lease.isHeld()) {
				this.race.problem(this.name + " re-entered and got another token");
			}
			nested.release();
		}
		catch (LockNotAcquiredException ex) {
			if (lease.isHeld() && !Thread.currentThread().isInterrupted()) {
				this.race.problem(this.name + " could not re-enter a lock that it holds: " + ex.getMessage());
			}
		}
	}

	private void close(Lease lease) {
		try {
			lease.close();
		}
		catch (LockLostException ex) {
			this.race.lost().increment();
		}
	}

	/**
	 * Every caller ends by its deadline and the time that one command may take.
	 */
	private void checkPromptness(LockRequest request, long invoked) {
		Duration waitTime = request.settings().waitTime();
		Duration late = Duration.ofNanos(System.nanoTime() - invoked)
			.minus((waitTime != null) ? waitTime : Duration.ZERO);
		this.race.late(late);
	}

	private boolean chance(int percent) {
		return this.random.nextInt(100) < percent;
	}

	private static void pause(int micros) {
		LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(micros));
	}

	/**
	 * What the callers of one race share.
	 */
	record Race(long start, long end, History history, ScheduledExecutorService timer, LongAdder refused,
			LongAdder failed, LongAdder lost, Queue<String> problems, AtomicReference<Duration> latest) {

		static final Duration TTL = Duration.ofMillis(600);

		void problem(String text) {
			this.problems.add(text);
		}

		void late(Duration late) {
			this.latest.accumulateAndGet(late, (one, other) -> (one.compareTo(other) > 0) ? one : other);
		}

	}

}
