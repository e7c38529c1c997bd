package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAdder;

import io.distributedlock.Lease;
import io.distributedlock.LockException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.LockTemplate;

/**
 * Threads of several JVMs that want a few keys, while things fail. It sees when two
 * holders overlap, when a token does not rise, and when a call takes longer than it may.
 */
final class LoadUnderFaults {

	static final Duration WAIT = Duration.ofMillis(800);

	static final Duration COMMAND = Duration.ofSeconds(1);

	private static final int KEYS = 4;

	private final Map<String, LongAdder> outcomes = new TreeMap<>(Map.of("success", new LongAdder(), "outage",
			new LongAdder(), "contention", new LongAdder(), "lost", new LongAdder()));

	private final Queue<Object> wrong = new ConcurrentLinkedQueue<>();

	private final AtomicLong longest = new AtomicLong();

	private final AtomicInteger[] inside = new AtomicInteger[KEYS];

	private final AtomicLongArray tokens = new AtomicLongArray(KEYS);

	private final CountDownLatch stop = new CountDownLatch(1);

	private final List<Thread> threads = new ArrayList<>();

	LoadUnderFaults(List<? extends LockTemplate> jvms, int threadsOfEach, String name) {
		for (int i = 0; i < KEYS; i++) {
			this.inside[i] = new AtomicInteger();
		}
		for (LockTemplate jvm : jvms) {
			for (int i = 0; i < threadsOfEach; i++) {
				Thread thread = new Thread(() -> {
					while (this.stop.getCount() > 0) {
						once(jvm, name);
					}
				});
				this.threads.add(thread);
				thread.start();
			}
		}
	}

	private void once(LockTemplate jvm, String name) {
		int key = ThreadLocalRandom.current().nextInt(KEYS);
		LockRequest request = LockRequest.of(name, key).withTtl(Duration.ofSeconds(10)).withWaitTime(WAIT);
		long start = System.nanoTime();
		try {
			Lease lease = jvm.acquire(request);
			this.longest.accumulateAndGet(System.nanoTime() - start, Math::max);
			if (lease.isHeld()) {
				enter(key, lease);
			}
			this.outcomes.get(lease.release() ? "success" : "lost").increment();
		}
		catch (LockStoreException ex) {
			ended(start, "outage");
		}
		catch (LockNotAcquiredException ex) {
			ended(start, "contention");
		}
		catch (LockException | IllegalStateException ex) {
			this.wrong.add(ex);
		}
	}

	private void enter(int key, Lease lease) {
		if (this.inside[key].incrementAndGet() != 1 && lease.isHeld()) {
			this.wrong.add("Two holders of key " + key + ", token " + lease.fencingToken());
		}
		long before = this.tokens.getAndSet(key, lease.fencingToken());
		if (before >= lease.fencingToken()) {
			this.wrong.add("Token " + lease.fencingToken() + " after " + before);
		}
		Thread.yield();
		this.inside[key].decrementAndGet();
	}

	private void ended(long start, String outcome) {
		this.longest.accumulateAndGet(System.nanoTime() - start, Math::max);
		this.outcomes.get(outcome).increment();
	}

	long count(String outcome) {
		return this.outcomes.get(outcome).sum();
	}

	void stop() throws InterruptedException {
		this.stop.countDown();
		for (Thread thread : this.threads) {
			thread.join();
		}
	}

	Queue<Object> wrong() {
		return this.wrong;
	}

	Duration longest() {
		return Duration.ofNanos(this.longest.get());
	}

	@Override
	public String toString() {
		return this.outcomes + ", longest call " + longest().toMillis() + " ms";
	}

}
