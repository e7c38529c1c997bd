package io.distributedlock.store.zookeeper;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;

/**
 * What this JVM has and does for one key. Its commands are worked off one after the
 * other, so that none has to reckon with another one of the same JVM. The queue is
 * guarded by the map that holds this object, the rest belongs to the command at work.
 */
final class LocalKey {

	private final String id;

	private final Deque<KeyTask<?>> tasks = new ArrayDeque<>(2);

	volatile @Nullable Grant grant;

	volatile @Nullable Place place;

	LocalKey(String id) {
		this.id = id;
	}

	String id() {
		return this.id;
	}

	/**
	 * Adds a command.
	 * @return true if it is the only one, and so is to be run by the caller
	 */
	boolean add(KeyTask<?> task) {
		this.tasks.addLast(task);
		return this.tasks.size() == 1;
	}

	/** Removes the command at work and returns the next one. */
	@Nullable KeyTask<?> next() {
		this.tasks.removeFirst();
		return this.tasks.peekFirst();
	}

	/** Removes a command that has its answer, unless it is the one at work. */
	void withdraw(KeyTask<?> task) {
		if (this.tasks.peekFirst() != task) {
			this.tasks.remove(task);
		}
	}

	List<KeyTask<?>> tasks() {
		return List.copyOf(this.tasks);
	}

	boolean isUnused() {
		return this.tasks.isEmpty() && this.grant == null && this.place == null;
	}

	@Nullable Grant grant(AttemptId attempt) {
		Grant current = this.grant;
		return (current != null && current.attempt.equals(attempt)) ? current : null;
	}

	@Nullable Place place(AttemptId attempt) {
		Place current = this.place;
		return (current != null && current.attempt().equals(attempt)) ? current : null;
	}

	/**
	 * The place of this JVM in the queue, as far as it knows.
	 *
	 * @param attempt for which attempt
	 * @param keeper of the session in which it is told
	 * @param refreshed when it was last written
	 */
	record Place(AttemptId attempt, SessionKeeper keeper, long refreshed) {
	}

}
