package io.distributedlock.boot.autoconfigure;

import org.jspecify.annotations.Nullable;

/**
 * A store cannot be made from what is configured.
 */
public final class LockStoreSetupException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final String description;

	private final String action;

	/**
	 * Makes the exception.
	 * @param description what is wrong
	 * @param action what to type
	 */
	public LockStoreSetupException(String description, String action) {
		this(description, action, null);
	}

	/**
	 * Makes the exception.
	 * @param description what is wrong
	 * @param action what to type
	 * @param cause what it was noticed by, or null
	 */
	public LockStoreSetupException(String description, String action, @Nullable Throwable cause) {
		super(description + " " + action, cause);
		this.description = description;
		this.action = action;
	}

	String description() {
		return this.description;
	}

	String action() {
		return this.action;
	}

}
