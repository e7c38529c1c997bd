package io.distributedlock.store.zookeeper;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

import org.apache.zookeeper.data.Stat;

import io.distributedlock.spi.AttemptId;

/**
 * What the node of a held key says.
 * <p>
 * A writer does not know the transaction id of its own write, from which the tokens come.
 * So a fresh grant is written with zeros for its tokens, and a further block with a zero
 * for its last token; readers fill them in from the node's modification id.
 *
 * @param attempt the grant
 * @param instance the JVM that has it
 * @param session name of the JVM's session
 * @param ttl how long it was granted or extended for
 * @param first first token
 * @param size how many tokens the first block has
 * @param last last token of the last block
 */
record HeldRecord(AttemptId attempt, String instance, String session, Duration ttl, long first, int size, long last) {

	/** Tokens for each transaction. */
	static final int BLOCK = 64;

	private static final long LIMIT = 1L << 53;

	static byte[] fresh(AttemptId attempt, String instance, String session, Duration ttl, int tokens) {
		return text(attempt, instance, session, ttl, 0, tokens, tokens);
	}

	/**
	 * Returns what to write to give this grant a further block.
	 */
	byte[] extended(Duration ttl, int tokens) {
		return text(this.attempt, this.instance, this.session, ttl, this.first, this.size, tokens);
	}

	private static byte[] text(AttemptId attempt, String instance, String session, Duration ttl, long first, int size,
			int lastSize) {
		return ("1 " + attempt + ' ' + instance + ' ' + session + ' ' + ttl.toMillis() + ' ' + first + ' ' + size + ' '
				+ lastSize)
			.getBytes(StandardCharsets.US_ASCII);
	}

	static HeldRecord parse(byte[] data, Stat stat) {
		String[] fields = Text.fields(data, 8);
		long base = token(stat.getMzxid());
		try {
			long first = Long.parseLong(fields[5]);
			return new HeldRecord(AttemptId.parse(fields[1]), fields[2], fields[3],
					Duration.ofMillis(Long.parseLong(fields[4])), (first == 0) ? base : first,
					Integer.parseInt(fields[6]), base + Integer.parseInt(fields[7]) - 1);
		}
		catch (IllegalArgumentException ex) {
			throw Text.foreign(ex);
		}
	}

	/**
	 * Returns the first token of the block that a transaction gives. Transaction ids rise
	 * over all of ZooKeeper: the upper half is the election, the lower counts.
	 */
	static long token(long zxid) {
		long token = zxid * BLOCK;
		if (token >= LIMIT - BLOCK || zxid >= LIMIT / BLOCK) {
			throw new IllegalStateException("ZooKeeper has had " + (zxid >>> 32)
					+ " elections, more than fencing tokens below 2^53 can count. Move the locks to a new ensemble"
					+ " and let what is protected accept tokens from the start again.");
		}
		return token;
	}

}
