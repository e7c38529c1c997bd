package io.distributedlock.store.redis;

import java.nio.charset.StandardCharsets;

/**
 * Turns the ASCII texts of the protocol into bytes and back.
 */
final class Ascii {

	/** {@code 0}. */
	static final byte[] ZERO = bytes("0");

	/** {@code 1}. */
	static final byte[] ONE = bytes("1");

	private Ascii() {
	}

	static byte[] bytes(String text) {
		return text.getBytes(StandardCharsets.ISO_8859_1);
	}

	static byte[] bytes(long number) {
		return (number == 1) ? ONE : bytes(Long.toString(number));
	}

	static String text(byte[] bytes) {
		return new String(bytes, StandardCharsets.ISO_8859_1);
	}

}
