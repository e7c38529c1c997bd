package io.distributedlock.test;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.QueueingLockStore;

/**
 * A counter that loses increments unless a lock protects it, and that sees when two
 * holders overlap or a fencing token does not rise.
 */
public final class FuzzCounter {

	private static final Duration LIMIT = Duration.ofSeconds(60);

	// Volatile, so that stores which order nothing in this JVM's memory model are judged
	// by their locking alone; the increment is not atomic on purpose.
	private volatile long value;

	private volatile long lastToken;

	private volatile int inside;

	/**
	 * Makes a counter that starts at zero.
	 */
	public FuzzCounter() {
	}

	/**
	 * Returns the count.
	 * @return how many increments were not lost
	 */
	public long value() {
		return this.value;
	}

	/**
	 * Adds one, slowly, the way code does that trusts its lock.
	 * @param token fencing token of the lease that the caller holds
	 * @throws AssertionError if somebody else is here too, or has been here with this
	 * token or a higher one
	 */
	@SuppressWarnings("NonAtomicOperationOnVolatileField")
	public void increment(long token) {
		int others = this.inside;
		this.inside = others + 1;
		long read = this.value;
		long last = this.lastToken;
		if (ThreadLocalRandom.current().nextInt(4) == 0) {
			LockSupport.parkNanos(ThreadLocalRandom.current().nextInt(200_000));
		}
		else {
			Thread.yield();
		}
		this.lastToken = token;
		this.value = read + 1;
		this.inside = others;
		if (others != 0) {
			throw new AssertionError("Two holders at once: token " + token + " came while " + last + " was inside");
		}
		if (token <= last) {
			throw new AssertionError("Token " + token + " came after token " + last);
		}
	}

	/**
	 * Increments from many threads of several JVMs that compete for one lock. Blocks
	 * until all are done.
	 * @param jvms one engine for each JVM
	 * @param request the lock; its wait time must suffice for all to get their turn
	 * @param threads how many threads of each JVM
	 * @param rounds how often each thread increments
	 * @throws AssertionError if two holders overlapped, a token did not rise, or a caller
	 * did not get the lock
	 */
	public void run(List<? extends LockTemplate> jvms, LockRequest request, int threads, int rounds) {
		run(jvms, threads, (jvm) -> {
			for (int i = 0; i < rounds; i++) {
				jvm.executeWithoutResult(request, (lease) -> increment(lease.fencingToken()));
			}
		});
	}

	/**
	 * Increments from several JVMs that compete for one key by store commands alone.
	 */
	void runStores(List<StoreClient> clients, LockKey key, int rounds) {
		run(clients, 1, (client) -> {
			for (int i = 0; i < rounds; i++) {
				AttemptId attempt = AttemptId.random();
				AcquireReply reply = ask(client, key, attempt);
				while (!(reply instanceof AcquireReply.Granted)) {
					TimeUnit.MICROSECONDS.sleep(ThreadLocalRandom.current().nextInt(200, 2000));
					reply = ask(client, key, attempt);
				}
				increment(((AcquireReply.Granted) reply).firstToken());
				client.release(key, attempt);
			}
		});
	}

	private static AcquireReply ask(StoreClient client, LockKey key, AttemptId attempt) {
		return (client.store() instanceof QueueingLockStore) ? client.queue(key, attempt)
				: client.acquire(key, attempt);
	}

	/**
	 * Runs work on several threads of each JVM, and fails as soon as one fails.
	 */
	private static <T> void run(List<? extends T> jvms, int threads, Work<T> work) {
		ExecutorService executor = Executors.newCachedThreadPool();
		try {
			CompletionService<Void> results = new ExecutorCompletionService<>(executor);
			for (T jvm : jvms) {
				for (int i = 0; i < threads; i++) {
					results.submit(() -> {
						work.run(jvm);
						return null;
					});
				}
			}
			long deadline = System.nanoTime() + LIMIT.toNanos();
			for (int i = 0; i < jvms.size() * threads; i++) {
				Future<Void> result = results.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
				if (result == null) {
					throw new AssertionError("Some callers were not served within " + LIMIT);
				}
				result.get();
			}
		}
		catch (ExecutionException ex) {
			throw new AssertionError(ex.getCause().getMessage(), ex.getCause());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError("Interrupted", ex);
		}
		finally {
			executor.shutdownNow();
		}
	}

	/**
	 * What each thread does.
	 */
	private interface Work<T> {

		void run(T jvm) throws Exception;

	}

}
