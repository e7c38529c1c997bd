package io.distributedlock.engine;

import java.util.ArrayDeque;
import java.util.Iterator;
import java.util.function.Function;

import io.distributedlock.LockException;
import org.jspecify.annotations.Nullable;

/**
 * The callers at a gate, in order of arrival. Callers that have cancelled themselves stay
 * in it until they are met or become too many; the counts never include one that has
 * reported so. Guarded by the gate's mutex.
 */
final class WaiterLine {

	/** Cancelled callers that may stay, besides as many as wait. */
	private static final int SLACK = 16;

	/**
	 * Stands for the line of a gate that has none, as long as no caller waits. Nobody may
	 * be added to it.
	 */
	static final WaiterLine NOBODY = new WaiterLine();

	private final ArrayDeque<Waiter> waiters = new ArrayDeque<>(2);

	private int size;

	/** Those of them that want more than one answer. */
	private int patient;

	/** Those that have not been told that somebody else has the lock. */
	private int unannounced;

	/** Those whose owner may have other callers in the line. */
	private int sharing;

	/** The caller that was granted the lock and may not have noticed yet. */
	private @Nullable Waiter starting;

	/** Returns how many wait. */
	int size() {
		return this.size;
	}

	/** Tells whether anybody wants more than one answer. */
	boolean hasPatient() {
		return this.patient > 0;
	}

	/** Tells whether somebody waits, and all who do want more than one answer. */
	boolean onlyPatient() {
		return this.size > 0 && this.size == this.patient && head() != null;
	}

	void add(Waiter waiter, boolean knownBusy) {
		waiter.busy = knownBusy;
		this.waiters.add(waiter);
		count(waiter, 1);
	}

	private void count(Waiter waiter, int change) {
		this.size += change;
		if (waiter.waits()) {
			this.patient += change;
		}
		if (!waiter.busy) {
			this.unannounced += change;
		}
		if (waiter.sharesOwner) {
			this.sharing += change;
		}
	}

	/** Returns the first caller that still waits. */
	@Nullable Waiter head() {
		Waiter first = this.waiters.peek();
		while (first != null && !first.isWaiting()) {
			this.waiters.poll();
			first = this.waiters.peek();
		}
		return first;
	}

	/** Takes the head out of the line; {@link #gone} follows when its fate is known. */
	void pollHead() {
		this.waiters.poll();
	}

	/** A caller that was polled, or that has cancelled itself, waits no longer. */
	void gone(Waiter waiter) {
		count(waiter, -1);
		if (this.waiters.size() > 2 * this.size + SLACK) {
			this.waiters.removeIf((other) -> !other.isWaiting());
		}
	}

	@Nullable Waiter starting() {
		return this.starting;
	}

	void starting(@Nullable Waiter waiter) {
		this.starting = waiter;
	}

	/** The caller that was granted the lock is the first in line again. */
	void putBack(Waiter waiter) {
		this.starting = null;
		this.waiters.addFirst(waiter);
		count(waiter, 1);
	}

	/** Refuses those that want just one answer. */
	void refuseImpatient(Turn turn, Function<Waiter, LockException> exception) {
		if (this.size > this.patient) {
			refuse(turn, true, exception);
		}
	}

	void refuseAll(Turn turn, Function<Waiter, LockException> exception) {
		refuse(turn, false, exception);
	}

	private void refuse(Turn turn, boolean onlyImpatient, Function<Waiter, LockException> exception) {
		Iterator<Waiter> all = this.waiters.iterator();
		while (all.hasNext()) {
			Waiter waiter = all.next();
			if ((!onlyImpatient || !waiter.waits()) && waiter.isWaiting()) {
				all.remove();
				if (waiter.refuse(exception.apply(waiter))) {
					count(waiter, -1);
					turn.deliver(waiter);
				}
			}
		}
	}

	/** Tells those who do not know yet that somebody else has the lock. */
	void announce(Turn turn) {
		if (this.unannounced == 0) {
			return;
		}
		for (Waiter waiter : this.waiters) {
			if (!waiter.busy && waiter.isWaiting()) {
				waiter.busy = true;
				this.unannounced--;
				turn.deliver(waiter);
			}
		}
	}

	/**
	 * Grants all that wait for the owner of a hold that has just begun (rule E11). One of
	 * two callers with the same owner may be the thread that the owner stands for, which
	 * does not know of the other, so it is enough if one of them shares.
	 */
	void grantSameOwner(Hold begun, Waiter opener, long now, Turn turn) {
		if (this.sharing == 0 && !opener.sharesOwner) {
			return;
		}
		Iterator<Waiter> all = this.waiters.iterator();
		while (all.hasNext()) {
			Waiter waiter = all.next();
			if (waiter.owner == begun.owner && waiter.isWaiting()) {
				all.remove();
				LeaseHandle nested = new LeaseHandle(begun, waiter.profile.reads());
				if (waiter.grant(nested)) {
					count(waiter, -1);
					begun.nest(nested, waiter.profile.terms(), now);
					turn.deliver(waiter);
				}
			}
		}
	}

}
