package io.distributedlock.store.jdbc;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * What became of the claims of one lock between reading and writing.
 */
final class ClaimChanges {

	private final Map<String, Claim> read = new HashMap<>(2);

	private final List<Claim> removed = new ArrayList<>(1);

	private final List<Claim> added = new ArrayList<>(1);

	private final List<Claim> updated = new ArrayList<>(1);

	void read(Claim claim) {
		this.read.put(claim.row(), claim);
	}

	/**
	 * Finds what differs.
	 */
	void compare(Collection<Claim> places, Collection<Claim> shares) {
		Map<String, Claim> left = new HashMap<>(this.read);
		for (Collection<Claim> all : List.of(places, shares)) {
			for (Claim claim : all) {
				Claim before = left.remove(claim.row());
				if (before == null) {
					this.added.add(claim);
				}
				else if (!before.equals(claim)) {
					this.updated.add(claim);
				}
			}
		}
		this.removed.addAll(left.values());
	}

	boolean isEmpty() {
		return this.removed.isEmpty() && this.added.isEmpty() && this.updated.isEmpty();
	}

	List<Claim> removed() {
		return this.removed;
	}

	List<Claim> added() {
		return this.added;
	}

	List<Claim> updated() {
		return this.updated;
	}

}
