package io.distributedlock;

import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.CodingErrorAction;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.UUID;

import org.jspecify.annotations.Nullable;

/**
 * What is locked: a name of low cardinality ({@code stock}) and the parts that tell one
 * instance from another ({@code 42}). A key without parts is one lock for the whole name.
 * <p>
 * Two keys are equal if and only if their names and parts are equal: {@code ("a", "b:c")}
 * is never the same lock as {@code ("a:b", "c")}.
 * <p>
 * Immutable and safe for use by many threads.
 */
public final class LockKey {

	/** Longest {@linkplain #id() id}, in bytes; what is longer is hashed. */
	public static final int MAX_ID_LENGTH = 512;

	/** Longest name, in characters. */
	public static final int MAX_NAME_LENGTH = 128;

	private static final String PLAIN_PUNCTUATION = "._-";

	/** Is never part of an encoded name or part. */
	private static final char HASHED = '~';

	private final String name;

	private final String id;

	/**
	 * Null if they can be read from the id, as they mostly can: they would be a third of
	 * what a key costs, and only operators look at them.
	 */
	private final @Nullable List<String> hashedParts;

	private LockKey(String name, List<String> parts) {
		this.name = name;
		this.id = id(name, parts);
		this.hashedParts = (this.id.indexOf(HASHED) >= 0) ? parts : null;
	}

	/**
	 * Makes a key.
	 * @param name what the lock protects; not blank, at most {@value #MAX_NAME_LENGTH}
	 * characters
	 * @param parts what tells this instance from the others; text, numbers, booleans,
	 * characters, UUIDs or enum constants (by name), none of them null or blank
	 * @return the key
	 * @throws IllegalArgumentException if the name or a part is not usable; the message
	 * says which and why
	 */
	public static LockKey of(String name, @Nullable Object... parts) {
		if (name.isBlank()) {
			throw new IllegalArgumentException(
					"The lock name is blank. Give what the lock protects, such as \"stock\".");
		}
		if (name.length() > MAX_NAME_LENGTH) {
			throw new IllegalArgumentException("The lock name '" + name.substring(0, 32) + "...' has " + name.length()
					+ " characters, at most " + MAX_NAME_LENGTH + " are allowed. Put what varies into the key.");
		}
		if (parts.length == 1) {
			return new LockKey(name, List.of(text(name, parts[0], 0)));
		}
		List<String> texts = new ArrayList<>(parts.length);
		for (int i = 0; i < parts.length; i++) {
			texts.add(text(name, parts[i], i));
		}
		return new LockKey(name, List.copyOf(texts));
	}

	private static String text(String name, @Nullable Object part, int index) {
		if (part == null) {
			throw new IllegalArgumentException(at(name, index) + " is null. A null key would make all callers share"
					+ " one lock; use a key without parts if that is what you want.");
		}
		String text;
		if (part instanceof CharSequence || part instanceof Number || part instanceof Boolean
				|| part instanceof Character || part instanceof UUID) {
			text = part.toString();
		}
		else if (part instanceof Enum<?> constant) {
			text = constant.name();
		}
		else {
			throw new IllegalArgumentException(at(name, index) + " is a " + part.getClass().getName()
					+ ", whose text may differ from one JVM to the next. Use a String, Number, Boolean, Character,"
					+ " UUID or enum constant.");
		}
		if (text.isBlank()) {
			throw new IllegalArgumentException(
					at(name, index) + " is blank. Use a key without parts for one lock" + " per name.");
		}
		return text;
	}

	private static String at(String name, int index) {
		return "Part " + (index + 1) + " of the key of lock '" + name + "'";
	}

