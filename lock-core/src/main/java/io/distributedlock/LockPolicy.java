package io.distributedlock;

import java.util.Objects;

import org.jspecify.annotations.Nullable;

/**
 * What operators decide about all locks of one name, whatever the code asks for.
 *
 * @param adaptiveTtl how the ttl follows the hold times, or null to leave it as it is
 * @param onOutage what happens while the store is out
 */
public record LockPolicy(@Nullable AdaptiveTtl adaptiveTtl, OnOutage onOutage) {

	/** The ttl is as the code says, and an outage is an error. */
	public static final LockPolicy DEFAULT = new LockPolicy(null, OnOutage.FAIL);

	/**
	 * Makes a policy.
	 */
	public LockPolicy {
		Objects.requireNonNull(onOutage, "onOutage");
	}

}
