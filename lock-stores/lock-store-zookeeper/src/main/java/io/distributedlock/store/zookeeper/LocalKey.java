package io.distributedlock.store.zookeeper;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;

/**
 * What this JVM has and does for one key. Its commands are worked off one after the
 * other, so that none has to reckon with another one of the same JVM. The queue is
 * guarded by the map that holds this object, the rest belongs to the command at work.
 */
final class LocalKey {

	/** How many changes are made after reading when one without was in vain. */
	private static final int DISTRUST = 8;

	private final String id;

	private final Deque<KeyTask<?>> tasks = new ArrayDeque<>(2);

	volatile @Nullable Grant grant;

	/** The place of the callers that want to be alone, in whatever order. */
	volatile @Nullable Place place;

	/** Made when they are needed, since most keys have neither. */
	private volatile @Nullable Others others;

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
		Others known = this.others;
		return this.tasks.isEmpty() && this.grant == null && this.place == null
				&& (known == null || (known.shares.isEmpty() && known.places.isEmpty()));
	}

	@Nullable Grant grant(AttemptId attempt) {
		Grant current = this.grant;
		if (current != null && current.attempt.equals(attempt)) {
			return current;
		}
		Others known = this.others;
		return (known != null) ? known.shares.get(attempt) : null;
	}

	void add(Grant granted) {
		if (granted.shared) {
			others().shares.put(granted.attempt, granted);
		}
		else {
			this.grant = granted;
		}
		removePlace(granted.attempt);
	}

	void remove(Grant ended) {
		Others known = this.others;
		if (ended.shared && known != null) {
			known.shares.remove(ended.attempt, ended);
		}
		else if (this.grant == ended) {
			this.grant = null;
		}
	}

	@Nullable Place place(AttemptId attempt) {
		Place current = this.place;
		if (current != null && current.attempt().equals(attempt)) {
			return current;
		}
		Others known = this.others;
		return (known != null) ? known.places.get(attempt) : null;
	}

	void add(Place taken) {
		if (taken.kind().equals(Kind.ALONE)) {
			this.place = taken;
		}
		else {
			others().places.put(taken.attempt(), taken);
		}
	}

	void removePlace(AttemptId attempt) {
		Place current = this.place;
		if (current != null && current.attempt().equals(attempt)) {
			this.place = null;
		}
		Others known = this.others;
		if (known != null) {
			known.places.remove(attempt);
		}
	}

	/**
	 * Returns what this JVM has written last of a key that is shared, to try a change on
	 * that without reading. If others change the key, too, that fails too often to be
	 * worth it, and is left for a while.
	 */
	@Nullable View written() {
		Others known = this.others;
		if (known == null || known.written == null) {
			return null;
		}
		if (known.distrust > 0) {
			known.distrust--;
			return null;
		}
		return known.written;
	}

	void written(@Nullable View view) {
		others().written = view;
	}

	/** A change was in vain. */
	void failed(View basis) {
		Others known = others();
		if (known.written == basis) {
			known.written = null;
			known.distrust = DISTRUST;
		}
	}

	/** Only the command at work makes them. */
	private Others others() {
		Others known = this.others;
		if (known == null) {
			known = new Others();
			this.others = known;
		}
		return known;
	}

	/**
	 * What a key has that is in use in other ways than by one who is alone.
	 */
	private static final class Others {

		private final Map<AttemptId, Grant> shares = new ConcurrentHashMap<>();

		private final Map<AttemptId, Place> places = new ConcurrentHashMap<>();

		// Of the command at work.
		private volatile @Nullable View written;

		private volatile int distrust;

	}

	/**
	 * A place of this JVM in the queue, as far as it knows.
	 *
	 * @param attempt for which attempt
	 * @param keeper of the session in which it is told
	 * @param refreshed when it was last written
	 * @param kind how the attempt wants the key
	 */
	record Place(AttemptId attempt, SessionKeeper keeper, long refreshed, Kind kind) {
	}

}
