package io.distributedlock.store.etcd;

import java.util.ArrayList;
import java.util.List;

import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.kv.GetResponse;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;

/**
 * One lock as etcd has shown it at one revision.
 *
 * @param record what it is, null if it is free
 * @param revision of the record's latest write, 0 if the lock is free
 * @param lease that the record ends with
 * @param queue who waits, first one first; a part of it if only the first were asked for
 */
record LockView(@Nullable LockRecord record, long revision, long lease, List<QueueEntry> queue) {

	/**
	 * Reads a view.
	 * @param record answer to the question for the record
	 * @param queue answer to the question for the queue, or null if that was not asked
	 */
	static LockView of(GetResponse record, @Nullable GetResponse queue) {
		List<QueueEntry> entries = (queue != null) ? entries(queue) : List.of();
		if (record.getKvs().isEmpty()) {
			return new LockView(null, 0, 0, entries);
		}
		KeyValue stored = record.getKvs().get(0);
		return new LockView(LockRecord.decode(stored), stored.getModRevision(), stored.getLease(), entries);
	}

	static List<QueueEntry> entries(GetResponse queue) {
		List<QueueEntry> entries = new ArrayList<>(queue.getKvs().size());
		for (KeyValue stored : queue.getKvs()) {
			entries.add(QueueEntry.decode(stored));
		}
		entries.sort(QueueEntry.ORDER);
		return entries;
	}

	boolean isHeldBy(AttemptId attempt) {
		return this.record != null && this.record.isHeldBy(attempt);
	}

	boolean isReservedFor(AttemptId attempt) {
		return this.record != null && this.record.isReservedFor(attempt);
	}

	boolean isShared() {
		return this.record != null && this.record.state() == LockRecord.State.SHARED;
	}

	/**
	 * Returns the entry that an attempt has in the queue, or null.
	 */
	@Nullable QueueEntry entryOf(AttemptId attempt) {
		for (QueueEntry entry : this.queue) {
			if (entry.attempt().equals(attempt)) {
				return entry;
			}
		}
		return null;
	}

}
