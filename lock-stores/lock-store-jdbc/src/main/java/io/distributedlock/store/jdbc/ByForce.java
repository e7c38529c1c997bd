package io.distributedlock.store.jdbc;

import java.util.List;

/**
 * Ends by force what has a token, on a row that is locked, whoever has it.
 */
final class ByForce {

	private final LockRow row;

	ByForce(LockRow row) {
		this.row = row;
	}

	/**
	 * Ends the grant or the shares that have a token, and tells their holders.
	 * @return whether there was any
	 */
	boolean release(long token) {
		if (this.row.state().equals(LockRow.HELD) && token >= this.row.firstToken() && token <= this.row.lastToken()) {
			this.row.signal(Signal.REVOKED, this.row.instance(), this.row.attempt());
			this.row.passOn(LockRow.NOBODY);
			return true;
		}
		List<Claim> ended = this.row.shares().withToken(token);
		for (Claim share : ended) {
			this.row.shares().remove(share.attempt());
			this.row.signal(Signal.REVOKED, share.instance(), share.attempt());
		}
		if (!ended.isEmpty()) {
			this.row.serve(LockRow.NOBODY);
		}
		return !ended.isEmpty();
	}

}
