package io.distributedlock.spring;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import org.springframework.core.task.TaskDecorator;
import org.springframework.core.task.VirtualThreadTaskExecutor;
import org.springframework.scheduling.concurrent.CustomizableThreadFactory;

/**
 * The threads on which annotated methods that return a future begin, and their futures
 * complete. They are never those of the engine, which are few and must not wait for
 * methods; nor those of the application's own executors: there, callers that wait for a
 * lock could keep the method that holds it from getting a thread.
 * <p>
 * There are as many threads as methods that run at one moment, at most
 * {@link #MAX_THREADS}. Idle ones end, so nothing has to be shut down.
 */
final class MethodThreads {

	/** With virtual threads there is no bound. */
	static final int MAX_THREADS = 64;

	private static final String PREFIX = "lock-method-";

	private MethodThreads() {
	}

	/**
	 * Makes the threads.
	 * @param virtual whether they are virtual
	 * @param decorators wrap each method, the first outermost
	 */
	static Executor create(boolean virtual, List<TaskDecorator> decorators) {
		Executor executor = virtual ? new VirtualThreadTaskExecutor(PREFIX) : pool();
		if (decorators.isEmpty()) {
			return executor;
		}
		return (task) -> {
			Runnable decorated = task;
			for (int i = decorators.size() - 1; i >= 0; i--) {
				decorated = decorators.get(i).decorate(decorated);
			}
			executor.execute(decorated);
		};
	}

	private static Executor pool() {
		CustomizableThreadFactory factory = new CustomizableThreadFactory(PREFIX);
		factory.setDaemon(true);
		ThreadPoolExecutor pool = new ThreadPoolExecutor(MAX_THREADS, MAX_THREADS, 10, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), factory);
		pool.allowCoreThreadTimeOut(true);
		return pool;
	}

}
