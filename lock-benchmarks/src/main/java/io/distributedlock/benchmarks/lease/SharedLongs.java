package io.distributedlock.benchmarks.lease;

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
 * A few numbers that several JVMs see at once: a file that all of them map. No server is
 * involved, so that telling each other where they are does not disturb what is measured.
 */
final class SharedLongs {

	private static final VarHandle LONG = MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.nativeOrder());

	private static final int STRIDE = 64;

	private static final int COUNT = 8;

	private static final long POLL = 100_000;

	private final ByteBuffer memory;

	SharedLongs(Path file) throws IOException {
		try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
				StandardOpenOption.WRITE)) {
			this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) COUNT * STRIDE)
				.order(ByteOrder.nativeOrder());
		}
	}

	long get(int index) {
		return (long) LONG.getVolatile(this.memory, index * STRIDE);
	}

	void set(int index, long value) {
		LONG.setVolatile(this.memory, index * STRIDE, value);
	}

	/** Waits until a number is at least as large as another. */
	void awaitAtLeast(int index, long value) {
		while (get(index) < value) {
			LockSupport.parkNanos(POLL);
		}
	}

}
