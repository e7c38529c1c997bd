package io.distributedlock.store.jdbc;

import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import io.distributedlock.store.jdbc.Claim.Kind;

/**
 * The shares of a lock that are held, reserved or kept. They are all of one kind.
 */
final class Shares {

	private final Map<String, Claim> parts = new LinkedHashMap<>(2);

	void put(Claim share) {
		this.parts.put(share.attempt(), share);
	}

	@Nullable Claim get(String attempt) {
		return this.parts.get(attempt);
	}

	/**
	 * Returns the share that an attempt holds, null if it holds none.
	 */
	@Nullable Claim held(String attempt) {
		Claim share = this.parts.get(attempt);
		return (share != null && share.isHeld()) ? share : null;
	}

	void remove(String attempt) {
		this.parts.remove(attempt);
	}

	void expire(long now) {
		this.parts.values().removeIf((share) -> !share.isAlive(now));
	}

	void clear() {
		this.parts.clear();
	}

	boolean isEmpty() {
		return this.parts.isEmpty();
	}

	/**
	 * Tells whether one more has room beside these.
	 */
	boolean hasRoom(Kind kind, int permits) {
		if (this.parts.isEmpty()) {
			return true;
		}
		boolean same = this.parts.values().iterator().next().kind() == kind;
		return same && (kind == Kind.READERS || this.parts.size() < permits);
	}

	/** Returns those that are held with a token. */
	List<Claim> withToken(long token) {
		return this.parts.values().stream().filter((share) -> share.isHeld() && share.token() == token).toList();
	}

	/** Returns the one that ends last, if nobody renews. */
	@Nullable Claim last() {
		Claim last = null;
		for (Claim share : this.parts.values()) {
			if (last == null || share.expiresAt() > last.expiresAt()) {
				last = share;
			}
		}
		return last;
	}

	Collection<Claim> all() {
		return this.parts.values();
	}

}
