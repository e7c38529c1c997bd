package io.distributedlock.store.redis;

import java.util.List;

/**
 * What a script said of one operation: a letter, then fields with commas between. Reads
 * the bytes in place, since almost all answers are a single letter.
 */
final class Answer {

	private final List<byte[]> all;

	private final byte[] bytes;

	private final int from;

	private final int to;

	private final long time;

	private Answer(List<byte[]> all, byte[] bytes, int from, int to, long time) {
		this.all = all;
		this.bytes = bytes;
		this.from = from;
		this.to = to;
		this.time = time;
	}

	/**
	 * Returns the letter.
	 */
	char kind() {
		if (this.to <= this.from) {
			throw new IllegalArgumentException("empty");
		}
		return (char) (this.bytes[this.from] & 0xff);
	}

	/**
	 * Tells whether the server refused it since it is a replica.
	 */
	boolean isOfReplica() {
		return this.to > this.from && this.bytes[this.from] == 'E' && RedisErrors.of(rest()) == RedisErrors.READONLY;
	}

	/**
	 * Returns what the server's clock showed, in microseconds, if the script tells it.
	 */
	long time() {
		return this.time;
	}

	/**
	 * Returns all that the script returned, for scripts that return more than one text.
	 */
	List<byte[]> all() {
		return this.all;
	}

	/**
	 * Returns all after the letter.
	 */
	String rest() {
		return Ascii.text(this.bytes, Math.min(this.from + 1, this.to), this.to);
	}

	/**
	 * Returns a field, counted from 0.
	 */
	String text(int index) {
		int start = start(index);
		return Ascii.text(this.bytes, start, end(start));
	}

	/**
	 * Returns a field up to the end, whatever is in it.
	 */
	String textToEnd(int index) {
		return Ascii.text(this.bytes, start(index), this.to);
	}

	/**
	 * Returns a field that is a number.
	 */
	long number(int index) {
		int start = start(index);
		return Ascii.number(this.bytes, start, end(start));
	}

	private int start(int index) {
		int at = this.from + 1;
		for (int i = 0; i < index; i++) {
			at = end(at) + 1;
		}
		if (at > this.to) {
			throw new IllegalArgumentException("There is no field " + index + " in '" + this + "'");
		}
		return at;
	}

	private int end(int start) {
		int at = start;
		while (at < this.to && this.bytes[at] != ',') {
			at++;
		}
		return at;
	}

	@Override
	public String toString() {
		return Ascii.text(this.bytes, this.from, this.to);
	}

	/**
	 * Takes the answers to the operations of one call out of what a script returned: all
	 * of it is for the one, or there is a line for each.
	 */
	static final class Reader {

		private final List<byte[]> all;

		private final byte[] bytes;

		private final boolean lines;

		private final long time;

		private int next;

		Reader(LockScript script, List<byte[]> all) {
			if (all.isEmpty() || all.get(0) == null) {
				throw new IllegalArgumentException("empty");
			}
			this.all = all;
			this.bytes = all.get(0);
			this.lines = script.answersInLines();
			if (script == LockScript.LEASE) {
				int end = endOfLine(0);
				this.time = Ascii.number(this.bytes, 0, end);
				this.next = end + 1;
			}
			else {
				this.time = 0;
			}
		}

		Answer next() {
			int start = this.next;
			if (start > this.bytes.length) {
				throw new IllegalArgumentException("too short: '" + Ascii.text(this.bytes) + "'");
			}
			int end = this.lines ? endOfLine(start) : this.bytes.length;
			this.next = end + 1;
			return new Answer(this.all, this.bytes, start, end, this.time);
		}

		private int endOfLine(int start) {
			int at = start;
			while (at < this.bytes.length && this.bytes[at] != '\n') {
				at++;
			}
			return at;
		}

	}

}
