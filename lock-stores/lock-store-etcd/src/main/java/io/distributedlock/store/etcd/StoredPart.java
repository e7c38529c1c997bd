package io.distributedlock.store.etcd;

import java.time.Duration;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KeyValue;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.Share;

/**
 * One share of a lock: a key of its own, on a lease of who has it. It counts only while
 * the record says that the lock is shared, and only if it was written since the record
 * was made.
 * <p>
 * Its fencing token is made of the revision of the write that granted it, as in
 * {@link LockRecord}. A grant is written with revision 0, "of this very write".
 *
 * @param key where it is in etcd
 * @param attempt whose it is, or who released it if it is cooling
 * @param instance the JVM of the attempt
 * @param state what the share is
 * @param share with whom it is shared
 * @param time how long it lives without renewal, at the least
 * @param granted revision that gave its token
 * @param revision of its latest write
 * @param lease that it ends with, {@link #OWN} if it is to be on one of this JVM
 */
record StoredPart(ByteSequence key, AttemptId attempt, String instance, LockRecord.State state, Share share,
		Duration time, long granted, long revision, long lease) {

	static final long OWN = 0;

	private static final String FORMAT = "1";

	ByteSequence encode() {
		int limit = (this.share instanceof Share.Permits permits) ? permits.limit() : 0;
		return KeyLayout.bytes(String.join(" ", FORMAT, this.state.name(), this.attempt.toString(), this.instance,
				Long.toString(Math.max(1, this.time.toMillis())), Integer.toString(limit),
				Long.toString(this.granted)));
	}

	static StoredPart decode(KeyValue stored) {
		String text = KeyLayout.text(stored.getValue());
		String[] parts = text.split(" ");
		try {
			if (parts.length >= 7 && parts[0].equals(FORMAT)) {
				LockRecord.State state = LockRecord.State.valueOf(parts[1]);
				int limit = Integer.parseInt(parts[5]);
				long granted = Long.parseLong(parts[6]);
				return new StoredPart(stored.getKey(), AttemptId.parse(parts[2]), parts[3], state,
						(limit > 0) ? new Share.Permits(limit) : Share.READERS,
						Duration.ofMillis(Long.parseLong(parts[4])), (granted != 0) ? granted : stored.getModRevision(),
						stored.getModRevision(), stored.getLease());
			}
		}
		catch (IllegalArgumentException ex) {
			throw LockRecord.foreign(stored, text, ex);
		}
		throw LockRecord.foreign(stored, text, null);
	}

	/**
	 * Gives the share to its attempt for a time, and leaves its token as it is if it had
	 * it before.
	 */
	StoredPart held(Duration ttl) {
		boolean before = this.state == LockRecord.State.HELD;
		return new StoredPart(this.key, this.attempt, this.instance, LockRecord.State.HELD, this.share, ttl,
				before ? this.granted : 0, this.revision, OWN);
	}

	/**
	 * Keeps the room taken, by nobody.
	 */
	StoredPart cooling(Duration keepFor) {
		return new StoredPart(this.key, this.attempt, this.instance, LockRecord.State.COOLING, this.share, keepFor, 0,
				this.revision, OWN);
	}

	StoredPart on(long lease) {
		return new StoredPart(this.key, this.attempt, this.instance, this.state, this.share, this.time, this.granted,
				this.revision, lease);
	}

	boolean isHeld() {
		return this.state == LockRecord.State.HELD;
	}

	boolean isReserved() {
		return this.state == LockRecord.State.RESERVED;
	}

	/**
	 * Returns the fencing token.
	 * @param written revision of the write that granted the share, if that has just
	 * happened
	 */
	long token(long written) {
		return ((this.granted != 0) ? this.granted : written) * LockRecord.TOKENS_OF_A_REVISION;
	}

	/**
	 * Tells whether there is room for one more.
	 * @param other a share that is taken, or null if none is
	 * @param taken how many are
	 */
	static boolean hasRoom(Share share, @Nullable StoredPart other, int taken) {
		if (other == null) {
			return true;
		}
		if (share instanceof Share.Permits permits) {
			return other.share instanceof Share.Permits && taken < permits.limit();
		}
		return other.share instanceof Share.Readers;
	}

}
