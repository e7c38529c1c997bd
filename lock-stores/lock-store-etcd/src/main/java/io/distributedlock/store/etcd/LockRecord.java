package io.distributedlock.store.etcd;

import java.time.Duration;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KeyValue;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * What etcd keeps for a lock that is not free.
 * <p>
 * The fencing tokens of a grant are the revision of the write that gave them, times
 * {@value #TOKENS_OF_A_REVISION}, and the numbers that follow. The writer does not know
 * that revision yet and writes 0, which means "of this very write". Whoever writes the
 * record again for another reason puts the numbers in.
 *
 * @param state what the lock is
 * @param attempt whose it is, or who released it if it is cooling; null if that is not
 * known
 * @param instance the JVM of the attempt, empty while it is cooling
 * @param time how long it lives without renewal, at the least
 * @param contended whether somebody has joined the queue since its holder wrote it
 * @param firstRevision revision that gave the first block of tokens
 * @param firstTokens size of the first block
 * @param lastRevision revision that gave the latest block of tokens
 * @param lastTokens size of the latest block
 */
record LockRecord(State state, @Nullable AttemptId attempt, String instance, Duration time, boolean contended,
		long firstRevision, int firstTokens, long lastRevision, int lastTokens) {

	/** How many tokens one write can give. */
	static final int TOKENS_OF_A_REVISION = 1024;

	private static final String FORMAT = "1";

	private static final String NOBODY = "-";

	static LockRecord held(AttemptId attempt, String instance, Duration ttl, int tokens) {
		return new LockRecord(State.HELD, attempt, instance, ttl, false, 0, tokens, 0, tokens);
	}

	static LockRecord reserved(QueueEntry entry, Duration reservation) {
		return new LockRecord(State.RESERVED, entry.attempt(), entry.instance(), reservation, false, 0, 0, 0, 0);
	}

	static LockRecord cooling(AttemptId attempt, Duration time) {
		return new LockRecord(State.COOLING, attempt, "", time, false, 0, 0, 0, 0);
	}

	/**
	 * Says that there are shares.
	 * @param instance the JVM that writes it
	 * @param time for which the longest of them lives without renewal
	 */
	static LockRecord shared(String instance, Duration time) {
		return new LockRecord(State.SHARED, null, instance, time, true, 0, 0, 0, 0);
	}

	/**
	 * Marks the record, so that its holder sees that somebody waits.
	 */
	LockRecord withQueue() {
		return new LockRecord(this.state, this.attempt, this.instance, this.time, true, this.firstRevision,
				this.firstTokens, this.lastRevision, this.lastTokens);
	}

	/**
	 * Renews the record with another ttl. The queue is read in the same transaction.
	 */
	LockRecord renewed(Duration ttl) {
		return new LockRecord(this.state, this.attempt, this.instance, ttl, false, this.firstRevision, this.firstTokens,
				this.lastRevision, this.lastTokens);
	}

	/**
	 * Gives the record a further block of tokens, of the revision of the write to come.
	 */
	LockRecord extended(Duration ttl, int tokens) {
		return new LockRecord(this.state, this.attempt, this.instance, ttl, false, this.firstRevision, this.firstTokens,
				0, tokens);
	}

	/**
	 * Puts in the revision of the write that brought the record to etcd.
	 */
	LockRecord written(long revision) {
		if (this.state != State.HELD || (this.firstRevision != 0 && this.lastRevision != 0)) {
			return this;
		}
		return new LockRecord(this.state, this.attempt, this.instance, this.time, this.contended,
				(this.firstRevision != 0) ? this.firstRevision : revision, this.firstTokens,
				(this.lastRevision != 0) ? this.lastRevision : revision, this.lastTokens);
	}

	boolean isHeldBy(@Nullable AttemptId attempt) {
		return this.state == State.HELD && this.attempt != null && this.attempt.equals(attempt);
	}

	boolean isReservedFor(@Nullable AttemptId attempt) {
		return this.state == State.RESERVED && this.attempt != null && this.attempt.equals(attempt);
	}

	boolean isCoolingAfter(@Nullable AttemptId attempt) {
		return this.state == State.COOLING && this.attempt != null && this.attempt.equals(attempt);
	}

	long firstToken() {
		return this.firstRevision * TOKENS_OF_A_REVISION;
	}

	long lastFirstToken() {
		return this.lastRevision * TOKENS_OF_A_REVISION;
	}

	long lastToken() {
		return (this.lastTokens > 0) ? this.lastRevision * TOKENS_OF_A_REVISION + this.lastTokens - 1 : 0;
	}

	boolean hasToken(long token) {
		return this.state == State.HELD && token >= firstToken() && token <= lastToken();
	}

	ByteSequence encode() {
		return KeyLayout.bytes(String.join(" ", FORMAT, this.state.name(),
				(this.attempt != null) ? this.attempt.toString() : NOBODY,
				this.instance.isEmpty() ? NOBODY : this.instance, Long.toString(Math.max(1, this.time.toMillis())),
				this.contended ? "1" : "0", Long.toString(this.firstRevision), Integer.toString(this.firstTokens),
				Long.toString(this.lastRevision), Integer.toString(this.lastTokens)));
	}

	/**
	 * Reads a record.
	 * @throws StoreException if it is none
	 */
	static LockRecord decode(KeyValue stored) {
		String text = KeyLayout.text(stored.getValue());
		String[] parts = text.split(" ");
		try {
			if (parts.length >= 10 && parts[0].equals(FORMAT)) {
				return new LockRecord(State.valueOf(parts[1]),
						parts[2].equals(NOBODY) ? null : AttemptId.parse(parts[2]),
						parts[3].equals(NOBODY) ? "" : parts[3], Duration.ofMillis(Long.parseLong(parts[4])),
						parts[5].equals("1"), Long.parseLong(parts[6]), Integer.parseInt(parts[7]),
						Long.parseLong(parts[8]), Integer.parseInt(parts[9]))
					.written(stored.getModRevision());
			}
		}
		catch (IllegalArgumentException ex) {
			throw foreign(stored, text, ex);
		}
		throw foreign(stored, text, null);
	}

	static StoreException foreign(KeyValue stored, String text, @Nullable Throwable cause) {
		return new StoreException("The etcd key '" + KeyLayout.text(stored.getKey())
				+ "' does not hold what this version of the library writes, but '"
				+ text.substring(0, Math.min(text.length(), 80))
				+ "'. Does something else use this prefix? Give locks a prefix of their own, or update all instances.",
				false, false, cause);
	}

	/**
	 * What a lock is, if it is not free.
	 */
	enum State {

		/** A JVM holds it. */
		HELD,

		/** It was released and is kept for a waiting JVM. */
		RESERVED,

		/** Nobody holds it, and nobody may for a while. */
		COOLING,

		/** It has {@linkplain StoredPart shares}. */
		SHARED

	}

}
