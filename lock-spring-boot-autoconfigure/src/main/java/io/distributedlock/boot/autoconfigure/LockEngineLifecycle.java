package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;

import io.distributedlock.engine.LockEngine;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.context.SmartLifecycle;

/**
 * Stops the engine after everything that serves requests or runs jobs, and before the
 * connections to the stores: no more callers are admitted, and what is held goes on being
 * renewed until it is released. May be started again.
 */
final class LockEngineLifecycle implements SmartLifecycle {

	/** After the web server and the task executors, before connection factories. */
	static final int PHASE = Integer.MAX_VALUE / 2 - 1024;

	private static final Logger logger = LoggerFactory.getLogger(LockEngineLifecycle.class);

	private final ConfigurableListableBeanFactory beanFactory;

	private final Duration timeout;

	private final Duration phaseTimeout;

	private final AtomicBoolean warned = new AtomicBoolean();

	private volatile boolean running;

	/**
	 * Makes the lifecycle.
	 * @param beanFactory has the engine
	 * @param timeout how long the engine may take to stop
	 * @param phaseTimeout how long Spring waits for it
	 */
	LockEngineLifecycle(ConfigurableListableBeanFactory beanFactory, Duration timeout, Duration phaseTimeout) {
		this.beanFactory = beanFactory;
		this.timeout = timeout;
		this.phaseTimeout = phaseTimeout;
	}

	@Override
	public void start() {
		this.running = true;
		forEachEngine((engine) -> {
			warnOfTimeout();
			engine.start();
		});
	}

	private void warnOfTimeout() {
		if (this.timeout.compareTo(this.phaseTimeout) >= 0 && this.warned.compareAndSet(false, true)) {
			logger.warn("distributed-lock.shutdown.timeout ({}ms) is not shorter than"
					+ " spring.lifecycle.timeout-per-shutdown-phase ({}ms): Spring closes the connections to the"
					+ " stores while methods still hold their locks, and it is not logged which. Lower the first"
					+ " or raise the second.", this.timeout.toMillis(), this.phaseTimeout.toMillis());
		}
	}

	@Override
	public void stop() {
		this.running = false;
		forEachEngine(this::stop);
	}

	private void stop(LockEngine engine) {
		if (!engine.stop(this.timeout)) {
			logger.warn(
					"Locks were still held {}ms after shutdown began: {}. They are left to their ttl, since the code"
							+ " under them may still run. Raise distributed-lock.shutdown.timeout (and"
							+ " spring.lifecycle.timeout-per-shutdown-phase) if such methods need longer.",
					this.timeout.toMillis(), engine.held().stream().map((held) -> held.key().toString()).toList());
		}
	}

	// With distributed-lock.enabled=false there may be none, and none is made for this.
	private void forEachEngine(Consumer<LockEngine> action) {
		for (String name : this.beanFactory.getBeanNamesForType(LockEngine.class, false, false)) {
			if (this.beanFactory.containsSingleton(name)) {
				action.accept(this.beanFactory.getBean(name, LockEngine.class));
			}
		}
	}

	// On a thread of its own, so that Spring's own limit for the phase holds as well.
	@Override
	public void stop(Runnable callback) {
		Thread thread = new Thread(() -> {
			try {
				stop();
			}
			finally {
				callback.run();
			}
		}, "distributed-lock-stop");
		thread.setDaemon(true);
		thread.start();
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	@Override
	public int getPhase() {
		return PHASE;
	}

}
