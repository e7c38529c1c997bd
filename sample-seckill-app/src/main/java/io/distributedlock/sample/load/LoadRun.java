package io.distributedlock.sample.load;

import java.util.Arrays;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import io.distributedlock.sample.load.RunView.Percentiles;
import io.distributedlock.sample.load.RunView.State;
import io.distributedlock.sample.shop.Product;
import org.jspecify.annotations.Nullable;

/**
 * One load run: takes down what its requests say. Safe for use by many threads.
 */
final class LoadRun {

	private static final Outcome[] OUTCOMES = Outcome.values();

	private final String id;

	private final RunRequest request;

	private final AtomicReference<State> state = new AtomicReference<>(State.RUNNING);

	private final AtomicReference<@Nullable String> failure = new AtomicReference<>();

	private final AtomicIntegerArray outcomes = new AtomicIntegerArray(OUTCOMES.length);

	private final AtomicInteger next = new AtomicInteger();

	private final AtomicInteger answered = new AtomicInteger();

	// Zero where the answer has a number but is not written down yet.
	private final AtomicLongArray latencies;

	private final long start = System.nanoTime();

	private volatile long lastAnswer = this.start;

	private volatile @Nullable Product finalProduct;

	private final CountDownLatch ended = new CountDownLatch(1);

	LoadRun(String id, RunRequest request) {
		this.id = id;
		this.request = request;
		this.latencies = new AtomicLongArray(request.requests());
	}

	String id() {
		return this.id;
	}

	RunRequest request() {
		return this.request;
	}

	/**
	 * Takes the next request to send.
	 * @return its number, or -1 if there is none left or the run was stopped
	 */
	int takeNext() {
		if (!isRunning()) {
			return -1;
		}
		int number = this.next.getAndIncrement();
		return (number < this.request.requests()) ? number : -1;
	}

	void answered(Outcome outcome, long nanos, String answer) {
		if (outcome == Outcome.FAILED) {
			this.failure.compareAndSet(null, answer);
		}
		this.outcomes.incrementAndGet(outcome.ordinal());
		this.latencies.set(this.answered.getAndIncrement(), Math.max(1, nanos));
		this.lastAnswer = System.nanoTime();
	}

	boolean isRunning() {
		return this.state.get() == State.RUNNING;
	}

	/** Takes no further requests; those under way are still answered. */
	void cancel() {
		this.state.compareAndSet(State.RUNNING, State.CANCELLED);
	}

	void fail(String reason) {
		this.failure.compareAndSet(null, reason);
		this.state.compareAndSet(State.RUNNING, State.FAILED);
	}

	/**
	 * Says that no further answers come.
	 * @param product the product at the end, or null if it could not be read
	 */
	void end(@Nullable Product product) {
		this.finalProduct = product;
		this.state.compareAndSet(State.RUNNING, State.DONE);
		this.ended.countDown();
	}

	boolean hasEnded() {
		return this.ended.getCount() == 0;
	}

	boolean awaitEnd(long millis) throws InterruptedException {
		return this.ended.await(millis, TimeUnit.MILLISECONDS);
	}

	/**
	 * Returns how the run stands.
	 * @param current reads the product as it is now; not asked after the end, since a
	 * later run may have begun
	 * @return the view
	 */
	RunView view(Supplier<@Nullable Product> current) {
		Product product = hasEnded() ? this.finalProduct : current.get();
		int done = this.answered.get();
		long elapsed = (hasEnded() ? this.lastAnswer : System.nanoTime()) - this.start;
		Map<Outcome, Integer> counts = new EnumMap<>(Outcome.class);
		for (Outcome outcome : OUTCOMES) {
			counts.put(outcome, this.outcomes.get(outcome.ordinal()));
		}
		double perSecond = (elapsed > 0) ? Math.round(done * 10e9 / elapsed) / 10.0 : 0;
		return new RunView(this.id, hasEnded() ? this.state.get() : State.RUNNING, this.request, done, counts,
				this.failure.get(), product, TimeUnit.NANOSECONDS.toMillis(elapsed), perSecond,
				Percentiles.of(sortedLatencies(done)));
	}

	private long[] sortedLatencies(int done) {
		long[] sorted = new long[done];
		int count = 0;
		for (int i = 0; i < done; i++) {
			long nanos = this.latencies.get(i);
			if (nanos != 0) {
				sorted[count++] = nanos;
			}
		}
		long[] known = Arrays.copyOf(sorted, count);
		Arrays.sort(known);
		return known;
	}

}
