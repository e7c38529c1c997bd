package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.TreeSet;

/**
 * For which waiting seats of a {@link CallerGate} the store is to be asked, and when. A
 * seat is
 * <ul>
 * <li>ready, if it is {@linkplain Seat#due due} and nothing is under way for it,</li>
 * <li>or asked for, until the answer comes,</li>
 * <li>or it rests until {@link Seat#dueAt}.</li>
 * </ul>
 * Each step costs the logarithm of the number of seats, however many wait: each of them
 * is asked for again and again.
 * <p>
 * Guarded by the gate's mutex.
 */
final class Agenda {

	private static final Comparator<Seat> IN_ORDER = Comparator.comparingLong((seat) -> seat.number);

	/** Callers that wait, and so have a place in the queue. */
	private final TreeSet<Seat> ready = new TreeSet<>(IN_ORDER);

	/** Callers that do not wait. */
	private final TreeSet<Seat> readyOnce = new TreeSet<>(IN_ORDER);

	private final TreeSet<Seat> resting = new TreeSet<>(
			Comparator.comparingLong((Seat seat) -> seat.dueAt).thenComparing(IN_ORDER));

	private long numbers;

	/** A seat is new, or has a new attempt: it is the last one now, and due. */
	void add(Seat seat) {
		remove(seat);
		seat.number = this.numbers++;
		due(seat);
	}

	/** A seat is to be asked for as soon as nothing is under way for it. */
	void due(Seat seat) {
		seat.due = true;
		this.resting.remove(seat);
		if (!seat.asked) {
			readyLike(seat).add(seat);
		}
	}

	/** A seat that nothing is under way for is to be asked for at a moment. */
	void dueAt(Seat seat, long moment) {
		this.resting.remove(seat);
		seat.dueAt = moment;
		if (!seat.due) {
			this.resting.add(seat);
		}
	}

	/** Makes those due whose moment has come. */
	void wake(long now) {
		while (!this.resting.isEmpty() && this.resting.first().dueAt <= now) {
			due(this.resting.first());
		}
	}

	/** Returns when the next one becomes due by itself. */
	long next() {
		return this.resting.isEmpty() ? Long.MAX_VALUE : this.resting.first().dueAt;
	}

	/** Takes all that are ready, in the order in which they came. */
	List<Seat> takeAll() {
		if (this.readyOnce.isEmpty()) {
			return takePatient();
		}
		List<Seat> taken = takeImpatient();
		taken.addAll(takePatient());
		taken.sort(IN_ORDER);
		return taken;
	}

	/** Takes the ready ones that wait, in the order in which they came. */
	List<Seat> takePatient() {
		return take(this.ready);
	}

	/** Takes the ready ones that do not wait. */
	List<Seat> takeImpatient() {
		return take(this.readyOnce);
	}

	private static List<Seat> take(TreeSet<Seat> from) {
		List<Seat> taken = new ArrayList<>(from);
		from.clear();
		for (Seat seat : taken) {
			seat.asked = true;
			seat.due = false;
		}
		return taken;
	}

	/** Nothing is under way for a seat any more. */
	void answered(Seat seat) {
		seat.asked = false;
		if (seat.due) {
			due(seat);
		}
	}

	/** A seat waits no longer. What is under way for it stays so. */
	void remove(Seat seat) {
		this.resting.remove(seat);
		readyLike(seat).remove(seat);
		seat.due = false;
	}

	private TreeSet<Seat> readyLike(Seat seat) {
		return seat.waiter.waits() ? this.ready : this.readyOnce;
	}

}
