package io.distributedlock.spi;

/**
 * Answer to a {@link DowngradeCommand}.
 */
public sealed interface DowngradeReply {

	/**
	 * The exclusive grant has ended, and the reader has a share that lives for its ttl
	 * from now.
	 *
	 * @param token fencing token of the share
	 */
	record Downgraded(long token) implements DowngradeReply {
	}

	/**
	 * The store has neither the exclusive grant nor the share. Nothing was changed.
	 */
	record NotOwner() implements DowngradeReply {
	}

	/**
	 * The store cannot do this. Nothing was changed.
	 */
	record NotSupported() implements DowngradeReply {
	}

}
