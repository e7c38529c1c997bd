package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;

/**
 * Takes back what attempts may have left on one server whose answer got lost, again and
 * again until the server confirms it or would have forgotten it by itself. Where the lock
 * is to stay taken for a while, the server is told to keep it for the rest of that.
 * <p>
 * While the server does not answer it is asked for one of them from time to time, not for
 * all. What is too much to remember is left to its ttl.
 */
final class RedlockSweeper {

	static final int MOST = 10_000;

	private static final Logger logger = LoggerFactory.getLogger(RedlockSweeper.class);

	private static final long FIRST_PAUSE = 50;

	private static final long LAST_PAUSE = 1000;

	private final RedlockNode node;

	private final long timeout;

	private final ScheduledExecutorService timer;

	private final Queue<Remains> queue = new ConcurrentLinkedQueue<>();

	private final AtomicInteger size = new AtomicInteger();

	private final AtomicBoolean running = new AtomicBoolean();

	private volatile long pause = FIRST_PAUSE;

	RedlockSweeper(RedlockNode node, long timeout, ScheduledExecutorService timer) {
		this.node = node;
		this.timeout = timeout;
		this.timer = timer;
	}

	/**
	 * Takes back at once, and remembers what that does not achieve.
	 * @param ttl how long the server may keep it
	 */
	void takeBack(LockKey key, AttemptId attempt, Duration ttl) {
		long now = System.nanoTime();
		Remains remains = new Remains(key, attempt, now, until(now, ttl));
		if (this.node.isSilent()) {
			remember(remains);
			return;
		}
		remains.takeBack(this.node, now, this.timeout).whenComplete((done, failure) -> {
			if (failure != null) {
				remember(remains);
			}
		});
	}

	/**
	 * Takes back a little later.
	 */
	void remember(LockKey key, AttemptId attempt, Duration ttl) {
		long now = System.nanoTime();
		remember(new Remains(key, attempt, now, until(now, ttl)));
	}

	/**
	 * Lets the lock stay taken until a moment, and takes back what is left then.
	 */
	void keep(LockKey key, AttemptId attempt, long keepUntil, Duration ttl) {
		remember(new Remains(key, attempt, keepUntil, until(System.nanoTime(), ttl)));
	}

	private static long until(long now, Duration ttl) {
		return now + Math.min(ttl.toNanos(), Long.MAX_VALUE / 2);
	}

	private void remember(Remains remains) {
		if (this.size.incrementAndGet() > MOST) {
			this.size.decrementAndGet();
			logger.debug("{} has too much to take back; '{}' is left to its ttl", this.node, remains.key);
			return;
		}
		this.queue.add(remains);
		if (this.running.compareAndSet(false, true)) {
			later();
		}
	}

	/**
	 * Returns how many are left to take back.
	 */
	int size() {
		return this.size.get();
	}

	private void later() {
		try {
			this.timer.schedule(this::sweepNext, this.pause, TimeUnit.MILLISECONDS);
		}
		catch (RejectedExecutionException ex) {
			logger.debug("The lock store is closed; what is left on {} ends with its ttl", this.node, ex);
		}
	}

	/** One after the other; only one chain of them is running. */
	private void sweepNext() {
		Remains next = this.queue.poll();
		while (next != null && next.until - System.nanoTime() <= 0) {
			this.size.decrementAndGet();
			next = this.queue.poll();
		}
		if (next == null) {
			this.running.set(false);
			if (!this.queue.isEmpty() && this.running.compareAndSet(false, true)) {
				later();
			}
			return;
		}
		Remains taken = next;
		taken.takeBack(this.node, System.nanoTime(), this.timeout).whenComplete((done, failure) -> {
			if (failure == null) {
				this.size.decrementAndGet();
				this.pause = FIRST_PAUSE;
				// On another thread, or a long queue would be a deep stack.
				submit();
			}
			else {
				this.queue.add(taken);
				this.pause = Math.min(2 * this.pause, LAST_PAUSE);
				later();
			}
		});
	}

	private void submit() {
		try {
			this.timer.execute(this::sweepNext);
		}
		catch (RejectedExecutionException ex) {
			logger.debug("The lock store is closed; what is left on {} ends with its ttl", this.node, ex);
		}
	}

	/**
	 * What may be left.
	 *
	 * @param keepUntil until when the lock is to stay taken; in the past if it is not
	 * @param until when the server will have forgotten it by itself
	 */
	private record Remains(LockKey key, AttemptId attempt, long keepUntil, long until) {

		CompletableFuture<?> takeBack(RedlockNode node, long now, long timeout) {
			long left = this.keepUntil - now;
			return (left > 0)
					? node.release(new ReleaseCommand(this.key, this.attempt, Duration.ofNanos(left),
							Duration.ofNanos(timeout)), now + timeout)
					: node.abandon(this.key, this.attempt, now + timeout);
		}

	}

}
