package io.distributedlock.benchmarks.worker;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.atomic.LongAdder;

/**
 * Sees when two threads, of one JVM or of several, are inside of the same lock. A file
 * that all of them map has one counter per key; no server and no lock is involved.
 */
final class ExclusionCheck {

	private static final VarHandle COUNTER = MethodHandles.byteBufferViewVarHandle(long[].class,
			ByteOrder.nativeOrder());

	// Counters of different keys should not share a cache line.
	private static final int STRIDE = 64;

	private final ByteBuffer memory;

	private final LongAdder violations = new LongAdder();

	ExclusionCheck(Path file, int keys) {
		try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
				StandardOpenOption.WRITE)) {
			MappedByteBuffer mapped = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) keys * STRIDE);
			this.memory = mapped.order(ByteOrder.nativeOrder());
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	/** The calling thread believes that it holds the lock of a key. */
	void enter(int key) {
		if ((long) COUNTER.getAndAdd(this.memory, key * STRIDE, 1L) != 0) {
			this.violations.increment();
		}
	}

	/** The calling thread is about to release the lock. */
	void leave(int key) {
		COUNTER.getAndAdd(this.memory, key * STRIDE, -1L);
	}

	/** Returns how often somebody entered while somebody else was inside. */
	long violations() {
		return this.violations.sum();
	}

}
