package io.distributedlock.store.redis;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The Lua scripts. Each file says what its keys, arguments and answers are.
 */
enum LockScript {

	/** Asks for grants, and gives grants back. */
	LEASE("lease-plain", "record", "time", "tokens", "enqueue", "next", "lease"),

	/** Gives a grant back and asks for the next. */
	EXCHANGE("record", "clock", "mark", "tokens", "next", "enqueue", "exchange"),

	/** Keeps grants alive. */
	RENEW("renew-plain", "record", "renew"),

	/** Gives a grant more tokens. */
	EXTEND("record", "clock", "mark", "tokens", "extend"),

	/** Writes the tokens of a quorum into a grant. */
	RAISE("record", "raise"),

	/** Takes away what an attempt has. */
	ABANDON("record", "clock", "next", "abandon"),

	/** Asks for a share of a lock. */
	SHARE("record", "clock", "mark", "tokens", "next", "enqueue", "share", "share"),

	/** Keeps shares alive. */
	SHARE_RENEW("record", "clock", "next", "share-renew"),

	/** Gives a share its full ttl if nobody waits. */
	SHARE_EXTEND("record", "clock", "next", "share", "share-extend"),

	/** Gives a share back, or takes away what an attempt for one has. */
	SHARE_RELEASE("record", "clock", "next", "share", "share-release"),

	/** Turns a grant into a reader's share. */
	DOWNGRADE("record", "clock", "next", "share", "downgrade"),

	/** Asks for a lock for callers in strict order. */
	LINE("record", "clock", "mark", "tokens", "next", "enqueue", "line"),

	/** Gives a grant back to the next caller in strict order. */
	LINE_RELEASE("record", "clock", "mark", "tokens", "next", "line-release"),

	/** Tells what is known of a lock. */
	INSPECT("record", "clock", "inspect"),

	/** Ends a grant by its token. */
	FORCE_RELEASE("record", "clock", "next", "force-release"),

	/** Says how many replicas there should be. */
	REPLICAS("replicas"),

	/** Finds commands that are not permitted. */
	PROBE("probe");

	private final byte[] source;

	private final byte[] digest;

	LockScript(String... parts) {
		StringBuilder text = new StringBuilder();
		for (int i = 0; i < parts.length; i++) {
			text.append(read((i < parts.length - 1) ? "part-" + parts[i] : parts[i]));
		}
		this.source = text.toString().getBytes(StandardCharsets.US_ASCII);
		this.digest = sha1(this.source);
	}

	private static String read(String name) {
		String file = name + ".lua";
		try (InputStream in = LockScript.class.getResourceAsStream(file)) {
			if (in == null) {
				throw new IllegalStateException("The script " + file + " is not on the classpath. In a native image,"
						+ " register io/distributedlock/store/redis/*.lua as resources.");
			}
			return new String(in.readAllBytes(), StandardCharsets.US_ASCII);
		}
		catch (IOException ex) {
			throw new UncheckedIOException("Cannot read the script " + file, ex);
		}
	}

	private static byte[] sha1(byte[] source) {
		try {
			// Redis names scripts by SHA-1; nothing here relies on its strength.
			byte[] hash = MessageDigest.getInstance("SHA-1").digest(source);
			return HexFormat.of().formatHex(hash).getBytes(StandardCharsets.US_ASCII);
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException("Every Java platform has SHA-1", ex);
		}
	}

	/**
	 * Tells whether several operations can go out in one call, and are answered with a
	 * line for each.
	 */
	boolean answersInLines() {
		return this == LEASE || renews();
	}

	/**
	 * Tells whether it only keeps alive what is there.
	 */
	boolean renews() {
		return this == RENEW || this == SHARE_RENEW;
	}

	/**
	 * Returns the text. The array is not to be changed.
	 */
	byte[] source() {
		return this.source;
	}

	/**
	 * Returns the name that Redis gives to the text. The array is not to be changed.
	 */
	byte[] digest() {
		return this.digest;
	}

}
