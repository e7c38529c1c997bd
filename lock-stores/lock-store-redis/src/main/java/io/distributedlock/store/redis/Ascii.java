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

	static String text(byte[] bytes, int from, int to) {
		return new String(bytes, from, to - from, StandardCharsets.ISO_8859_1);
	}

	/**
	 * Reads a whole number.
	 * @throws NumberFormatException if it is none, or has more than 18 digits
	 */
	static long number(byte[] bytes, int from, int to) {
		boolean negative = from < to && bytes[from] == '-';
		int start = negative ? from + 1 : from;
		if (start >= to || to - start > 18) {
			throw new NumberFormatException("'" + text(bytes, from, to) + "' is not a number");
		}
		long number = 0;
		for (int i = start; i < to; i++) {
			int digit = bytes[i] - '0';
			if (digit < 0 || digit > 9) {
				throw new NumberFormatException("'" + text(bytes, from, to) + "' is not a number");
			}
			number = 10 * number + digit;
		}
		return negative ? -number : number;
	}

	/**
	 * Writes a number with leading zeros.
	 */
	static void pad(byte[] to, int at, long number, int digits) {
		long rest = number;
		for (int i = at + digits - 1; i >= at; i--) {
			to[i] = (byte) ('0' + rest % 10);
			rest /= 10;
		}
	}

}
