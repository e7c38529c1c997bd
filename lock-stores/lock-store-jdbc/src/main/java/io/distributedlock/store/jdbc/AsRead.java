package io.distributedlock.store.jdbc;

/**
 * What the database had of a lock's row when it was locked.
 *
 * @param stored whether there was a row
 * @param shared whether it said that the lock is shared
 * @param lastToken of the grants until then
 * @param expiresAt when what it said was to end
 * @param waited {@value #WAITED} if JVMs waited that want the lock for themselves,
 * {@value #CALLED} if others waited as well, else 0
 */
record AsRead(boolean stored, boolean shared, long lastToken, long expiresAt, int waited) {

	static final int WAITED = 1;

	static final int CALLED = 2;

	static final AsRead NOTHING = new AsRead(false, false, 0, 0, 0);

	/** Whether the queue has to be read. */
	boolean wasWaited() {
		return this.waited != 0;
	}

	/** Whether there may be shares, or others in the queue than JVMs. */
	boolean mayHaveClaims() {
		return this.shared || this.waited == CALLED;
	}

}
