package io.distributedlock.engine;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * One thread for what has to happen later: re-checks, ends of min-holds, time-outs of
 * asynchronous callers, repetitions. Tasks are short and never block.
 */
final class Timers {

	private final ScheduledThreadPoolExecutor executor;

	/** Tasks that somebody waits for. */
	private final Set<Awaited> awaited = ConcurrentHashMap.newKeySet();

	Timers(String name) {
		this.executor = new ScheduledThreadPoolExecutor(1, (task) -> LockEngine.daemon(task, name));
		this.executor.setRemoveOnCancelPolicy(true);
		this.executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
		this.executor.setRejectedExecutionHandler((task, closed) -> {
			// After close() nothing is repeated any more; the ttl cleans up.
		});
	}

	Future<?> schedule(Runnable task, long nanos) {
		return this.executor.schedule(() -> {
			try {
				task.run();
			}
			catch (RuntimeException ex) {
				StoreRuntime.logger.error("A timed task of the lock engine failed", ex);
			}
		}, Math.max(0, nanos), TimeUnit.NANOSECONDS);
	}

	/**
	 * Runs a task later, or when the timers are closed if that is earlier: somebody waits
	 * for what it does.
	 */
	void scheduleAwaited(Runnable task, long nanos) {
		Awaited once = new Awaited(task);
		this.awaited.add(once);
		schedule(() -> runOnce(once), nanos);
		if (isClosed()) {
			runOnce(once);
		}
	}

	private void runOnce(Awaited once) {
		if (this.awaited.remove(once)) {
			once.task.run();
		}
	}

	boolean isClosed() {
		return this.executor.isShutdown();
	}

	void close() {
		this.executor.shutdownNow();
		this.awaited.forEach(this::runOnce);
	}

	/**
	 * Equal to no other.
	 */
	private static final class Awaited {

		private final Runnable task;

		Awaited(Runnable task) {
			this.task = task;
		}

	}

}
