package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.stream.Collectors;

import io.distributedlock.LockKey;

/**
 * What happened in a race, and what must not have happened.
 */
final class History {

	private final Queue<Hold> holds = new ConcurrentLinkedQueue<>();

	void add(Hold hold) {
		this.holds.add(hold);
	}

	int size() {
		return this.holds.size();
	}

	/**
	 * Returns what is wrong with this history.
	 * @return one sentence for each violation
	 */
	List<String> violations() {
		Map<LockKey, List<Hold>> byKey = this.holds.stream().collect(Collectors.groupingBy(Hold::key));
		List<String> violations = new ArrayList<>();
		byKey.values().forEach((holds) -> {
			findOverlaps(holds, violations);
			findTokensUsedTwice(holds, violations);
			findTokensOutOfOrder(holds, violations);
		});
		return violations;
	}

	/**
	 * Two callers that both knew for certain that they held the lock.
	 */
	private static void findOverlaps(Collection<Hold> holds, List<String> violations) {
		Hold longest = null;
		for (Hold hold : sorted(holds, Comparator.comparingLong(Hold::returned))) {
			if (longest != null && hold.returned() - longest.heldUntil() < 0) {
				violations.add(hold + " began while " + longest + " was held, "
						+ Duration.ofNanos(longest.heldUntil() - hold.returned()) + " too early");
			}
			if (longest == null || hold.heldUntil() - longest.heldUntil() > 0) {
				longest = hold;
			}
		}
	}

	private static void findTokensUsedTwice(Collection<Hold> holds, List<String> violations) {
		Hold before = null;
		for (Hold hold : sorted(holds, Comparator.comparingLong(Hold::token))) {
			if (before != null && hold.token() == before.token()) {
				violations.add(hold + " has the token of " + before);
			}
			before = hold;
		}
	}

	/**
	 * A call that began after another had returned must have the higher token.
	 */
	private static void findTokensOutOfOrder(Collection<Hold> holds, List<String> violations) {
		List<Hold> byReturn = sorted(holds, Comparator.comparingLong(Hold::returned));
		Hold highest = null;
		int next = 0;
		for (Hold hold : sorted(holds, Comparator.comparingLong(Hold::invoked))) {
			while (next < byReturn.size() && byReturn.get(next).returned() - hold.invoked() < 0) {
				Hold returned = byReturn.get(next++);
				if (highest == null || returned.token() > highest.token()) {
					highest = returned;
				}
			}
			if (highest != null && hold.token() < highest.token()) {
				violations.add(hold + " came after " + highest + " and has a lower token");
			}
		}
	}

	private static List<Hold> sorted(Collection<Hold> holds, Comparator<Hold> order) {
		return holds.stream().sorted(order).toList();
	}

	/**
	 * A lease that was held for certain when its call returned. Times are readings of
	 * {@link System#nanoTime()}, counted from the start of the race.
	 *
	 * @param key which lock
	 * @param caller who
	 * @param token its fencing token
	 * @param invoked when the caller asked
	 * @param returned when it was told that it holds the lock
	 * @param heldUntil the last time when it held the lock for certain
	 */
	record Hold(LockKey key, String caller, long token, long invoked, long returned, long heldUntil) {

		@Override
		public String toString() {
			return this.caller + " with token " + this.token + " on " + this.key + " at "
					+ Duration.ofNanos(this.returned);
		}

	}

}
