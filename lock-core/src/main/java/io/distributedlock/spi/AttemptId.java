package io.distributedlock.spi;

import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.concurrent.locks.ReentrantLock;

/**
 * Random 128 bits that name one attempt to get a lock, and the grant that comes of it.
 * New for every grant, and what release and renewal compare; never a thread or a JVM.
 *
 * @param high the high bits
 * @param low the low bits
 */
public record AttemptId(long high, long low) {

	/** Length of {@link #toString()}. */
	public static final int TEXT_LENGTH = 22;

	private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

	private static final RandomBits RANDOM = new RandomBits();

	/**
	 * Makes a new id.
	 * @return an id that nobody can guess
	 */
	public static AttemptId random() {
		return RANDOM.next();
	}

	/**
	 * Reads an id back from its text.
	 * @param text what {@link #toString()} gave
	 * @return the id
	 * @throws IllegalArgumentException if the text is not an id
	 */
	public static AttemptId parse(String text) {
		byte[] bytes = (text.length() == TEXT_LENGTH) ? Base64.getUrlDecoder().decode(text) : new byte[0];
		if (bytes.length != 16) {
			throw new IllegalArgumentException("'" + text + "' is not an attempt id");
		}
		ByteBuffer buffer = ByteBuffer.wrap(bytes);
		return new AttemptId(buffer.getLong(), buffer.getLong());
	}

	/**
	 * Returns the id in {@value #TEXT_LENGTH} characters of {@code [A-Za-z0-9_-]}.
	 */
	@Override
	public String toString() {
		return ENCODER.encodeToString(ByteBuffer.allocate(16).putLong(this.high).putLong(this.low).array());
	}

	/**
	 * Draws random bits in bulk: one call of {@link SecureRandom} for every 16 bytes
	 * would cost more than the rest of an uncontended acquire.
	 */
	private static final class RandomBits {

		private final SecureRandom random = new SecureRandom();

		private final ReentrantLock mutex = new ReentrantLock();

		private final byte[] bytes = new byte[4096];

		private ByteBuffer buffer = ByteBuffer.allocate(0);

		AttemptId next() {
			this.mutex.lock();
			try {
				if (this.buffer.remaining() < 16) {
					this.random.nextBytes(this.bytes);
					this.buffer = ByteBuffer.wrap(this.bytes);
				}
				return new AttemptId(this.buffer.getLong(), this.buffer.getLong());
			}
			finally {
				this.mutex.unlock();
			}
		}

	}

}
