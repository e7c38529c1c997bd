package io.distributedlock.store.jdbc;

import io.distributedlock.spi.Share;

/**
 * What somebody has of a lock besides the lock itself: a place in its queue, or a share
 * of it.
 *
 * @param kind what is wanted or shared
 * @param state whether it is a place or a share, and what kind of share
 * @param instance the JVM
 * @param attempt names what it wants or has
 * @param permits how many permits there are, 0 if it is not about permits
 * @param token fencing token of a share that is held, or 0
 * @param since when it came, which is also its place
 * @param expiresAt when it ends, unless it is asked for again or renewed
 */
record Claim(Kind kind, State state, String instance, String attempt, int permits, long token, long since,
		long expiresAt) {

	/**
	 * Makes a place in the queue.
	 */
	static Claim place(Kind kind, String instance, String attempt, int permits, long since, long expiresAt) {
		return new Claim(kind, State.WAITING, instance, attempt, permits, 0, since, expiresAt);
	}

	boolean isAlive(long now) {
		return now < this.expiresAt;
	}

	boolean isShared() {
		return this.kind == Kind.READERS || this.kind == Kind.PERMITS;
	}

	boolean isHeld() {
		return this.state == State.HELD;
	}

	boolean isReserved() {
		return this.state == State.RESERVED;
	}

	/**
	 * Names the place in the queue. JVMs that want the lock for themselves have one each,
	 * and so have JVMs with readers; callers that want strict order or a permit have one
	 * each.
	 */
	String name() {
		return switch (this.kind) {
			case ALONE -> alone(this.instance);
			case READERS -> "readers/" + this.instance;
			case FAIR, PERMITS -> caller(this.attempt);
		};
	}

	static String alone(String instance) {
		return "jvm/" + instance;
	}

	static String caller(String attempt) {
		return "caller/" + attempt;
	}

	/** Names the row in the database. */
	String row() {
		return (this.kind == Kind.ALONE) ? alone(this.instance) : this.attempt;
	}

	Claim again(String attempt, long expiresAt) {
		return new Claim(this.kind, this.state, this.instance, attempt, this.permits, this.token, this.since,
				expiresAt);
	}

	Claim become(State state, long token, long expiresAt) {
		return new Claim(this.kind, state, this.instance, this.attempt, this.permits, token, this.since, expiresAt);
	}

	/**
	 * What is wanted or shared.
	 */
	enum Kind {

		/** A JVM wants the lock for itself; has a table of its own. */
		ALONE('A'),

		/** A caller wants it for itself, in strict order. */
		FAIR('F'),

		/** With all others that read. */
		READERS('R'),

		/** With others that have a permit. */
		PERMITS('P');

		private final String code;

		Kind(char code) {
			this.code = String.valueOf(code);
		}

		String code() {
			return this.code;
		}

		static Kind of(Share share) {
			return (share instanceof Share.Permits) ? PERMITS : READERS;
		}

		static Kind of(String code) {
			for (Kind kind : values()) {
				if (kind.code.equals(code)) {
					return kind;
				}
			}
			throw new IllegalArgumentException("The table of claims has a kind that is not known: '" + code + "'");
		}

	}

	/**
	 * What a claim is.
	 */
	enum State {

		/** A place in the queue. */
		WAITING('W'),

		/** A share that is kept for the one whose turn it is. */
		RESERVED('R'),

		/** A share. */
		HELD('H'),

		/** A share that is kept taken, by nobody. */
		COOLING('C');

		private final String code;

		State(char code) {
			this.code = String.valueOf(code);
		}

		String code() {
			return this.code;
		}

		static State of(String code) {
			for (State state : values()) {
				if (state.code.equals(code)) {
					return state;
				}
			}
			throw new IllegalArgumentException("The table of claims has a state that is not known: '" + code + "'");
		}

	}

}
