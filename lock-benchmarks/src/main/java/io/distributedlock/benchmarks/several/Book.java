package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * What readers and writers of several JVMs share: a file that all of them map, which
 * counts who is inside, so that each sees whom it must not meet.
 */
final class Book {

	private static final VarHandle COUNTER = MethodHandles.byteBufferViewVarHandle(long[].class,
			ByteOrder.nativeOrder());

	private static final int READERS = 0;

	private static final int WRITERS = 64;

	private final ByteBuffer memory;

	Book(Path file) throws IOException {
		try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
				StandardOpenOption.WRITE)) {
			this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, 2L * WRITERS).order(ByteOrder.nativeOrder());
		}
	}

	/** Runs work as a reader, and tells whether it met a writer. */
	boolean read(Runnable work) {
		add(READERS, 1);
		boolean met = get(WRITERS) != 0;
		work.run();
		met |= get(WRITERS) != 0;
		add(READERS, -1);
		return met;
	}

	/** Runs work as a writer, and tells whether it met anybody. */
	boolean write(Runnable work) {
		boolean met = add(WRITERS, 1) != 0 || get(READERS) != 0;
		work.run();
		met |= get(READERS) != 0 || get(WRITERS) != 1;
		add(WRITERS, -1);
		return met;
	}

	private long add(int index, long difference) {
		return (long) COUNTER.getAndAdd(this.memory, index, difference);
	}

	private long get(int index) {
		return (long) COUNTER.getVolatile(this.memory, index);
	}

}
