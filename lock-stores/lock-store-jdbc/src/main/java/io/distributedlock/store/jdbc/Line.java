package io.distributedlock.store.jdbc;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

/**
 * The queue of one lock, of all kinds, in the order in which they came.
 */
final class Line implements Iterable<Claim> {

	private final Map<String, Claim> places = new LinkedHashMap<>(2);

	private long last;

	private boolean unsorted;

	/**
	 * Adds what was read.
	 */
	void add(Claim place) {
		this.unsorted |= place.since() < this.last;
		this.places.put(place.name(), place);
		this.last = Math.max(this.last, place.since());
	}

	/**
	 * Puts in order what came from two tables.
	 */
	void sort() {
		if (this.unsorted) {
			List<Claim> all = new ArrayList<>(this.places.values());
			all.sort(Comparator.comparingLong(Claim::since));
			this.places.clear();
			all.forEach((place) -> this.places.put(place.name(), place));
			this.unsorted = false;
		}
	}

	/**
	 * Puts somebody at the end, or refreshes the place that it has.
	 * @param wanted the place, whose time is now
	 */
	void enqueue(Claim wanted) {
		long now = wanted.since();
		String name = wanted.name();
		Claim known = this.places.get(name);
		if (known != null && known.isAlive(now)) {
			this.places.put(name, known.again(wanted.attempt(), wanted.expiresAt()));
			return;
		}
		// It had its chance; others came while nobody saw it.
		this.places.remove(name);
		// Two may come within one tick of the clock, or it may be set back.
		add(Claim.place(wanted.kind(), wanted.instance(), wanted.attempt(), wanted.permits(),
				Math.max(now, this.last + 1), wanted.expiresAt()));
	}

	@Nullable Claim get(String name) {
		return this.places.get(name);
	}

	void remove(String name) {
		this.places.remove(name);
	}

	/**
	 * Removes the place that one JVM has for an attempt.
	 */
	void remove(String instance, String attempt) {
		this.places.values().removeIf((place) -> place.instance().equals(instance) && place.attempt().equals(attempt));
	}

	void prune(long now) {
		this.places.values().removeIf((place) -> !place.isAlive(now));
	}

	boolean isEmpty() {
		return this.places.isEmpty();
	}

	/**
	 * Tells whether there is anybody but a JVM that waits for the lock for itself.
	 */
	boolean hasOthersThan(String instance) {
		return this.places.size() > (this.places.containsKey(Claim.alone(instance)) ? 1 : 0);
	}

	/**
	 * Tells whether there is anybody but JVMs that want the lock for themselves.
	 */
	boolean hasCallers() {
		return this.places.values().stream().anyMatch((place) -> place.kind() != Claim.Kind.ALONE);
	}

	Collection<Claim> all() {
		return this.places.values();
	}

	@Override
	public Iterator<Claim> iterator() {
		return this.places.values().iterator();
	}

}
