package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

import io.etcd.jetcd.ByteSequence;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Draft} into a transaction on the condition that the record is as it was,
 * and that nobody has left the queue whose place is used or changed.
 * <p>
 * <b>The lease of a shared record.</b> The record must not end before any share that
 * somebody counts on, and no lease belongs to all of them. So whoever writes a share puts
 * the record on a lease of his own that is known to live for the longest ttl of all
 * shares; whoever renews one and finds the record on a lease of another JVM does the
 * same. Then at any moment the record lives at least as long as every share has been
 * promised, and when all who share it are dead it ends by itself.
 */
final class DraftWriter {

	/** What a transaction may have if it is to go out together with others. */
	private static final int NESTED = 28;

	private final Draft draft;

	private final Map<Integer, Session> sessions;

	private final List<StoredPart> sharePuts = new ArrayList<>();

	private final List<ByteSequence> deletes = new ArrayList<>();

	private final List<QueueEntry> placePuts = new ArrayList<>();

	private final List<QueueEntry> used = new ArrayList<>();

	private @Nullable LockRecord recordPut;

	private long recordLease;

	private boolean recordDelete;

	/**
	 * Finds out what differs.
	 * @param sessions leases of this JVM by seconds, of all lengths that are needed
	 */
	DraftWriter(Draft draft, Map<Integer, Session> sessions) {
		this.draft = draft;
		this.sessions = sessions;
		compareShares();
		compareQueue();
		compareRecord();
	}

	/**
	 * Tells whether the record of a shared lock has to be on a lease of this JVM.
	 */
	static boolean anchors(Draft draft) {
		return draft.shares.values()
			.stream()
			.anyMatch((share) -> share.lease() == StoredPart.OWN || share.revision() == 0);
	}

	Session session(Duration time) {
		return Objects.requireNonNull(this.sessions.get(Sessions.seconds(time)), "session");
	}

	private void compareShares() {
		Map<ByteSequence, StoredPart> before = new HashMap<>();
		this.draft.base.shares().forEach((share) -> before.put(share.key(), share));
		for (StoredPart share : this.draft.shares.values()) {
			StoredPart written = (share.lease() == StoredPart.OWN) ? share.on(session(share.time()).lease) : share;
			if (!written.equals(before.remove(share.key()))) {
				this.sharePuts.add(written);
			}
		}
		this.deletes.addAll(before.keySet());
	}

	private void compareQueue() {
		Map<ByteSequence, QueueEntry> before = new HashMap<>();
		this.draft.base.lock().queue().forEach((place) -> before.put(place.key(), place));
		for (QueueEntry place : this.draft.queue) {
			QueueEntry known = before.remove(place.key());
			if (!place.equals(known)) {
				this.placePuts.add(place);
				if (known != null) {
					this.used.add(known);
				}
			}
		}
		before.values().forEach((place) -> {
			this.deletes.add(place.key());
			this.used.add(place);
		});
	}

	private void compareRecord() {
		LockRecord before = this.draft.base.lock().record();
		LockRecord alone = this.draft.alone;
		long lease = this.draft.base.lock().lease();
		boolean changed = !this.sharePuts.isEmpty() || !this.deletes.isEmpty() || !this.placePuts.isEmpty();
		if (!this.draft.shares.isEmpty()) {
			this.recordLease = anchors(this.draft) ? session(this.draft.longest()).lease : lease;
			if (changed || !this.draft.base.lock().isShared() || this.recordLease != lease) {
				this.recordPut = LockRecord.shared(this.draft.context.instance(), this.draft.longest());
			}
		}
		else if (alone == null) {
			this.recordDelete = before != null;
		}
		else if (alone == before) {
			if (!this.placePuts.isEmpty() && alone.state() == LockRecord.State.HELD && !alone.contended()) {
				this.recordPut = alone.withQueue();
				this.recordLease = lease;
			}
		}
		else {
			this.recordLease = (this.draft.lease == StoredPart.OWN) ? session(alone.time()).lease : this.draft.lease;
			if (!alone.equals(before) || this.recordLease != lease) {
				this.recordPut = alone;
			}
		}
	}

	/**
	 * Tells whether there is anything to write.
	 */
	boolean isEmpty() {
		return this.sharePuts.isEmpty() && this.deletes.isEmpty() && this.placePuts.isEmpty() && this.recordPut == null
				&& !this.recordDelete && !(this.draft.cleans && !this.draft.base.stale().isEmpty());
	}

	void fill(Request request) {
		Context context = this.draft.context;
		ByteSequence record = context.layout().record(this.draft.key.id());
		this.sessions.values().forEach(request::ifLives);
		request.ifUnchanged(record, this.draft.base.lock().revision());
		this.used.forEach((place) -> request.ifUnchanged(place.key(), place.revision()));
		LockRecord put = this.recordPut;
		if (put != null) {
			request.put(record, put.encode(), this.recordLease);
			promise(put);
		}
		else if (this.recordDelete) {
			request.delete(record);
		}
		else {
			request.claims(record);
		}
		this.sharePuts.forEach((share) -> request.put(share.key(), share.encode(), share.lease()));
		this.placePuts.forEach((place) -> request.put(place.key(), place.encode(),
				(place.lease() == StoredPart.OWN) ? session(context.queueEntryTtl()).lease : place.lease()));
		this.deletes.forEach(request::delete);
		this.draft.stale().stream().filter((key) -> !request.written().contains(key)).forEach(request::delete);
		this.draft.told.forEach((place) -> context.tell(request, Mailbox.reserved(this.draft.key, place.attempt()),
				place.instance(), place.lease()));
		tellLoser(request, context);
		request.thenRead(WholeLock.questions(context.layout(), this.draft.key));
		request.elseRead(WholeLock.questions(context.layout(), this.draft.key));
		this.sessions.values().forEach((session) -> request.elseRead(session.marker));
		request.alone = request.size() > NESTED;
	}

	/**
	 * Others may count on the record of a shared lock: its lease must not be ended before
	 * its time, whatever this JVM has on it.
	 */
	private void promise(LockRecord put) {
		if (put.state() == LockRecord.State.SHARED) {
			long until = System.nanoTime() + put.time().toNanos();
			this.sessions.values()
				.stream()
				.filter((session) -> session.lease == this.recordLease)
				.forEach((session) -> session.promise(until));
		}
	}

	private void tellLoser(Request request, Context context) {
		StoredPart lost = this.draft.base.shares()
			.stream()
			.filter((share) -> share.attempt().equals(this.draft.loser))
			.findFirst()
			.orElse(null);
		if (lost != null) {
			request.ifUnchanged(lost.key(), lost.revision());
			context.tell(request, Mailbox.revoked(this.draft.key, lost.attempt()), lost.instance(), lost.lease());
		}
		else if (this.draft.loser != null) {
			context.tell(request, Mailbox.revoked(this.draft.key, this.draft.loser), this.draft.losersInstance,
					this.draft.base.lock().lease());
		}
	}

}
