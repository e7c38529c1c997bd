package io.distributedlock.store.etcd;

import java.time.Instant;
import java.util.Comparator;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KeyValue;

import io.distributedlock.spi.AttemptId;

/**
 * A place in the queue of a lock. JVMs that want the lock for themselves have one each,
 * and so have JVMs with readers; callers that want strict order or a permit have one
 * each. The order is that of the revisions in which the keys were created, and of the
 * numbers of those that one write has made.
 * <p>
 * JVMs from before there were kinds write no kind, and take all places for those of JVMs
 * that want to be alone.
 *
 * @param key where it is in etcd
 * @param attempt the latest attempt of whom it belongs to
 * @param instance the JVM
 * @param since when it began to wait, by its own clock; only to be shown
 * @param kind what it waits for
 * @param limit how many permits there are, 0 if it does not wait for one
 * @param number order among places made by one write
 * @param created revision in which it was made
 * @param revision of its latest write
 * @param lease that it ends with
 */
record QueueEntry(ByteSequence key, AttemptId attempt, String instance, Instant since, Kind kind, int limit, int number,
		long created, long revision, long lease) {

	static final Comparator<QueueEntry> ORDER = Comparator.comparingLong(QueueEntry::created)
		.thenComparingInt(QueueEntry::number);

	private static final String FORMAT = "1";

	static ByteSequence encode(AttemptId attempt, String instance, Instant since) {
		return KeyLayout.bytes(FORMAT + " " + attempt + " " + instance + " " + since.toEpochMilli());
	}

	ByteSequence encode() {
		ByteSequence plain = encode(this.attempt, this.instance, this.since);
		return (this.kind == Kind.JVM) ? plain : KeyLayout
			.bytes(KeyLayout.text(plain) + " " + this.kind.name() + " " + this.limit + " " + this.number);
	}

	static QueueEntry decode(KeyValue stored) {
		String text = KeyLayout.text(stored.getValue());
		String[] parts = text.split(" ");
		try {
			if (parts.length >= 4 && parts[0].equals(FORMAT)) {
				boolean plain = parts.length < 7;
				return new QueueEntry(stored.getKey(), AttemptId.parse(parts[1]), parts[2],
						Instant.ofEpochMilli(Long.parseLong(parts[3])), plain ? Kind.JVM : Kind.valueOf(parts[4]),
						plain ? 0 : Integer.parseInt(parts[5]), plain ? 0 : Integer.parseInt(parts[6]),
						stored.getCreateRevision(), stored.getModRevision(), stored.getLease());
			}
		}
		catch (IllegalArgumentException ex) {
			throw LockRecord.foreign(stored, text, ex);
		}
		throw LockRecord.foreign(stored, text, null);
	}

	boolean isPlain() {
		return this.kind == Kind.JVM;
	}

	boolean isForShare() {
		return this.kind == Kind.READERS || this.kind == Kind.PERMIT;
	}

	QueueEntry takenOver(AttemptId next, int permits) {
		return new QueueEntry(this.key, next, this.instance, this.since, this.kind, permits, this.number, this.created,
				this.revision, this.lease);
	}

	/**
	 * What a place is for.
	 */
	enum Kind {

		/** All callers of a JVM, to be alone. */
		JVM,

		/** A caller in strict order, to be alone. */
		CALLER,

		/** All readers of a JVM. */
		READERS,

		/** A caller that wants a permit. */
		PERMIT

	}

}
