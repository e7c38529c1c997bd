package io.distributedlock.spi;

/**
 * Answer to an {@link ExtendCommand}.
 */
public sealed interface ExtendReply {

	/**
	 * The grant has further tokens and its full ttl.
	 *
	 * @param firstToken first of the further tokens, above all that the grant had before
	 * @param tokens how many consecutive ones there are, one or more
	 */
	record Extended(long firstToken, int tokens) implements ExtendReply {
	}

	/**
	 * Another JVM waits: the grant keeps what it has and should be released at the end of
	 * its block.
	 */
	record Yield() implements ExtendReply {
	}

	/**
	 * The store has no such grant; it is lost for good.
	 */
	record NotOwner() implements ExtendReply {
	}

}
