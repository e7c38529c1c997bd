package io.distributedlock.benchmarks.several;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockRequest;
import io.distributedlock.benchmarks.server.RedisServer;
import io.distributedlock.engine.LockEngine;

/**
 * A thousand locks as one batch over a line of 5 ms round trip, against one by one.
 */
public final class BatchMain {

	private static final int LOCKS = 1000;

	private static final int ROUNDS = 30;

	private static final int WARM_UP = 100;

	private static final long ONE_WAY = 2_500_000;

	private BatchMain() {
	}

	/**
	 * Measures, and prints what it has found.
	 * @param args none
	 * @throws Exception if measuring is not possible
	 */
	public static void main(String[] args) throws Exception {
		try (RedisServer server = RedisServer.start()) {
			List<LockRequest> requests = IntStream.range(0, LOCKS)
				.mapToObj((i) -> LockRequest.of("batch", i).withWaitTime(Duration.ZERO))
				.toList();
			try (OurEngine near = new OurEngine(server.address())) {
				// The same code without the line, so that it runs compiled.
				for (int i = 0; i < WARM_UP; i++) {
					batch(near.locks, requests);
				}
				oneByOne(near.locks, requests);
			}
			try (DelayingProxy proxy = new DelayingProxy(server.address(), ONE_WAY);
					OurEngine far = new OurEngine(proxy.address())) {
				long[] trips = roundTrips(far.locks);
				List<long[]> batches = new ArrayList<>();
				for (int i = 0; i < ROUNDS; i++) {
					batches.add(batch(far.locks, requests));
				}
				long single = oneByOne(far.locks, requests);
				double trip = trips[trips.length / 2] / 1e6;
				double acquire = median(batches, 0);
				double release = median(batches, 1);
				double both = median(batches, 2);
				print("round trip: one acquire of one lock, p50 of %d: %.2f ms", trips.length, trip);
				print("batch of %d, p50 of %d: acquire %.2f ms, release %.2f ms, both %.2f ms = %.1f round trips",
						LOCKS, ROUNDS, acquire, release, both, both / trip);
				print("one by one, %d locks, acquire and release: %.0f ms", LOCKS, single / 1e6);
				print("one by one / batch: %.0f", single / 1e6 / both);
			}
		}
		System.exit(0);
	}

	private static void print(String text, Object... values) {
		System.out.println(String.format(Locale.ROOT, text, values));
	}

	private static double median(List<long[]> rounds, int column) {
		return rounds.stream().mapToLong((round) -> round[column]).sorted().toArray()[rounds.size() / 2] / 1e6;
	}

	private static long[] batch(LockEngine locks, List<LockRequest> requests) {
		long start = System.nanoTime();
		List<LockOutcome> outcomes = locks.tryAcquireEach(requests);
		long acquired = System.nanoTime();
		List<Lease> leases = outcomes.stream().flatMap((outcome) -> outcome.lease().stream()).toList();
		if (leases.size() != requests.size()) {
			throw new IllegalStateException("Only " + leases.size() + " locks were had: "
					+ outcomes.stream().filter((outcome) -> outcome.lease().isEmpty()).findFirst().orElseThrow());
		}
		long before = System.nanoTime();
		if (!locks.releaseAll(leases)) {
			throw new IllegalStateException("A lock was lost");
		}
		long end = System.nanoTime();
		return new long[] { acquired - start, end - before, acquired - start + end - before };
	}

	private static long oneByOne(LockEngine locks, List<LockRequest> requests) {
		long start = System.nanoTime();
		for (LockRequest request : requests) {
			locks.acquire(request).close();
		}
		return System.nanoTime() - start;
	}

	private static long[] roundTrips(LockEngine locks) {
		long[] times = new long[101];
		for (int i = 0; i < times.length; i++) {
			long start = System.nanoTime();
			Lease lease = locks.acquire(LockRequest.of("single", i));
			times[i] = System.nanoTime() - start;
			lease.close();
		}
		Arrays.sort(times);
		return times;
	}

}
