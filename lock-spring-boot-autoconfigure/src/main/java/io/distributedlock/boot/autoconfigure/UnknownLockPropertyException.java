package io.distributedlock.boot.autoconfigure;

import java.util.List;

/**
 * The configuration has properties of locks that there are not, most likely misspelt.
 */
final class UnknownLockPropertyException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final transient List<String> problems;

	/**
	 * Makes the exception.
	 * @param problems a sentence about each property
	 */
	UnknownLockPropertyException(List<String> problems) {
		super(String.join(" ", problems));
		this.problems = problems;
	}

	List<String> problems() {
		return this.problems;
	}

}
