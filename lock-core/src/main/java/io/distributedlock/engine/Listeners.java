package io.distributedlock.engine;

import java.util.List;
import java.util.function.Consumer;

import io.distributedlock.LockListener;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Calls all listeners, and goes on when one of them fails. Always called outside locks.
 */
final class Listeners {

	private static final Logger logger = LoggerFactory.getLogger(LockEngine.class);

	private final LockListener[] listeners;

	Listeners(List<LockListener> listeners) {
		this.listeners = listeners.toArray(new LockListener[0]);
	}

	void notify(Consumer<LockListener> event) {
		for (LockListener listener : this.listeners) {
			try {
				event.accept(listener);
			}
			catch (Throwable ex) {
				// Also an Error: what follows here releases locks and wakes callers.
				logger.atWarn()
					.setCause(ex)
					.addKeyValue("listener", listener.getClass().getName())
					.log("A lock listener failed; the lock is not affected");
			}
		}
	}

}
