package io.distributedlock.store.etcd;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;

import io.etcd.jetcd.ByteSequence;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.Share;

/**
 * A lock as a command wants it to be: begun as a copy of what etcd has, changed by the
 * rules, and then made into one transaction by {@link DraftWriter}. What has expired by
 * this JVM's clock is not in the copy.
 * <p>
 * The rules are those of the memory store: a lock has one holder (or is reserved for one,
 * or cooling), or shares of one kind. When it is passed on, all at the front of the queue
 * that can share it are served together.
 */
final class Draft {

	/** What one transaction can pass on, of the 128 operations that etcd allows. */
	private static final int MOST_SERVED = 24;

	/** How many reservations that nobody has claimed one transaction takes away. */
	private static final int MOST_ENDED = 8;

	/** How many keys of shares that no longer count one transaction deletes. */
	private static final int MOST_CLEANED = 8;

	final Context context;

	final LockKey key;

	final WholeLock base;

	/** For how long something of this JVM must be able to live. */
	final Set<Duration> needs = new HashSet<>();

	final Map<AttemptId, StoredPart> shares = new LinkedHashMap<>();

	final List<QueueEntry> queue;

	/** Who is to be told that something is reserved for him. */
	final List<QueueEntry> told = new ArrayList<>();

	/** The record, unless the lock is free or shared. */
	@Nullable LockRecord alone;

	/** Lease of the record, {@link StoredPart#OWN} if it is to be on one of this JVM. */
	long lease;

	/** Keys of shares that no longer count are to be deleted too. */
	boolean cleans;

	/** Who has lost what he held and is to be told so. */
	@Nullable AttemptId loser;

	String losersInstance = "";

	/** There was more to be done than fits into one transaction. */
	boolean more;

	private int numbers;

	Draft(Context context, LockKey key, WholeLock base) {
		this.context = context;
		this.key = key;
		this.base = base;
		this.queue = new ArrayList<>(base.lock().queue());
		LockRecord record = base.lock().record();
		this.lease = base.lock().lease();
		int ended = 0;
		for (StoredPart share : base.shares()) {
			if (!share.isHeld() && left(share) <= 0 && ended < MOST_ENDED) {
				ended++;
			}
			else {
				// One that has expired and is not deleted now might still be claimed.
				this.more |= ended == MOST_ENDED;
				this.shares.put(share.attempt(), share);
			}
		}
		this.more |= base.stale().size() > MOST_CLEANED;
		if (record != null && !base.lock().isShared() && (record.state() == LockRecord.State.HELD
				|| context.reservations().left(key.id(), base.lock().revision(), record.time()) > 0)) {
			this.alone = record;
		}
	}

	private long left(StoredPart share) {
		return this.context.reservations().left(shareId(this.key, share.attempt()), share.revision(), share.time());
	}

	static String shareId(LockKey key, AttemptId attempt) {
		return key.id() + "/" + attempt;
	}

	/**
	 * Returns keys of shares that no longer count, which are to be deleted by the way.
	 */
	List<ByteSequence> stale() {
		List<ByteSequence> all = this.base.stale();
		return all.subList(0, Math.min(MOST_CLEANED, all.size()));
	}

	// ---- What there is

	boolean isFree() {
		return this.alone == null && this.shares.isEmpty();
	}

	boolean isHeldBy(AttemptId attempt) {
		return this.alone != null && this.alone.isHeldBy(attempt);
	}

	boolean isReservedFor(AttemptId attempt) {
		return this.alone != null && this.alone.isReservedFor(attempt);
	}

	@Nullable StoredPart heldShare(AttemptId attempt) {
		StoredPart share = this.shares.get(attempt);
		return (share != null && share.isHeld()) ? share : null;
	}

	boolean hasRoom(Share share) {
		return this.alone == null && StoredPart.hasRoom(share,
				this.shares.isEmpty() ? null : this.shares.values().iterator().next(), this.shares.size());
	}

	@Nullable QueueEntry placeOf(AttemptId attempt) {
		return this.queue.stream().filter((place) -> place.attempt().equals(attempt)).findFirst().orElse(null);
	}

	/**
	 * Tells why somebody does not get the lock.
	 */
	Refused refusal(boolean queued) {
		Duration longest = Duration.ofMillis(1);
		String holder = null;
		LockRecord record = this.alone;
		if (record != null) {
			holder = record.instance().isEmpty() ? null : record.instance();
			longest = (record.state() == LockRecord.State.HELD) ? record.time() : Duration.ofNanos(Math.max(1_000_000,
					this.context.reservations().left(this.key.id(), this.base.lock().revision(), record.time())));
		}
		for (StoredPart share : this.shares.values()) {
			Duration left = share.isHeld() ? share.time() : Duration.ofNanos(Math.max(1_000_000, left(share)));
			if (holder == null || left.compareTo(longest) > 0) {
				holder = share.instance();
				longest = left;
			}
		}
		return new Refused(holder, longest, queued);
	}

