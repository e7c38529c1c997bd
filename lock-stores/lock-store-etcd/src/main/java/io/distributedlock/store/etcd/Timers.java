package io.distributedlock.store.etcd;

import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one thread of a store, for everything that happens when a time has come. Nothing on
 * it waits.
 */
final class Timers {

	private static final Logger logger = LoggerFactory.getLogger(EtcdLockStore.class);

	private final ScheduledThreadPoolExecutor executor;

	Timers(String name) {
		this.executor = new ScheduledThreadPoolExecutor(1, (task) -> {
			Thread thread = new Thread(task, name);
			thread.setDaemon(true);
			return thread;
		});
		this.executor.setRemoveOnCancelPolicy(true);
		this.executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
		this.executor.setContinueExistingPeriodicTasksAfterShutdownPolicy(false);
	}

	/**
	 * Runs a task at a moment of {@link System#nanoTime()}.
	 */
	Future<?> at(long moment, Runnable task) {
		return after(moment - System.nanoTime(), task);
	}

	Future<?> after(long nanos, Runnable task) {
		Callable<Void> safe = () -> {
			run(task);
			return null;
		};
		try {
			return this.executor.schedule(safe, Math.max(0, nanos), TimeUnit.NANOSECONDS);
		}
		catch (RejectedExecutionException ex) {
			return CompletableFuture.completedFuture(null);
		}
	}

	void soon(Runnable task) {
		after(0, task);
	}

	void every(long nanos, Runnable task) {
		this.executor.scheduleWithFixedDelay(() -> run(task), nanos, nanos, TimeUnit.NANOSECONDS);
	}

	private static void run(Runnable task) {
		try {
			task.run();
		}
		catch (Throwable ex) {
			// Also an Error: without this thread nothing would expire any more.
			logger.error("A timer of the etcd lock store failed", ex);
		}
	}

	void close() {
		this.executor.shutdownNow();
	}

}
