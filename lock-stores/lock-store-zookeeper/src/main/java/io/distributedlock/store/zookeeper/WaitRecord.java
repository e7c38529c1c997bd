package io.distributedlock.store.zookeeper;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;

/**
 * What the node of a key says that is waited for, reserved or cooling. It is written only
 * under the version that it was read with.
 * <p>
 * As long as there is nothing in it but waiters that want to be alone, it has the form
 * that versions without shares know. They refuse any other, and so keep away from keys
 * that are in use in a way that they do not understand.
 *
 * @param state what keeps the key from being granted, apart from a holder
 * @param whom for whom it is reserved, or null
 * @param time how long the state lasts
 * @param stamp tells one such state from the next
 * @param queue who waits, first one first
 * @param shares who shares the key, all of one kind; only while nobody has it alone
 */
record WaitRecord(State state, @Nullable Entry whom, Duration time, String stamp, List<Entry> queue,
		List<ShareRecord> shares) {

	static final WaitRecord EMPTY = new WaitRecord(State.NONE, null, Duration.ZERO, "-", List.of(), List.of());

	WaitRecord {
		queue = List.copyOf(queue);
		shares = List.copyOf(shares);
	}

	boolean isEmpty() {
		return this.state == State.NONE && this.queue.isEmpty() && this.shares.isEmpty();
	}

	/** Tells whether more wait, or share the key, than there. */
	boolean isLargerThan(WaitRecord other) {
		return this.queue.size() + this.shares.size() > other.queue.size() + other.shares.size();
	}

	boolean isReservedFor(AttemptId attempt) {
		return this.state == State.RESERVED && this.whom != null && this.whom.attempt().equals(attempt);
	}

	// Who waits

	/** Returns the place of a JVM's callers that want to be alone, in whatever order. */
	@Nullable Entry entry(String instance) {
		return find((entry) -> entry.instance().equals(instance) && entry.kind().equals(Kind.ALONE));
	}

	/** Returns the place in which an attempt waits. */
	@Nullable Entry entry(String instance, AttemptId attempt) {
		return find((entry) -> entry.instance().equals(instance) && entry.attempt().equals(attempt));
	}

	private @Nullable Entry find(Predicate<Entry> which) {
		for (Entry entry : this.queue) {
			if (which.test(entry)) {
				return entry;
			}
		}
		return null;
	}

	WaitRecord without(String instance) {
		return drop((entry) -> entry.instance().equals(instance) && entry.kind().equals(Kind.ALONE));
	}

	WaitRecord without(String instance, AttemptId attempt) {
		return drop((entry) -> entry.instance().equals(instance) && entry.attempt().equals(attempt));
	}

	/** Returns the record without the places of a session that has ended. */
	WaitRecord withoutSession(String session) {
		return drop((entry) -> entry.session().equals(session));
	}

	private WaitRecord drop(Predicate<Entry> which) {
		return withQueue(this.queue.stream().filter(which.negate()).toList());
	}

	WaitRecord withQueue(List<Entry> queue) {
		return new WaitRecord(this.state, this.whom, this.time, this.stamp, queue, this.shares);
	}

	/**
	 * Returns the record with an entry in it: whoever has a place keeps it, whatever the
	 * attempt.
	 */
	WaitRecord with(Entry entry) {
		return with(List.of(entry));
	}

	/** Returns the record with several entries in it, like {@link #with(Entry)}. */
	WaitRecord with(List<Entry> entries) {
		Map<String, Entry> places = new LinkedHashMap<>();
		this.queue.forEach((entry) -> places.put(entry.place(), entry));
		entries.forEach((entry) -> places.merge(entry.place(), entry, (old, now) -> new Entry(now.instance(),
				now.attempt(), now.session(), old.since(), old.refreshed() + 1, now.kind())));
		return withQueue(List.copyOf(places.values()));
	}

	// What keeps it from being granted

	/** Returns the record for a key that nobody has alone. */
	WaitRecord released() {
		return new WaitRecord(State.NONE, null, Duration.ZERO, "-", this.queue, this.shares);
	}

	/** Returns the record for a key that is kept for an entry, which leaves the queue. */
	WaitRecord reserved(Entry next, Duration time) {
		return new WaitRecord(State.RESERVED, next, time, AttemptId.random().toString(), this.queue, this.shares)
			.drop((entry) -> entry.place().equals(next.place()));
	}

	WaitRecord cooling(Duration time) {
		return new WaitRecord(State.COOLING, null, time, AttemptId.random().toString(), this.queue, this.shares);
	}

	/**
	 * Keeps the key for those in the queue whose turn it is: for the first, or for all at
	 * the front that can share it. What was granted, kept or cooling and is no more has
	 * to be gone from the record, and nobody may hold the key alone.
	 */
	Served serve(Duration reservation) {
		WaitRecord record = this;
		List<Entry> served = new ArrayList<>();
		while (record.state == State.NONE && !record.queue.isEmpty()) {
			Entry next = record.queue.get(0);
			if (!record.hasRoom(next.kind())) {
				break;
			}
			record = next.kind().isShared() ? record.withQueue(record.queue.subList(1, record.queue.size()))
				.with(ShareRecord.reserved(next, reservation)) : record.reserved(next, reservation);
			served.add(next);
		}
		return new Served(record, served);
	}

	// Shares

	/** Tells whether there is room for one more, or for one alone. */
	boolean hasRoom(Kind kind) {
		if (this.shares.isEmpty()) {
			return true;
		}
		Kind.Form form = this.shares.get(0).kind().form();
		return kind.isShared() && kind.form() == form
				&& (form == Kind.Form.READERS || this.shares.size() < kind.limit());
	}

	@Nullable ShareRecord share(AttemptId attempt) {
		for (ShareRecord share : this.shares) {
			if (share.attempt().equals(attempt)) {
				return share;
			}
		}
		return null;
	}

	/** Returns the share that an attempt holds, as a grant has to find it, or null. */
	@Nullable HeldRecord heldShare(AttemptId attempt) {
		ShareRecord share = share(attempt);
		return (share != null && share.isHeld()) ? share.asHeld() : null;
	}

	/** Returns the share that may last longest, or null. */
	@Nullable ShareRecord lastShare() {
		return this.shares.stream().max(Comparator.comparing(ShareRecord::time)).orElse(null);
	}

	/** Returns the token that the readers have who share the key, or zero. */
	long tokenOfReaders() {
		return this.shares.stream()
			.filter((share) -> share.isHeld() && share.kind().equals(Kind.READERS))
			.mapToLong(ShareRecord::token)
			.max()
			.orElse(0);
	}

	/** Returns the record with a share, which replaces one of the same attempt. */
	WaitRecord with(ShareRecord share) {
		List<ShareRecord> changed = new ArrayList<>(withoutShare(share.attempt()).shares);
		changed.add(share);
		return withShares(changed);
	}

	WaitRecord withoutShare(AttemptId attempt) {
		return keepShares((share) -> !share.attempt().equals(attempt));
	}

	WaitRecord keepShares(Predicate<ShareRecord> which) {
		return withShares(this.shares.stream().filter(which).toList());
	}

	WaitRecord withShares(List<ShareRecord> shares) {
		return new WaitRecord(this.state, this.whom, this.time, this.stamp, this.queue, shares);
	}

	/** Returns what ends by itself after a time: stamps and times. */
	Map<String, Duration> passing() {
		Map<String, Duration> passing = new LinkedHashMap<>();
		if (this.state != State.NONE) {
			passing.put(this.stamp, this.time);
		}
		this.shares.stream()
			.filter((share) -> !share.isHeld())
			.forEach((share) -> passing.put(share.stamp(), share.time()));
		return passing;
	}

	// Text

	private boolean needsLaterForm() {
		return !this.shares.isEmpty() || (this.whom != null && !this.whom.kind().equals(Kind.ALONE))
				|| this.queue.stream().anyMatch((entry) -> !entry.kind().equals(Kind.ALONE));
	}

	byte[] bytes() {
		StringBuilder text = new StringBuilder(64 + 96 * (this.queue.size() + this.shares.size()));
		text.append(needsLaterForm() ? "2 " : "1 ")
			.append(this.state)
			.append(' ')
			.append(this.time.toMillis())
			.append(' ')
			.append(this.stamp)
			.append('\n');
		if (this.whom != null) {
			this.whom.append(text);
		}
		this.queue.forEach((entry) -> entry.append(text));
		this.shares.forEach((share) -> share.append(text));
		return text.toString().getBytes(StandardCharsets.US_ASCII);
	}

	static WaitRecord parse(byte[] data, Stat stat) {
		String[] lines = Text.of(data).split("\n");
		String[] head = Text.laterFields(lines[0], 4);
		try {
			State state = State.valueOf(head[1]);
			List<Entry> entries = new ArrayList<>();
			List<ShareRecord> shares = new ArrayList<>();
			for (int i = 1; i < lines.length; i++) {
				if (ShareRecord.isIn(lines[i])) {
					shares.add(ShareRecord.parse(lines[i], stat));
				}
				else {
					entries.add(Entry.parse(lines[i], stat));
				}
			}
			Entry whom = (state == State.RESERVED) ? entries.remove(0) : null;
			return new WaitRecord(state, whom, Duration.ofMillis(Long.parseLong(head[2])), head[3], entries, shares);
		}
		catch (IllegalArgumentException | IndexOutOfBoundsException ex) {
			throw Text.foreign(ex);
		}
	}

	/**
	 * Returns the record as it is read after it was written.
	 * @param stat of a node that was written in the same transaction
	 */
	WaitRecord asRead(Stat stat) {
		return withQueue(this.queue.stream().map((entry) -> entry.filled(stat.getMtime())).toList())
			.withShares(this.shares.stream().map((share) -> share.filled(HeldRecord.token(stat.getMzxid()))).toList());
	}

	/**
	 * What came of serving.
	 *
	 * @param record the record with their reservations
	 * @param whom who was served, empty if nobody
	 */
	record Served(WaitRecord record, List<Entry> whom) {
	}

	/**
	 * What keeps a key from being granted.
	 */
	enum State {

		/** Nothing but its holder, if it has one. */
		NONE,

		/** It is kept for a waiter. */
		RESERVED,

		/** Nobody is to have it for some time. */
		COOLING

	}

	/**
	 * A place in the queue.
	 *
	 * @param instance the JVM
	 * @param attempt its latest attempt
	 * @param session name of the session whose inbox it reads
	 * @param since when it came, by ZooKeeper's clock, in milliseconds; zero in what has
	 * just come, which readers take for the time of the write
	 * @param refreshed how often it has shown itself since
	 * @param kind how it wants the key
	 */
	record Entry(String instance, AttemptId attempt, String session, long since, int refreshed, Kind kind) {

		Entry(String instance, AttemptId attempt, String session, long since, int refreshed) {
			this(instance, attempt, session, since, refreshed, Kind.ALONE);
		}

		/** Returns whose place it is; nobody has two. */
		String place() {
			if (this.kind.equals(Kind.ALONE)) {
				return this.instance;
			}
			return this.instance + ' ' + (this.kind.isSingle() ? this.attempt : this.kind.text());
		}

		private void append(StringBuilder text) {
			text.append(this.kind.equals(Kind.ALONE) ? "1 " : "2 " + this.kind.text() + ' ')
				.append(this.instance)
				.append(' ')
				.append(this.attempt)
				.append(' ')
				.append(this.session)
				.append(' ')
				.append(this.since)
				.append(' ')
				.append(this.refreshed)
				.append('\n');
		}

		private static Entry parse(String line, Stat stat) {
			boolean later = line.startsWith("2 ");
			String[] fields = later ? Text.laterFields(line, 7) : Text.fields(line, 6);
			int at = later ? 2 : 1;
			long since = Long.parseLong(fields[at + 3]);
			return new Entry(fields[at], AttemptId.parse(fields[at + 1]), fields[at + 2], since,
					Integer.parseInt(fields[at + 4]), later ? Kind.parse(fields[1]) : Kind.ALONE)
				.filled(stat.getMtime());
		}

		/** Returns the entry with the time at which it came, if that was not known. */
		private Entry filled(long timeOfWrite) {
			return (this.since != 0) ? this
					: new Entry(this.instance, this.attempt, this.session, timeOfWrite, this.refreshed, this.kind);
		}

		/** Tells whether this is the same, not refreshed since. */
		String version() {
			return this.instance + ' ' + this.attempt + ' ' + this.since + ' ' + this.refreshed;
		}

	}

}
