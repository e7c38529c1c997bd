package io.distributedlock.spring;

import java.util.Objects;

import io.distributedlock.Lease;
import io.distributedlock.LockLostException;
import org.jspecify.annotations.Nullable;

/**
 * How a call tells that its lock was lost.
 */
final class Losses {

	private Losses() {
	}

	/**
	 * Returns what a lost lease throws.
	 * @return the exception, or null if the lease is not lost
	 */
	static @Nullable LockLostException of(Lease lease) {
		try {
			lease.assertHeld();
			return null;
		}
		catch (LockLostException ex) {
			return ex;
		}
	}

	/**
	 * Tells of a loss that nobody knew of before the method had returned, and so after
	 * its transaction. One that is known rolls the transaction back.
	 */
	static LockLostException noticedAtTheEnd(LockLostException loss) {
		LockLostException late = new LockLostException(Objects.requireNonNull(loss.key()), loss.reason(),
				loss.fencingToken(), "The method had returned when this was noticed: what it has committed stands."
						+ " Look before you do it again.");
		late.addSuppressed(loss);
		return late;
	}

	/**
	 * Adds a loss to the failure of the work, unless that one tells of it already: a
	 * check before the commit, for one, may have reported the same.
	 */
	static void suppress(LockLostException lost, Throwable failure) {
		for (Throwable cause = failure; cause != null; cause = cause.getCause()) {
			if (cause instanceof LockLostException reported && reported.fencingToken() == lost.fencingToken()
					&& Objects.equals(reported.key(), lost.key())) {
				return;
			}
		}
		failure.addSuppressed(lost);
	}

}
