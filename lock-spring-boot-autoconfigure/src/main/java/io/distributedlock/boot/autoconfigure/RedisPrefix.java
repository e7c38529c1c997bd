package io.distributedlock.boot.autoconfigure;

/**
 * What may stand before keys in Redis.
 */
public final class RedisPrefix {

	private RedisPrefix() {
	}

	/**
	 * Checks a prefix.
	 * @param property where it was set
	 * @param prefix the prefix
	 * @throws IllegalArgumentException if it cannot be used
	 */
	public static void check(String property, String prefix) {
		if (prefix.isEmpty() || !prefix.chars().allMatch((c) -> c > ' ' && c < 127 && "{}*?[]\\".indexOf(c) < 0)) {
			throw new IllegalArgumentException(property + " is '" + prefix
					+ "'. Use ASCII characters without blanks and {}*?[]\\, such as \"lock:\".");
		}
	}

}
