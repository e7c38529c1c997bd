package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.List;

import io.distributedlock.LockKey;
import org.jspecify.annotations.Nullable;

/**
 * What has to follow a transition of a gate when its mutex is free again: callers are
 * woken first, then commands are sent and listeners told, in order.
 */
final class Turn {

	private final LockKey key;

	private @Nullable Waiter first;

	private @Nullable List<Waiter> more;

	private @Nullable List<Runnable> actions;

	Turn(LockKey key) {
		this.key = key;
	}

	/** Tells a caller that its state has changed. */
	void deliver(Waiter waiter) {
		if (this.first == null) {
			this.first = waiter;
		}
		else {
			if (this.more == null) {
				this.more = new ArrayList<>();
			}
			this.more.add(waiter);
		}
	}

	void then(Runnable action) {
		if (this.actions == null) {
			this.actions = new ArrayList<>(2);
		}
		this.actions.add(action);
	}

	void run() {
		if (this.first != null) {
			this.first.deliver();
		}
		if (this.more != null) {
			this.more.forEach(Waiter::deliver);
		}
		if (this.actions != null) {
			this.actions.forEach(this::run);
		}
	}

	/**
	 * An action that fails, for want of memory or threads, must not keep those behind it
	 * from waking callers and freeing the lock.
	 */
	private void run(Runnable action) {
		try {
			action.run();
		}
		catch (Throwable ex) {
			StoreRuntime.logger.atError()
				.setCause(ex)
				.addKeyValue("lock.key", this.key.id())
				.log("A step of the lock engine failed");
		}
	}

}
