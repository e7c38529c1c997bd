package io.distributedlock.store.zookeeper;

import java.time.Duration;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.zookeeper.WaitRecord.Entry;
import org.apache.zookeeper.data.Stat;

/**
 * One share of a key that is shared. One that is held counts as long as its session
 * lives; its own JVM ends it before, when its ttl is over. The others count for a time.
 *
 * @param kind readers or permit
 * @param state what it is
 * @param instance the JVM
 * @param attempt the grant, or the attempt that it is reserved for
 * @param session name of the JVM's session
 * @param token fencing token, zero if the share is not held; also in what has just been
 * granted, which readers take from the transaction that wrote it
 * @param time its ttl when it was granted, or how long the state lasts
 * @param stamp tells a reserved or cooling share from the next one
 */
record ShareRecord(Kind kind, State state, String instance, AttemptId attempt, String session, long token,
		Duration time, String stamp) {

	private static final int FIELDS = 10;

	static ShareRecord reserved(Entry next, Duration time) {
		return new ShareRecord(next.kind(), State.RESERVED, next.instance(), next.attempt(), next.session(), 0, time,
				AttemptId.random().toString());
	}

	static ShareRecord held(Kind kind, String instance, AttemptId attempt, String session, long token, Duration ttl) {
		return new ShareRecord(kind, State.HELD, instance, attempt, session, token, ttl, "-");
	}

	/** Returns what keeps the room of this share taken, by nobody. */
	ShareRecord cooling(Duration time) {
		return new ShareRecord(this.kind, State.COOLING, this.instance, AttemptId.random(), this.session, 0, time,
				AttemptId.random().toString());
	}

	ShareRecord moved(String session, Duration ttl) {
		return held(this.kind, this.instance, this.attempt, session, this.token, ttl);
	}

	boolean isHeld() {
		return this.state == State.HELD;
	}

	/** Returns the share with its token, if that was not known when it was written. */
	ShareRecord filled(long tokenOfWrite) {
		return (isHeld() && this.token == 0)
				? held(this.kind, this.instance, this.attempt, this.session, tokenOfWrite, this.time) : this;
	}

	/** Returns what a grant has to find to know that it is there. */
	HeldRecord asHeld() {
		return new HeldRecord(this.attempt, this.instance, this.session, this.time, this.token, 1, this.token);
	}

	void append(StringBuilder text) {
		text.append("2 share ")
			.append(this.kind.text())
			.append(' ')
			.append(this.state)
			.append(' ')
			.append(this.instance)
			.append(' ')
			.append(this.attempt)
			.append(' ')
			.append(this.session)
			.append(' ')
			.append(this.token)
			.append(' ')
			.append(this.time.toMillis())
			.append(' ')
			.append(this.stamp)
			.append('\n');
	}

	static boolean isIn(String line) {
		return line.startsWith("2 share ");
	}

	static ShareRecord parse(String line, Stat stat) {
		String[] fields = Text.laterFields(line, FIELDS);
		return new ShareRecord(Kind.parse(fields[2]), State.valueOf(fields[3]), fields[4], AttemptId.parse(fields[5]),
				fields[6], Long.parseLong(fields[7]), Duration.ofMillis(Long.parseLong(fields[8])), fields[9])
			.filled(HeldRecord.token(stat.getMzxid()));
	}

	/**
	 * What a share is.
	 */
	enum State {

		/** Somebody has it. */
		HELD,

		/** It is kept for a waiter. */
		RESERVED,

		/** Nobody is to have it for some time. */
		COOLING

	}

}
