package io.distributedlock;

/**
 * The lock was held and is gone: others may hold it now. Work that was done under it must
 * not count as safely done. A transaction rolls back if the loss was known before its
 * commit; if it was noticed after the method had returned, the message says so.
 */
public class LockLostException extends LockException {

	private static final long serialVersionUID = 1L;

	private final LossReason reason;

	private final long fencingToken;

	/**
	 * Makes the exception.
	 * @param key which lock
	 * @param reason why it was lost
	 * @param fencingToken token of the lost lease
	 * @param detail what to do about it
	 */
	public LockLostException(LockKey key, LossReason reason, long fencingToken, String detail) {
		super(key, "Lock '" + key + "' (token " + fencingToken + ") was lost: " + message(reason) + " " + detail, null,
				true);
		this.reason = reason;
		this.fencingToken = fencingToken;
	}

	private static String message(LossReason reason) {
		return switch (reason) {
			case EXPIRED -> "its deadline passed without a successful renewal.";
			case NOT_OWNER -> "the store no longer has this holder on record.";
			case FORCE_RELEASED -> "an operator released it by force.";
			case MAX_HOLD -> "it was held longer than its max-hold.";
			case OWNER_GONE -> "the thread that held it has ended without giving it back.";
		};
	}

	/**
	 * Returns why the lock was lost.
	 * @return the reason
	 */
	public LossReason reason() {
		return this.reason;
	}

	/**
	 * Returns the token of the lost lease.
	 * @return the token
	 */
	public long fencingToken() {
		return this.fencingToken;
	}

}
