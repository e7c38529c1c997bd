package io.distributedlock.benchmarks.lease;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.benchmarks.jvm.Orders;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/**
 * One hot key, and ten times as many callers as can be served. First a closed loop finds
 * the most that can be served; then callers come at ten times that rate, whether or not
 * those before them are done (an open loop), without and with load shedding.
 * <p>
 * A pool of threads runs the calls, as in a web server; calls that find no free thread
 * wait for one. All times count from the moment at which a call was due, so that this
 * wait is counted as well.
 */
final class FlashSale {

	private static final String KEY = "sale";

	private static final int CLOSED_LOOP = 16;

	private static final int OVERLOAD = 10;

	private static final Duration WAIT_TIME = Duration.ofMillis(500);

	private static final long HOLD = TimeUnit.MILLISECONDS.toNanos(5);

	private final TaskSpec spec;

	private final OurLeases client;

	private final Orders orders;

	private final AtomicInteger inside = new AtomicInteger();

	private final AtomicInteger violations = new AtomicInteger();

	private final ConcurrentLinkedQueue<String> errors = new ConcurrentLinkedQueue<>();

	FlashSale(TaskSpec spec, OurLeases client, Orders orders) {
		this.spec = spec;
		this.client = client;
		this.orders = orders;
	}

	void run() throws Exception {
		this.orders.answer(Orders.READY);
		this.orders.await(Orders.GO);
		closedLoop(this.spec.warmUpMillis());
		double most = closedLoop(this.spec.measuredMillis());
		new Phase(most * OVERLOAD, true, this.spec.warmUpMillis()).run();
		Phase without = new Phase(most * OVERLOAD, false, this.spec.measuredMillis()).run();
		Phase with = new Phase(most * OVERLOAD, true, this.spec.measuredMillis()).run();
		double seconds = this.spec.measuredMillis() / 1e3;
		Map<String, Double> more = new HashMap<>();
		more.put("most/s", most);
		more.put("goodput/most", with.goodput.sum() / seconds / most);
		more.put("goodput/most without", without.goodput.sum() / seconds / most);
		more.put("refused p99 us without", without.refused.getValueAtPercentile(99) / 1e3);
		more.put("shed/s", with.shed.sum() / seconds);
		more.put("timed out/s", with.timedOut.sum() / seconds);
		more.put("timed out/s without", without.timedOut.sum() / seconds);
		more.put("left over", (double) with.left);
		more.put("left over without", (double) without.left);
		this.orders.finish(TaskResult.of(with.refused, seconds, this.violations.get(), List.copyOf(this.errors), more));
	}

	/** Returns how many were served in a second. */
	private double closedLoop(long millis) throws InterruptedException {
		LongAdder served = new LongAdder();
		long begin = System.nanoTime();
		long end = begin + TimeUnit.MILLISECONDS.toNanos(millis);
		Thread[] threads = new Thread[CLOSED_LOOP];
		for (int i = 0; i < threads.length; i++) {
			threads[i] = new Thread(() -> {
				while (System.nanoTime() < end) {
					try (Lease lease = this.client.acquire(KEY, Duration.ofMinutes(1), false)) {
						work(lease);
						served.increment();
					}
					catch (RuntimeException ex) {
						this.errors.add(ex.toString());
					}
				}
			});
			threads[i].start();
		}
		for (Thread thread : threads) {
			thread.join();
		}
		return served.sum() * 1e9 / (System.nanoTime() - begin);
	}

	private void work(Lease lease) {
		lease.assertHeld();
		if (this.inside.incrementAndGet() != 1) {
			this.violations.incrementAndGet();
		}
		long end = System.nanoTime() + HOLD;
		for (long left = HOLD; left > 0; left = end - System.nanoTime()) {
			LockSupport.parkNanos(left);
		}
		this.inside.decrementAndGet();
	}

	/**
	 * Callers that come at a fixed rate for some time.
	 */
	private final class Phase {

		private final Histogram refused = new ConcurrentHistogram(1_000, TimeUnit.MINUTES.toNanos(5), 3);

		private final LongAdder goodput = new LongAdder();

		private final LongAdder shed = new LongAdder();

		private final LongAdder timedOut = new LongAdder();

		private final boolean sheds;

		private final double rate;

		private final long nanos;

		private long begin;

		private int left;

		Phase(double rate, boolean sheds, long millis) {
			this.rate = rate;
			this.sheds = sheds;
			this.nanos = TimeUnit.MILLISECONDS.toNanos(millis);
		}

		Phase run() throws InterruptedException {
			ThreadPoolExecutor pool = new ThreadPoolExecutor(FlashSale.this.spec.count(), FlashSale.this.spec.count(),
					0, TimeUnit.SECONDS, new LinkedBlockingQueue<>());
			pool.prestartAllCoreThreads();
			this.begin = System.nanoTime();
			long calls = 0;
			long now = this.begin;
			while (now - this.begin < this.nanos) {
				long due = this.begin + (long) (calls * 1e9 / this.rate);
				if (due > now) {
					LockSupport.parkNanos(due - now);
				}
				else {
					pool.execute(() -> call(due));
					calls++;
				}
				now = System.nanoTime();
			}
			// Who has no thread when the sale is over has neither been served nor
			// refused.
			this.left = pool.getQueue().size();
			pool.getQueue().clear();
			pool.shutdown();
			pool.awaitTermination(1, TimeUnit.MINUTES);
			return this;
		}

		private void call(long due) {
			try (Lease lease = FlashSale.this.client.acquire(KEY, WAIT_TIME, this.sheds)) {
				long now = System.nanoTime();
				if (now - due <= WAIT_TIME.toNanos() && now - this.begin <= this.nanos) {
					this.goodput.increment();
				}
				work(lease);
			}
			catch (LockNotAcquiredException ex) {
				this.refused.recordValue(System.nanoTime() - due);
				((ex.reason() == Reason.PREDICTED_TIMEOUT) ? this.shed : this.timedOut).increment();
			}
			catch (RuntimeException ex) {
				FlashSale.this.errors.add(ex.toString());
			}
		}

	}

}
