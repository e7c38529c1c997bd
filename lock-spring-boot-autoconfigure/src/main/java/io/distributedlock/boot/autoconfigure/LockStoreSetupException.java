package io.distributedlock.boot.autoconfigure;

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
		super(description + " " + action);
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