	private static String id(String name, List<String> parts) {
		StringBuilder id = new StringBuilder(name.length() + 24);
		encode(name, id);
		for (String part : parts) {
			id.append(':');
			encode(part, id);
		}
		if (id.length() <= MAX_ID_LENGTH) {
			return id.toString();
		}
		// A hash cannot meet a key that only looks like one.
		StringBuilder hashed = new StringBuilder(MAX_ID_LENGTH);
		encode(name, hashed);
		if (hashed.length() > MAX_ID_LENGTH - 66) {
			hashed.setLength(0);
		}
		else {
			hashed.append(':');
		}
		return hashed.append(HASHED).append(sha256(id.toString())).toString();
	}

	private static void encode(String text, StringBuilder to) {
		int plain = 0;
		while (plain < text.length() && isPlain(text.charAt(plain))) {
			plain++;
		}
		to.append(text, 0, plain);
		if (plain == text.length()) {
			return;
		}
		ByteBuffer bytes;
		try {
			bytes = StandardCharsets.UTF_8.newEncoder()
				.onMalformedInput(CodingErrorAction.REPORT)
				.encode(CharBuffer.wrap(text, plain, text.length()));
		}
		catch (CharacterCodingException ex) {
			throw new IllegalArgumentException("A lock name or key holds half a surrogate pair, which has no encoding;"
					+ " two different keys could become one. Use well-formed text.", ex);
		}
		while (bytes.hasRemaining()) {
			byte b = bytes.get();
			if (b >= 0 && isPlain((char) b)) {
				to.append((char) b);
			}
			else {
				to.append('%');
				to.append(Character.toUpperCase(Character.forDigit((b >> 4) & 0xF, 16)));
				to.append(Character.toUpperCase(Character.forDigit(b & 0xF, 16)));
			}
		}
	}

	private static String decode(String encoded) {
		if (encoded.indexOf('%') < 0) {
			return encoded;
		}
		byte[] bytes = new byte[encoded.length()];
		int length = 0;
		for (int i = 0; i < encoded.length(); i++) {
			char c = encoded.charAt(i);
			if (c == '%') {
				bytes[length++] = (byte) HexFormat.fromHexDigits(encoded, i + 1, i + 3);
				i += 2;
			}
			else {
				bytes[length++] = (byte) c;
			}
		}
		return new String(bytes, 0, length, StandardCharsets.UTF_8);
	}

	private static boolean isPlain(char c) {
		return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z')
				|| PLAIN_PUNCTUATION.indexOf(c) >= 0;
	}

	private static String sha256(String text) {
		try {
			byte[] digest = MessageDigest.getInstance("SHA-256").digest(text.getBytes(StandardCharsets.US_ASCII));
			return HexFormat.of().formatHex(digest);
		}
		catch (NoSuchAlgorithmException ex) {
			throw new IllegalStateException("Every Java platform has SHA-256", ex);
		}
	}

	/**
	 * Returns what the lock protects.
	 * @return the name, never blank
	 */
	public String name() {
		return this.name;
	}

	/**
	 * Returns what tells this instance from the others.
	 * @return the parts as text, unmodifiable, empty for one lock per name
	 */
	public List<String> parts() {
		if (this.hashedParts != null) {
			return this.hashedParts;
		}
		String[] encoded = this.id.split(":");
		return Arrays.stream(encoded).skip(1).map(LockKey::decode).toList();
	}

	/**
	 * Returns the form in which stores and endpoints name this key: name and parts,
	 * percent-encoded except {@code [A-Za-z0-9._-]} and joined by colons. Longer than
	 * {@value #MAX_ID_LENGTH} bytes, the parts are replaced by {@code ~} and the SHA-256
	 * of the whole.
	 * @return the id, ASCII, the same for equal keys only
	 */
	public String id() {
		return this.id;
	}

	@Override
	public boolean equals(@Nullable Object other) {
		return this == other || (other instanceof LockKey that && this.id.equals(that.id));
	}

	@Override
	public int hashCode() {
		return this.id.hashCode();
	}

	/**
	 * Returns the {@linkplain #id() id}, which is safe to log.
	 */
	@Override
	public String toString() {
		return this.id;
	}

}
