package io.distributedlock.store.zookeeper;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;

/**
 * What the node of a key says that is waited for, reserved or cooling. It is written only
 * under the version that it was read with.
 *
 * @param state what keeps the key from being granted, apart from a holder
 * @param whom for whom it is reserved, or null
 * @param time how long the state lasts
 * @param stamp tells one such state from the next
 * @param queue who waits, first one first
 */
record WaitRecord(State state, @Nullable Entry whom, Duration time, String stamp, List<Entry> queue) {

	static final WaitRecord EMPTY = new WaitRecord(State.NONE, null, Duration.ZERO, "-", List.of());

	WaitRecord {
		queue = List.copyOf(queue);
	}

	boolean isEmpty() {
		return this.state == State.NONE && this.queue.isEmpty();
	}

	boolean isReservedFor(AttemptId attempt) {
		return this.state == State.RESERVED && this.whom != null && this.whom.attempt().equals(attempt);
	}

	@Nullable Entry entry(String instance) {
		for (Entry entry : this.queue) {
			if (entry.instance().equals(instance)) {
				return entry;
			}
		}
		return null;
	}

	WaitRecord without(String instance) {
		return withQueue(this.queue.stream().filter((entry) -> !entry.instance().equals(instance)).toList());
	}

	WaitRecord withQueue(List<Entry> queue) {
		return new WaitRecord(this.state, this.whom, this.time, this.stamp, queue);
	}

	/**
	 * Returns the record with an entry in it: a JVM keeps its place, whatever its
	 * attempt.
	 */
	WaitRecord with(Entry entry) {
		List<Entry> changed = new ArrayList<>(this.queue);
		for (int i = 0; i < changed.size(); i++) {
			Entry old = changed.get(i);
			if (old.instance().equals(entry.instance())) {
				changed.set(i, new Entry(entry.instance(), entry.attempt(), entry.session(), old.since(),
						old.refreshed() + 1));
				return withQueue(changed);
			}
		}
		changed.add(entry);
		return withQueue(changed);
	}

	/** Returns the record for a key that is granted or free. */
	WaitRecord released() {
		return new WaitRecord(State.NONE, null, Duration.ZERO, "-", this.queue);
	}

	/** Returns the record for a key that is kept for an entry, which leaves the queue. */
	WaitRecord reserved(Entry next, Duration time) {
		return new WaitRecord(State.RESERVED, next, time, AttemptId.random().toString(), this.queue)
			.without(next.instance());
	}

	WaitRecord cooling(Duration time) {
		return new WaitRecord(State.COOLING, null, time, AttemptId.random().toString(), this.queue);
	}

	byte[] bytes() {
		StringBuilder text = new StringBuilder(64 + 96 * this.queue.size());
		text.append("1 ")
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
		return text.toString().getBytes(StandardCharsets.US_ASCII);
	}

	static WaitRecord parse(byte[] data, Stat stat) {
		String[] lines = Text.of(data).split("\n");
		String[] head = Text.fields(lines[0], 4);
		try {
			State state = State.valueOf(head[1]);
			List<Entry> entries = new ArrayList<>();
			for (int i = 1; i < lines.length; i++) {
				entries.add(Entry.parse(lines[i], stat));
			}
			Entry whom = (state == State.RESERVED) ? entries.remove(0) : null;
			return new WaitRecord(state, whom, Duration.ofMillis(Long.parseLong(head[2])), head[3], entries);
		}
		catch (IllegalArgumentException | IndexOutOfBoundsException ex) {
			throw Text.foreign(ex);
		}
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
	 * The place of one JVM.
	 *
	 * @param instance the JVM
	 * @param attempt its latest attempt
	 * @param session name of the session whose inbox it reads
	 * @param since when it came, by ZooKeeper's clock, in milliseconds; zero in what has
	 * just come, which readers take for the time of the write
	 * @param refreshed how often it has shown itself since
	 */
	record Entry(String instance, AttemptId attempt, String session, long since, int refreshed) {

		private void append(StringBuilder text) {
			text.append("1 ")
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
			String[] fields = Text.fields(line, 6);
			long since = Long.parseLong(fields[4]);
			return new Entry(fields[1], AttemptId.parse(fields[2]), fields[3], (since == 0) ? stat.getMtime() : since,
					Integer.parseInt(fields[5]));
		}

		/** Tells whether this is the same, not refreshed since. */
		String version() {
			return this.instance + ' ' + this.attempt + ' ' + this.since + ' ' + this.refreshed;
		}

	}

}
