package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockInspector.StoredShare;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.Share;
import org.jspecify.annotations.Nullable;

/**
 * The shares of a key that are held, reserved or kept. They are all of one kind. Used
 * under the mutex of the record's {@link Shard}.
 */
final class Shares {

	private final Map<AttemptId, Part> parts = new LinkedHashMap<>(2);

	private @Nullable Share kind;

	/**
	 * Drops what has expired.
	 * @return true if that was the case for any
	 */
	boolean expire(long now) {
		return this.parts.values().removeIf((part) -> now - part.deadline >= 0);
	}

	boolean isEmpty() {
		return this.parts.isEmpty();
	}

	/**
	 * Tells whether one more of this kind has room.
	 */
	boolean hasRoom(Share share) {
		if (this.parts.isEmpty()) {
			return true;
		}
		if (share instanceof Share.Permits permits) {
			return this.kind instanceof Share.Permits && this.parts.size() < permits.limit();
		}
		return this.kind instanceof Share.Readers;
	}

	boolean holds(AttemptId attempt) {
		Part part = this.parts.get(attempt);
		return part != null && part.state == State.HELD;
	}

	boolean isReservedFor(AttemptId attempt) {
		Part part = this.parts.get(attempt);
		return part != null && part.state == State.RESERVED;
	}

	long token(AttemptId attempt) {
		Part part = this.parts.get(attempt);
		return (part != null) ? part.token : 0;
	}

	void put(AttemptId attempt, Share share, InMemoryLockStore client, State state, long token, long deadline) {
		this.kind = share;
		Part part = new Part(client);
		part.state = state;
		part.token = token;
		part.deadline = deadline;
		this.parts.put(attempt, part);
	}

	void prolong(AttemptId attempt, long deadline) {
		Part part = this.parts.get(attempt);
		if (part != null) {
			part.deadline = deadline;
		}
	}

	/**
	 * Ends a share but keeps its room taken, by nobody.
	 */
	void keep(AttemptId attempt, InMemoryLockStore client, long deadline) {
		this.parts.remove(attempt);
		Part part = new Part(client);
		part.state = State.COOLING;
		part.deadline = deadline;
		this.parts.put(AttemptId.random(), part);
	}

	@Nullable Part remove(AttemptId attempt) {
		return this.parts.remove(attempt);
	}

	/** Returns the attempts that hold a share with this token. */
	List<AttemptId> withToken(long token) {
		List<AttemptId> found = new ArrayList<>();
		this.parts.forEach((attempt, part) -> {
			if (part.state == State.HELD && part.token == token) {
				found.add(attempt);
			}
		});
		return found;
	}

	/** Returns who has the share that ends last, if nobody renews. */
	@Nullable Part last() {
		Part last = null;
		for (Part part : this.parts.values()) {
			if (last == null || part.deadline - last.deadline > 0) {
				last = part;
			}
		}
		return last;
	}

	/** Returns when the next share ends, if nobody renews. */
	long firstDeadline(long otherwise) {
		long first = otherwise;
		for (Part part : this.parts.values()) {
			if (part.deadline - first < 0) {
				first = part.deadline;
			}
		}
		return first;
	}

	List<StoredShare> show(long now) {
		return this.parts.values()
			.stream()
			.map((part) -> new StoredShare((part.state != State.COOLING) ? part.client.instance() : null, part.state,
					part.token, Duration.ofNanos(part.deadline - now)))
			.toList();
	}

	/**
	 * One share.
	 */
	static final class Part {

		final InMemoryLockStore client;

		State state = State.HELD;

		long token;

		long deadline;

		Part(InMemoryLockStore client) {
			this.client = client;
		}

	}

}
