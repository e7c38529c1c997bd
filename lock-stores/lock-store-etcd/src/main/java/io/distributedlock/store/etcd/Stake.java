package io.distributedlock.store.etcd;

import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * What this JVM has in etcd under one attempt, or may have since an answer was lost: a
 * grant, a reservation or a place in the queue. The only place where a JVM keeps its own
 * time of things: when a grant was not renewed or a place not refreshed, the JVM itself
 * takes it away.
 * <p>
 * {@code ASKING → QUEUED → RESERVED → HELD} in any direction that answers tell; then once
 * and for all <em>over</em>, when it is being taken away. An attempt that is over may be
 * asked for again only when nothing is left of it.
 * <p>
 * A request without an answer stays listed here. It can still be executed as long as the
 * marker of its session is unchanged, so whoever ends the stake changes the marker first.
 */
final class Stake extends Wheel.Entry {

	private static final long FIRST_PAUSE = 500_000_000;

	private static final int MOST_DOUBLINGS = 4;

	final LockKey key;

	final AttemptId attempt;

	/** Completes when nothing of it is left in etcd and never will be again. */
	final CompletableFuture<Void> gone = new CompletableFuture<>();

	private final EndOperation.Starter starter;

	/** Has a share, or a place in a queue of its own. */
	private volatile boolean scripted;

	// All below is guarded by this.

	private final Set<Request> unanswered = new HashSet<>(2);

	private State state = State.ASKING;

	private boolean over;

	private boolean unsure;

	private @Nullable Session session;

	private long revision;

	private @Nullable LockRecord record;

	private @Nullable List<QueueEntry> others;

	private Instant since = Instant.EPOCH;

	private long end;

	private int retries;

	Stake(LockKey key, AttemptId attempt, EndOperation.Starter starter) {
		this.key = key;
		this.attempt = attempt;
		this.starter = starter;
	}

	/**
	 * Notes that it is for a share or for strict order: what it has is taken away by a
	 * {@link Script}.
	 */
	void scripted() {
		this.scripted = true;
	}

	boolean isScripted() {
		return this.scripted;
	}

	/**
	 * Notes that a request is about to be sent.
	 * @return false if it must not, since the stake is being taken away
	 */
	synchronized boolean sending(Request request) {
		if (this.over) {
			return false;
		}
		this.unanswered.add(request);
		return true;
	}

	synchronized void answered(Request request) {
		this.unanswered.remove(request);
	}

	/**
	 * Returns a session with requests that may still be executed, or null.
	 */
	synchronized @Nullable Session doubtful() {
		this.unanswered.removeIf((request) -> request.session == null || request.session.hasEnded()
				|| request.session.markerRevision() != request.markerRevision);
		return this.unanswered.isEmpty() ? null : this.unanswered.iterator().next().session;
	}

	/**
	 * Notes that etcd may have something of this attempt that nobody knows of.
	 * @param end when to take it away, if nobody has asked again before
	 */
	synchronized void unsure(long end) {
		this.unsure = true;
		if (this.state != State.HELD) {
			this.end = end;
		}
	}

	/**
	 * Notes that it could not be taken away, which is tried again later: each time after
	 * twice the pause, since thousands may have to be after an outage.
	 */
	synchronized void retry(long now) {
		this.unsure = true;
		this.end = now + (FIRST_PAUSE << this.retries);
		this.retries = Math.min(this.retries + 1, MOST_DOUBLINGS);
	}

	synchronized boolean isUnsure() {
		return this.unsure;
	}

	/**
	 * Begins to take away what the stake has.
	 */
	synchronized void finish() {
		this.over = true;
	}

	synchronized boolean isOver() {
		return this.over;
	}

	/**
	 * Notes a grant.
	 * @param session whose lease it ends with
	 * @param record as it is in etcd
	 * @param revision of the record's latest write
	 * @param others who waits, or null if that is not known
	 * @param end when it ends without renewal
	 * @return false if the stake is being taken away
	 */
	synchronized boolean held(Session session, LockRecord record, long revision, @Nullable List<QueueEntry> others,
			long end) {
		if (this.over) {
			return false;
		}
		attach(session);
		this.state = State.HELD;
		this.record = record;
		this.revision = revision;
		this.others = others;
		this.end = end;
		if (this.unanswered.isEmpty()) {
			this.unsure = false;
		}
		return true;
	}

