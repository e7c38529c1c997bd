package io.distributedlock.test;

import java.util.List;

import io.distributedlock.LockKey;

/**
 * Keys that careless stores take for one another, or for something else.
 */
final class OddKeys {

	private OddKeys() {
	}

	static List<LockKey> withPrefix(String prefix) {
		String longText = "x".repeat(600);
		return List.of(LockKey.of("contract"), key(prefix, "a", "b:c"), key(prefix, "a:b", "c"), key(prefix, "a:b:c"),
				key(prefix, "a", "b", "c"), key(prefix, "A", "b", "c"), key(prefix, "{}"), key(prefix, "{a}b"),
				key(prefix, "{a}c"), key(prefix, "a", "q"), key(prefix, ":q:"), key(prefix, "q"), key(prefix, "*"),
				key(prefix, "?"), key(prefix, "a "), key(prefix, "a"), key(prefix, " a"), key(prefix, "a\n"),
				key(prefix, "a\u0000"), key(prefix, "%20"), key(prefix, "%2520"), key(prefix, "'; DROP TABLE locks;--"),
				key(prefix, "/"), key(prefix, "a/b"), key(prefix, ".."), key(prefix, "e"), key(prefix, "\u00e9"),
				key(prefix, "e\u0301"), key(prefix, "\u5e93\u5b58"), key(prefix, "\ud83d\udd12"), key(prefix, "~"),
				key(prefix, longText), key(prefix, longText + "y"), key(prefix, longText, "y"));
	}

	private static LockKey key(String prefix, String... parts) {
		Object[] all = new Object[parts.length + 1];
		all[0] = prefix;
		System.arraycopy(parts, 0, all, 1, parts.length);
		return LockKey.of("contract", all);
	}

}
