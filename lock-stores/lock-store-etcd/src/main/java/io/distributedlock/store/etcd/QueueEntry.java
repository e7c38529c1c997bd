package io.distributedlock.store.etcd;

import java.time.Instant;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KeyValue;

import io.distributedlock.spi.AttemptId;

/**
 * The place of one JVM in the queue of a lock. Its order is that of the revisions in
 * which the keys of the entries were created.
 *
 * @param key where it is in etcd
 * @param attempt the latest attempt of the JVM
 * @param instance the JVM
 * @param since when it began to wait, by its own clock; only to be shown
 * @param revision of its latest write
 * @param lease that it ends with
 */
record QueueEntry(ByteSequence key, AttemptId attempt, String instance, Instant since, long revision, long lease) {

	private static final String FORMAT = "1";

	static ByteSequence encode(AttemptId attempt, String instance, Instant since) {
		return KeyLayout.bytes(FORMAT + " " + attempt + " " + instance + " " + since.toEpochMilli());
	}

	static QueueEntry decode(KeyValue stored) {
		String text = KeyLayout.text(stored.getValue());
		String[] parts = text.split(" ");
		try {
			if (parts.length >= 4 && parts[0].equals(FORMAT)) {
				return new QueueEntry(stored.getKey(), AttemptId.parse(parts[1]), parts[2],
						Instant.ofEpochMilli(Long.parseLong(parts[3])), stored.getModRevision(), stored.getLease());
			}
		}
		catch (IllegalArgumentException ex) {
			throw LockRecord.foreign(stored, text, ex);
		}
		throw LockRecord.foreign(stored, text, null);
	}

}
