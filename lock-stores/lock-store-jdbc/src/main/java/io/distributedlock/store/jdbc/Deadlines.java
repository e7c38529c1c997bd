package io.distributedlock.store.jdbc;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/**
 * Sees to it that each operation ends by its deadline, whatever the database does. One
 * thread looks at all of them, and sleeps while there are none.
 */
final class Deadlines implements AutoCloseable {

	private static final long TICK = 5_000_000;

	private static final int IDLE_TICKS = 20;

	private final Set<Operation<?>> open = ConcurrentHashMap.newKeySet();

	private final String address;

	private final ConnectionFailures failures;

	private final Thread watch;

	private volatile boolean asleep;

	private volatile boolean closed;

	Deadlines(String address, ConnectionFailures failures, String name) {
		this.address = address;
		this.failures = failures;
		this.watch = new Thread(this::watch, name + "-deadlines");
		this.watch.setDaemon(true);
	}

	void start() {
		this.watch.start();
	}

	void add(Operation<?> operation) {
		this.open.add(operation);
		if (this.asleep) {
			LockSupport.unpark(this.watch);
		}
	}

	void remove(Operation<?> operation) {
		this.open.remove(operation);
	}

	private void watch() {
		int idle = 0;
		while (!this.closed) {
			idle = tick(System.nanoTime()) ? 0 : idle + 1;
			if (idle < IDLE_TICKS) {
				LockSupport.parkNanos(this, TICK);
				continue;
			}
			this.asleep = true;
			if (this.open.isEmpty() && !this.closed) {
				LockSupport.park(this);
			}
			this.asleep = false;
			idle = 0;
		}
	}

	private boolean tick(long now) {
		boolean any = false;
		for (Operation<?> operation : this.open) {
			any = true;
			if (operation.isDone()) {
				this.open.remove(operation);
			}
			else if (operation.deadline() - now <= 0) {
				this.open.remove(operation);
				operation.fail(JdbcErrors.timedOut(this.address, operation.wasSent(), this.failures.lately()));
			}
		}
		return any;
	}

	Iterable<Operation<?>> open() {
		return this.open;
	}

	@Override
	public void close() {
		this.closed = true;
		LockSupport.unpark(this.watch);
	}

}
