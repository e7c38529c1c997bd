package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;

/**
 * The commands of this JVM, which are worked off one after the other for each key. What
 * nobody waits for any more is not kept, however long the one before it may take.
 */
final class Commands {

	private final StoreContext context;

	private final ConcurrentHashMap<String, LocalKey> keys = new ConcurrentHashMap<>();

	Commands(StoreContext context) {
		this.context = context;
	}

	@Nullable LocalKey local(String keyId) {
		return this.keys.get(keyId);
	}

	<R> CompletableFuture<R> submit(KeyTask<R> task) {
		boolean[] first = new boolean[1];
		this.keys.compute(task.id(), (id, known) -> {
			LocalKey local = (known != null) ? known : new LocalKey(id);
			task.submitted(local);
			first[0] = local.add(task);
			return local;
		});
		task.start();
		if (this.context.isClosed()) {
			task.close();
		}
		if (first[0]) {
			work(task);
		}
		return task.reply();
	}

	/** The command at work has ended; the next one begins. */
	void finished(KeyTask<?> task) {
		if (task.hasPassedBoth()) {
			work(next(task));
		}
	}

	/**
	 * Works off commands of a key as long as each ends at once. This is a loop, since
	 * there may be thousands.
	 */
	private void work(@Nullable KeyTask<?> first) {
		KeyTask<?> task = first;
		while (task != null) {
			task.run();
			task = task.hasPassedBoth() ? next(task) : null;
		}
	}

	private @Nullable KeyTask<?> next(KeyTask<?> ended) {
		KeyTask<?>[] next = new KeyTask<?>[1];
		this.keys.computeIfPresent(ended.id(), (id, local) -> {
			next[0] = local.next();
			return local.isUnused() ? null : local;
		});
		return next[0];
	}

	/** A command has its answer, and is not to be begun any more. */
	void withdraw(KeyTask<?> task) {
		this.keys.computeIfPresent(task.id(), (id, local) -> {
			local.withdraw(task);
			return local;
		});
	}

	void removeIfUnused(String keyId) {
		this.keys.computeIfPresent(keyId, (id, local) -> local.isUnused() ? null : local);
	}

	/** Returns those of all keys that are at work or wait for their turn. */
	List<KeyTask<?>> open() {
		List<KeyTask<?>> open = new ArrayList<>();
		this.keys.keySet().forEach((key) -> this.keys.computeIfPresent(key, (id, local) -> {
			open.addAll(local.tasks());
			return local;
		}));
		return open;
	}

	void close() {
		// Only the replies; the work ends by itself, or is not begun.
		open().forEach(KeyTask::close);
	}

}
