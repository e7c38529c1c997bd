package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.Address;

/**
 * One JVM that takes and waits for locks as it is told: {@code hold KEY} is answered with
 * {@code held}, {@code wait KEY} with {@code waits} and, when the wait is over, with
 * {@code got}, {@code late} or {@code deadlock MICROSECONDS CALLERS}, and {@code release}
 * with {@code released}.
 */
public final class DeadlockWorker {

	private static final Duration WAIT = Duration.ofSeconds(10);

	private DeadlockWorker() {
	}

	/**
	 * Runs a worker.
	 * @param args the server
	 */
	public static void main(String[] args) {
		Orders.obey((orders) -> run(new OurEngine(Address.parse(args[0])), orders));
	}

	/** Goes on until the driver kills this JVM. */
	private static void run(OurEngine engine, Orders orders) throws IOException {
		List<Lease> leases = new ArrayList<>();
		while (true) {
			String order = orders.next();
			String[] words = order.split(" ");
			switch (words[0]) {
				case "hold" -> {
					leases.add(engine.locks.acquire(request(words[1])));
					orders.answer("held");
				}
				case "wait" -> {
					orders.answer("waits");
					orders.answer(await(engine, words[1], leases));
				}
				case "release" -> {
					leases.forEach(Lease::release);
					leases.clear();
					orders.answer("released");
				}
				default -> throw new IllegalArgumentException(order);
			}
		}
	}

	private static LockRequest request(String key) {
		return LockRequest.of("ring", key).withWaitTime(WAIT);
	}

	private static String await(OurEngine engine, String key, List<Lease> leases) {
		long start = System.nanoTime();
		try {
			leases.add(engine.locks.acquire(request(key)));
			return "got";
		}
		catch (DeadlockDetectedException ex) {
			return "deadlock " + (System.nanoTime() - start) / 1000 + " " + ex.cycle().size();
		}
		catch (LockNotAcquiredException ex) {
			return "late";
		}
	}

}
