package io.distributedlock.store.redis;

import java.util.List;

/**
 * What a script said of one operation: a letter, then fields with commas between.
 */
final class Answer {

	private static final int FIELDS = 4;

	private final String text;

	private final String[] fields;

	private Answer(String text) {
		this.text = text;
		this.fields = text.substring(1).split(",", FIELDS);
	}

	static Answer of(List<byte[]> answer) {
		if (answer.isEmpty() || answer.get(0) == null || answer.get(0).length == 0) {
			throw new IllegalArgumentException("empty");
		}
		return new Answer(Ascii.text(answer.get(0)));
	}

	char kind() {
		return this.text.charAt(0);
	}

	/**
	 * Returns all after the letter.
	 */
	String rest() {
		return this.text.substring(1);
	}

	String text(int index) {
		return this.fields[index];
	}

	long number(int index) {
		return Long.parseLong(this.fields[index]);
	}

	@Override
	public String toString() {
		return this.text;
	}

}
