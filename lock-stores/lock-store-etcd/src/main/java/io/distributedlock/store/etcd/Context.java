package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ThreadLocalRandom;

import io.etcd.jetcd.ByteSequence;

import io.distributedlock.LockKey;

/**
 * What the operations of one store share.
 *
 * @param layout names of keys
 * @param instance name of this JVM
 * @param reservation how long a lock is kept for a waiter whose turn it is
 * @param queueEntryTtl how long a place in a queue is kept without being asked for
 * @param errors makes exceptions
 * @param timers for everything that has a time
 * @param transactions the way to etcd
 * @param sessions leases of this JVM
 * @param stakes what this JVM has
 * @param reservations what others were seen to be reserved
 * @param mailbox the signals
 * @param scripts turns of commands that look at all there is of a lock
 * @param underWay operations that have not ended
 */
record Context(KeyLayout layout, String instance, Duration reservation, Duration queueEntryTtl, EtcdErrors errors,
		Timers timers, Transactions transactions, Sessions sessions, Stakes stakes, Reservations reservations,
		Mailbox mailbox, Scripts scripts, Set<Operation<?>> underWay) {

	private static final int SLOTS = 256;

	/**
	 * Adds to a request what gives the lock to the next waiter and tells it.
	 * @param key which lock
	 * @param revision of its record, 0 if it is free
	 * @param next the waiter, which must still wait when the request is executed; so its
	 * lease exists then
	 */
	void passOn(Request request, LockKey key, long revision, QueueEntry next) {
		ByteSequence record = this.layout.record(key.id());
		request.ifUnchanged(record, revision)
			.ifUnchanged(next.key(), next.revision())
			.put(record, LockRecord.reserved(next, this.reservation).encode(), next.lease())
			.delete(next.key());
		tell(request, Mailbox.reserved(key, next.attempt()), next.instance(), next.lease());
	}

	/**
	 * Adds a message for a JVM to a request. It takes a place at random, since etcd
	 * allows nothing to be written twice.
	 */
	void tell(Request request, ByteSequence message, String instance, long lease) {
		ByteSequence place;
		do {
			place = this.layout.message(instance, ThreadLocalRandom.current().nextInt(SLOTS));
		}
		while (request.written().contains(place));
		request.put(place, message, lease);
	}

	/**
	 * Takes the record away, or passes the lock on, when a reservation or a cooling has
	 * lasted long enough.
	 */
	void endLater(LockKey key, long revision, Duration time) {
		this.stakes.wheel().watch(Overdue.record(this, key, revision, System.nanoTime() + time.toNanos(), null));
	}

	/**
	 * Passes a share on that is reserved or cooling, when that has lasted long enough.
	 */
	void advanceLater(LockKey key, StoredPart share) {
		long left = this.reservations.left(Draft.shareId(key, share.attempt()), share.revision(), share.time());
		Session on = this.sessions.find((session) -> session.lease == share.lease());
		Overdue overdue = new Overdue(this, System.nanoTime() + left, on, () -> Scripts.advance(this, key));
		if (on != null) {
			on.users.add(overdue);
		}
		this.stakes.wheel().watch(overdue);
	}

}
