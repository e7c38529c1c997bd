package io.distributedlock.spi;

/**
 * Answer to a {@link RenewCommand}.
 */
public sealed interface RenewReply {

	/** The grant lives for its ttl from now. */
	RenewReply RENEWED = new Renewed();

	/** The store has no such grant; it is lost for good. */
	RenewReply NOT_OWNER = new NotOwner();

	/**
	 * The grant lives for its ttl from now.
	 */
	record Renewed() implements RenewReply {
	}

	/**
	 * The store has no such grant; it is lost for good.
	 */
	record NotOwner() implements RenewReply {
	}

	/**
	 * No usable answer; the grant may or may not have been renewed.
	 *
	 * @param cause why
	 */
	record Failed(StoreException cause) implements RenewReply {
	}

}
