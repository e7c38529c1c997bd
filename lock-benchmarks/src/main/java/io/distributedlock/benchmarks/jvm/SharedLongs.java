package io.distributedlock.benchmarks.jvm;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.LockSupport;

/**
 * A few numbers that several JVMs see at once: a file that all of them map. No server and
 * no lock is involved, so that telling each other where they are does not disturb what is
 * measured, and is right whatever the locks do.
 */
public final class SharedLongs {

	private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

	/** Numbers that different threads write should not share a cache line. */
	private static final int STRIDE = 64;

	private static final long POLL = 100_000;

	private final ByteBuffer memory;

	/**
	 * Maps a file.
	 * @param file the file, whose new numbers are zero
	 * @param count how many numbers it has, the same for all that map it
	 * @throws IOException if it cannot be mapped
	 */
	public SharedLongs(Path file, int count) throws IOException {
		try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
				StandardOpenOption.WRITE)) {
			this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) count * STRIDE)
				.order(ByteOrder.nativeOrder());
		}
	}

	/**
	 * Reads a number.
	 * @param index which one
	 * @return what was last set in any JVM
	 */
	public long get(int index) {
		return (long) LONG.getVolatile(this.memory, index * STRIDE);
	}

	/**
	 * Sets a number.
	 * @param index which one
	 * @param value what all JVMs see from now on
	 */
	public void set(int index, long value) {
		LONG.setVolatile(this.memory, index * STRIDE, value);
	}

	/**
	 * Adds to a number in one step.
	 * @param index which one
	 * @param difference what to add
	 * @return what it was before
	 */
	public long getAndAdd(int index, long difference) {
		return (long) LONG.getAndAdd(this.memory, index * STRIDE, difference);
	}

	/**
	 * Waits until a number is at least as large as another.
	 * @param index which one
	 * @param value the other
	 */
	public void awaitAtLeast(int index, long value) {
		while (get(index) < value) {
			LockSupport.parkNanos(POLL);
		}
	}

}
