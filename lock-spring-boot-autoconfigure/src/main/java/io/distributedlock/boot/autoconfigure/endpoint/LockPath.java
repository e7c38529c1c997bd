package io.distributedlock.boot.autoconfigure.endpoint;

import java.nio.charset.StandardCharsets;
import java.util.stream.Stream;

import io.distributedlock.LockInspector;
import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import org.jspecify.annotations.Nullable;

import org.springframework.util.StringUtils;

/**
 * Finds the key that a request means: each path segment after the name is a part. Servers
 * and firewalls refuse paths with an encoded slash or percent sign, so the key may also
 * come as a parameter, in the form that it has in the lock's id.
 */
final class LockPath {

	private LockPath() {
	}

	static LockKey toKey(String name, String[] parts, @Nullable String encoded, LockInspector inspector) {
		if (encoded == null) {
			return LockKey.of(name, (Object[]) parts);
		}
		if (parts.length > 0) {
			throw new IllegalArgumentException("The key is given in the path and as 'key'. Use one of them.");
		}
		if (encoded.startsWith("~")) {
			return seen(name, encoded, inspector);
		}
		Object[] decoded = Stream.of(encoded.split(":", -1))
			.map((part) -> StringUtils.uriDecode(part, StandardCharsets.UTF_8))
			.toArray();
		return LockKey.of(name, decoded);
	}

	// The parts of a hashed key cannot be computed, but they are known here if this
	// instance holds the lock or waits for it.
	private static LockKey seen(String name, String hash, LockInspector inspector) {
		Stream<LockKey> keys = Stream.concat(inspector.held().stream().map(HeldLock::key),
				inspector.waiting().stream().map(WaitedLock::key));
		return keys.filter((key) -> key.name().equals(name) && key.id().endsWith(hash))
			.findFirst()
			.orElseThrow(() -> new IllegalArgumentException("'" + hash
					+ "' is the hash of a long key that this instance"
					+ " neither holds nor waits for. Give the parts of the key in the path, or ask the instance that"
					+ " shows it."));
	}

}
