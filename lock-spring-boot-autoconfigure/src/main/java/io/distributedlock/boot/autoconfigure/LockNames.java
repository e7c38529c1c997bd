package io.distributedlock.boot.autoconfigure;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;

/**
 * Compares lock names as people write them: {@code order-service-buy} is
 * {@code OrderService.buy}, as with property names.
 */
final class LockNames {

	private LockNames() {
	}

	/**
	 * Finds the entry of a lock.
	 * @param name name of the lock
	 * @param entries names in the configuration
	 * @return the entry that is equal, or else one that differs only in case and
	 * punctuation
	 */
	static Optional<String> entryFor(String name, Collection<String> entries) {
		if (entries.contains(name)) {
			return Optional.of(name);
		}
		String wanted = canonical(name);
		return entries.stream().filter((entry) -> canonical(entry).equals(wanted)).sorted().findFirst();
	}

	static boolean matches(String name, String entry) {
		return canonical(name).equals(canonical(entry));
	}

	/**
	 * Finds the name that was probably meant.
	 * @return the name with the fewest letters to change, if those are less than half
	 */
	static Optional<String> nearest(String entry, Collection<String> names) {
		String wanted = canonical(entry);
		return names.stream()
			.filter((name) -> distance(wanted, canonical(name)) * 2 <= Math.max(wanted.length(),
					canonical(name).length()))
			.min(Comparator.<String>comparingInt((name) -> distance(wanted, canonical(name)))
				.thenComparing(Comparator.naturalOrder()));
	}

	/**
	 * Tells whether a name is another one, or that one misspelt: at most two letters are
	 * wrong, and at most a quarter of them.
	 */
	static boolean resembles(String name, String other) {
		return distance(name, other) <= Math.min(2, (other.length() + 1) / 4);
	}

	private static String canonical(String name) {
		StringBuilder canonical = new StringBuilder(name.length());
		name.codePoints().filter(Character::isLetterOrDigit).forEach(canonical::appendCodePoint);
		return (canonical.length() > 0) ? canonical.toString().toLowerCase(Locale.ROOT) : name;
	}

	// Letters to insert, remove, replace, or swap with their neighbour.
	private static int distance(String from, String to) {
		int[][] changes = new int[from.length() + 1][to.length() + 1];
		for (int i = 0; i <= from.length(); i++) {
			changes[i][0] = i;
		}
		for (int j = 0; j <= to.length(); j++) {
			changes[0][j] = j;
		}
		for (int i = 1; i <= from.length(); i++) {
			for (int j = 1; j <= to.length(); j++) {
				int replaced = changes[i - 1][j - 1] + ((from.charAt(i - 1) != to.charAt(j - 1)) ? 1 : 0);
				changes[i][j] = Math.min(replaced, Math.min(changes[i - 1][j], changes[i][j - 1]) + 1);
				if (i > 1 && j > 1 && from.charAt(i - 1) == to.charAt(j - 2)
						&& from.charAt(i - 2) == to.charAt(j - 1)) {
					changes[i][j] = Math.min(changes[i][j], changes[i - 2][j - 2] + 1);
				}
			}
		}
		return changes[from.length()][to.length()];
	}

}