	/**
	 * Notes a renewal, unless the grant has ended meanwhile.
	 */
	synchronized boolean renewed(long revision, long end) {
		if (!isHeld(System.nanoTime())) {
			return false;
		}
		if (this.revision != revision) {
			this.revision = revision;
			this.others = null;
		}
		this.end = end;
		return true;
	}

	/**
	 * Notes a place in the queue.
	 */
	synchronized boolean queued(Session session, long revision, Instant since, long end) {
		if (this.over) {
			return false;
		}
		attach(session);
		this.state = State.QUEUED;
		this.revision = revision;
		this.since = since;
		this.end = end;
		return true;
	}

	/**
	 * Keeps a place in the queue.
	 */
	synchronized boolean refreshed(long end) {
		if (this.over || this.state != State.QUEUED) {
			return false;
		}
		this.end = end;
		return true;
	}

	/**
	 * Notes a signal that the lock is reserved. One that is older than the latest place
	 * in the queue came late and says nothing.
	 * @param revision of the record that says so
	 * @param end when the reservation ends, at the latest
	 */
	synchronized boolean reserved(long revision, long end) {
		if (this.over || this.state == State.HELD || (this.state == State.QUEUED && revision <= this.revision)) {
			return false;
		}
		this.state = State.RESERVED;
		this.revision = revision;
		this.end = end;
		return true;
	}

	/**
	 * Forgets what it had: the next answer tells.
	 */
	synchronized void asking() {
		if (this.state != State.ASKING) {
			this.state = State.ASKING;
			this.revision = 0;
			attach(null);
		}
	}

	/**
	 * Notes that a lease has ended. A grant on it begins to be taken away, anything else
	 * on it is forgotten.
	 * @return what was on that lease, or null if it was nothing of this stake
	 */
	synchronized @Nullable State lost(Session ended) {
		if (this.session != ended) {
			return null;
		}
		State before = this.state;
		if (before == State.HELD) {
			this.over = true;
		}
		else {
			asking();
		}
		return before;
	}

	private void attach(@Nullable Session next) {
		Session before = this.session;
		if (before != next) {
			if (before != null) {
				before.users.remove(this);
			}
			this.session = next;
			if (next != null) {
				next.users.add(this);
			}
		}
	}

	synchronized void detach() {
		attach(null);
	}

	synchronized State state() {
		return this.state;
	}

	synchronized boolean isHeld(long now) {
		return this.state == State.HELD && !this.over && this.end - now > 0;
	}

	synchronized @Nullable Session session() {
		return this.session;
	}

	synchronized long revision() {
		return this.revision;
	}

	synchronized @Nullable LockRecord record() {
		return (this.state == State.HELD) ? this.record : null;
	}

	/**
	 * Returns the grant as this JVM remembers it, or null if it has none or does not know
	 * who waits.
	 */
	synchronized @Nullable LockView grant() {
		Session on = this.session;
		List<QueueEntry> known = this.others;
		return (this.state == State.HELD && on != null && known != null)
				? new LockView(this.record, this.revision, on.lease, known) : null;
	}

	/**
	 * Tells whether etcd has taken away what it had, since its lease has ended.
	 */
	synchronized boolean isGoneWithItsLease() {
		return this.session != null && this.session.hasEnded() && this.unanswered.isEmpty();
	}

	/**
	 * Returns who waited when the record was written last, or null if that is not known.
	 */
	synchronized @Nullable List<QueueEntry> others() {
		return this.others;
	}

	synchronized Instant since() {
		return this.since;
	}

	@Override
	synchronized long endsAt() {
		return this.end;
	}

	@Override
	void ended() {
		if (isOverNow()) {
			this.starter.end(this);
		}
		else {
			this.starter.later(this);
		}
	}

	/**
	 * Decides whether its time is over. Since the wheel looked, an answer may have given
	 * it more; from now on no answer can.
	 */
	private synchronized boolean isOverNow() {
		if (this.end - System.nanoTime() > 0) {
			return false;
		}
		this.over = true;
		return true;
	}

	/**
	 * What the attempt has, by the latest answer.
	 */
	enum State {

		ASKING, QUEUED, RESERVED, HELD

	}

}
