package io.distributedlock.benchmarks.several;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockRequest;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.Address;
import org.redisson.Redisson;
import org.redisson.api.RLock;
import org.redisson.api.RReadWriteLock;
import org.redisson.config.Config;

/**
 * One JVM with readers and writers of one lock. It counts what they have done in the
 * measured time, and the longest wait of each kind in microseconds.
 */
final class ReadersWorker {

	private static final long READ = TimeUnit.MILLISECONDS.toNanos(1);

	private static final long WRITE = TimeUnit.MILLISECONDS.toNanos(5);

	private final Book book;

	private final long warm;

	private final long end;

	private final List<Throwable> failures = new CopyOnWriteArrayList<>();

	private final AtomicLong violations = new AtomicLong();

	private ReadersWorker(Book book, long warmUpSeconds, long seconds) {
		this.book = book;
		this.warm = System.nanoTime() + TimeUnit.SECONDS.toNanos(warmUpSeconds);
		this.end = this.warm + TimeUnit.SECONDS.toNanos(seconds);
	}

	/**
	 * Runs a worker.
	 * @param args the library, the server, the file of the book, readers, writers, and
	 * the seconds of warm-up and of measuring
	 */
	public static void main(String[] args) {
		Orders.obey((orders) -> orders.finish(run(args)));
	}

	private static long[] run(String[] args) throws Exception {
		Locks locks = args[0].equals("ours") ? ours(Address.parse(args[1])) : redisson(Address.parse(args[1]));
		ReadersWorker worker = new ReadersWorker(new Book(Path.of(args[2])), Long.parseLong(args[5]),
				Long.parseLong(args[6]));
		Side readers = worker.start(Integer.parseInt(args[3]), locks.read(), true);
		Side writers = worker.start(Integer.parseInt(args[4]), locks.write(), false);
		readers.join();
		writers.join();
		worker.failures.forEach(Throwable::printStackTrace);
		return new long[] { readers.done.get(), writers.done.get(), readers.longest.get(), writers.longest.get(),
				worker.violations.get(), worker.failures.size() };
	}

	private Side start(int count, CheckedSection lock, boolean reader) {
		Side side = new Side();
		for (int i = 0; i < count; i++) {
			Thread thread = new Thread(() -> {
				try {
					while (System.nanoTime() < this.end) {
						cycle(lock, reader, side);
					}
				}
				catch (Exception ex) {
					this.failures.add(ex);
				}
			});
			side.threads.add(thread);
			thread.start();
		}
		return side;
	}

	private void cycle(CheckedSection lock, boolean reader, Side side) throws Exception {
		long start = System.nanoTime();
		long[] inside = new long[1];
		lock.run(() -> {
			inside[0] = System.nanoTime();
			boolean met = reader ? this.book.read(() -> pause(READ)) : this.book.write(() -> pause(WRITE));
			if (met) {
				this.violations.incrementAndGet();
			}
		});
		long now = System.nanoTime();
		if (start >= this.warm) {
			side.longest.accumulateAndGet((inside[0] - start) / 1_000, Math::max);
			if (now <= this.end) {
				side.done.incrementAndGet();
			}
		}
	}

	private static void pause(long nanos) {
		long until = System.nanoTime() + nanos;
		for (long left = nanos; left > 0; left = until - System.nanoTime()) {
			LockSupport.parkNanos(left);
		}
	}

	private static Locks ours(Address server) {
		OurEngine engine = new OurEngine(server);
		LockRequest write = LockRequest.of("book").withWaitTime(Duration.ofMinutes(2));
		LockRequest read = write.withMode(LockMode.READ);
		return new Locks(ours(engine, read), ours(engine, write));
	}

	private static CheckedSection ours(OurEngine engine, LockRequest request) {
		return (work) -> {
			try (Lease lease = engine.locks.acquire(request)) {
				work.run();
				lease.assertHeld();
			}
		};
	}

	private static Locks redisson(Address server) {
		Config config = new Config();
		config.useSingleServer().setAddress("redis://" + server);
		RReadWriteLock lock = Redisson.create(config).getReadWriteLock("book");
		return new Locks(redisson(lock.readLock()), redisson(lock.writeLock()));
	}

	private static CheckedSection redisson(RLock lock) {
		return (work) -> {
			lock.lock();
			try {
				work.run();
			}
			finally {
				lock.unlock();
			}
		};
	}

	/**
	 * Runs work under a lock.
	 */
	private interface CheckedSection {

		void run(Runnable work) throws Exception;

	}

	private record Locks(CheckedSection read, CheckedSection write) {
	}

	/**
	 * The readers, or the writers.
	 */
	private static final class Side {

		private final List<Thread> threads = new ArrayList<>();

		private final AtomicLong done = new AtomicLong();

		private final AtomicLong longest = new AtomicLong();

		private void join() throws InterruptedException {
			for (Thread thread : this.threads) {
				thread.join();
			}
		}

	}

}
