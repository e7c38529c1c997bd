package io.distributedlock.benchmarks.several;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;

import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.Address;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RedissonClient;
import org.redisson.config.Config;

/**
 * One JVM whose threads transfer money between accounts. Prints how many transfers it
 * made in the measured time, and the longest one in milliseconds.
 */
public final class TransferWorker {

	private static final int THREADS = 16;

	private TransferWorker() {
	}

	/**
	 * Runs a worker.
	 * @param args the library, the server, the file of the accounts, and the seconds of
	 * warm-up and of measuring
	 */
	public static void main(String[] args) {
		Orders.obey((orders) -> orders.finish(run(args)));
	}

	private static long[] run(String[] args) throws Exception {
		Address server = Address.parse(args[1]);
		Bank bank = new Bank(Path.of(args[2]));
		long warmUp = System.nanoTime() + TimeUnit.SECONDS.toNanos(Long.parseLong(args[3]));
		long end = warmUp + TimeUnit.SECONDS.toNanos(Long.parseLong(args[4]));
		Transfers transfers = args[0].equals("ours") ? ours(server) : redisson(server);
		LongAdder measured = new LongAdder();
		List<Throwable> failures = new CopyOnWriteArrayList<>();
		long[] longest = new long[THREADS];
		List<Thread> threads = new ArrayList<>();
		for (int i = 0; i < THREADS; i++) {
			int number = i;
			Thread thread = new Thread(() -> {
				SplittableRandom random = new SplittableRandom(System.nanoTime() + number);
				try {
					for (long start = System.nanoTime(); start < end; start = System.nanoTime()) {
						int from = random.nextInt(Bank.ACCOUNTS);
						int to = (from + 1 + random.nextInt(Bank.ACCOUNTS - 1)) % Bank.ACCOUNTS;
						transfers.run(from, to, () -> bank.transfer(from, to, 1));
						long now = System.nanoTime();
						if (start >= warmUp && now <= end) {
							measured.increment();
						}
						longest[number] = Math.max(longest[number], (start >= warmUp) ? now - start : 0);
					}
				}
				catch (Exception ex) {
					failures.add(ex);
				}
			});
			threads.add(thread);
			thread.start();
		}
		for (Thread thread : threads) {
			thread.join();
		}
		failures.forEach(Throwable::printStackTrace);
		long max = 0;
		for (long one : longest) {
			max = Math.max(max, one);
		}
		return new long[] { measured.sum(), max / 1_000_000, failures.size() };
	}

	private static Transfers ours(Address server) {
		OurEngine engine = new OurEngine(server);
		return (from, to, work) -> {
			try (MultiLease leases = engine.locks.acquireAll(List.of(account(from), account(to)))) {
				work.run();
				leases.assertHeld();
			}
		};
	}

	private static LockRequest account(int account) {
		return LockRequest.of("account", account).withWaitTime(Duration.ofSeconds(30));
	}

	private static Transfers redisson(Address server) {
		Config config = new Config();
		config.useSingleServer().setAddress("redis://" + server);
		RedissonClient redisson = Redisson.create(config);
		return (from, to, work) -> {
			// In the order of the accounts, as its users have to see to themselves.
			RLock both = redisson.getMultiLock(redisson.getLock("account:" + Math.min(from, to)),
					redisson.getLock("account:" + Math.max(from, to)));
			both.lock();
			try {
				work.run();
			}
			finally {
				both.unlock();
			}
		};
	}

	/**
	 * Runs work under the locks of two accounts.
	 */
	private interface Transfers {

		void run(int from, int to, Runnable work) throws Exception;

	}

}