	// ---- What is to be

	void free() {
		this.alone = null;
	}

	/**
	 * Gives the lock to one attempt of this JVM.
	 */
	LockRecord hold(AttemptId attempt, Duration ttl, int tokens) {
		LockRecord held = LockRecord.held(attempt, this.context.instance(), ttl,
				Math.max(1, Math.min(tokens, LockRecord.TOKENS_OF_A_REVISION)));
		own(held);
		return held;
	}

	/**
	 * Writes what this JVM has again, on one of its leases.
	 */
	void own(LockRecord record) {
		this.alone = record;
		this.lease = StoredPart.OWN;
		this.needs.add(record.time());
	}

	/**
	 * Gives an attempt of this JVM a share, or its full ttl once more.
	 */
	StoredPart holdShare(AttemptId attempt, Share share, Duration ttl) {
		StoredPart before = this.shares.get(attempt);
		StoredPart held = ((before != null) ? before : part(attempt, this.context.instance(), share, ttl, 0)).held(ttl);
		this.shares.put(attempt, held);
		this.needs.add(ttl);
		return held;
	}

	/**
	 * Ends a share but keeps its room taken, by nobody.
	 */
	void keepShare(StoredPart share, Duration keepFor) {
		this.shares.put(share.attempt(), share.cooling(keepFor));
		this.needs.add(keepFor);
	}

	private StoredPart part(AttemptId attempt, String instance, Share share, Duration time, long lease) {
		return new StoredPart(this.context.layout().share(this.key.id(), attempt), attempt, instance,
				LockRecord.State.RESERVED, share, time, 0, 0, lease);
	}

	/**
	 * Puts an attempt of this JVM into the queue, or refreshes its place.
	 */
	void enqueue(AttemptId attempt, QueueEntry.Kind kind, @Nullable Share share) {
		ByteSequence place = switch (kind) {
			case JVM -> this.context.layout().entry(this.key.id(), this.context.instance());
			case READERS -> this.context.layout().readersEntry(this.key.id(), this.context.instance());
			case CALLER, PERMIT -> this.context.layout().callersEntry(this.key.id(), this.context.instance(), attempt);
		};
		int limit = (share instanceof Share.Permits permits) ? permits.limit() : 0;
		this.needs.add(this.context.queueEntryTtl());
		for (int i = 0; i < this.queue.size(); i++) {
			QueueEntry known = this.queue.get(i);
			if (known.key().equals(place)) {
				if (!known.attempt().equals(attempt) || known.limit() != limit) {
					this.queue.set(i, known.takenOver(attempt, limit));
				}
				return;
			}
		}
		this.queue.add(new QueueEntry(place, attempt, this.context.instance(), Instant.now(), kind, limit,
				this.numbers++, Long.MAX_VALUE, 0, StoredPart.OWN));
	}

	void leaveQueue(Predicate<QueueEntry> who) {
		this.queue.removeIf(who);
	}

	/**
	 * Reserves the lock for those in the queue whose turn it is.
	 * @param answered tells who needs no signal, since the answer to the command tells it
	 * @return whether there was any
	 */
	boolean serve(Predicate<QueueEntry> answered) {
		int served = 0;
		while (!this.queue.isEmpty()) {
			QueueEntry next = this.queue.get(0);
			Share share = shareOf(next);
			if (served == MOST_SERVED) {
				this.more = true;
				break;
			}
			if (share != null && hasRoom(share)) {
				this.shares.put(next.attempt(),
						part(next.attempt(), next.instance(), share, this.context.reservation(), next.lease()));
				this.needs.add(this.context.reservation());
			}
			else if (share == null && isFree()) {
				this.alone = LockRecord.reserved(next, this.context.reservation());
				this.lease = next.lease();
			}
			else {
				break;
			}
			this.queue.remove(0);
			served++;
			if (!answered.test(next)) {
				this.told.add(next);
			}
		}
		return served > 0;
	}

	private static @Nullable Share shareOf(QueueEntry place) {
		return switch (place.kind()) {
			case JVM, CALLER -> null;
			case READERS -> Share.READERS;
			case PERMIT -> new Share.Permits(place.limit());
		};
	}

	/**
	 * Returns the longest time for which a share lives without renewal.
	 */
	Duration longest() {
		return this.shares.values().stream().map(StoredPart::time).max(Duration::compareTo).orElse(Duration.ZERO);
	}

}
