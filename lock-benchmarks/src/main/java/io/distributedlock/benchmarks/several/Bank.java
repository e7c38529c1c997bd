package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;

/**
 * Accounts in a file that several JVMs map into their memory. Reading and writing a
 * balance are two steps, and so only the locks keep money from being lost. Each account
 * also counts who works on it.
 */
final class Bank {

	static final int ACCOUNTS = 10;

	static final long START = 1_000_000;

	private static final int STRIDE = 64;

	private final ByteBuffer memory;

	Bank(Path file) throws IOException {
		try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.READ,
				StandardOpenOption.WRITE)) {
			this.memory = channel.map(FileChannel.MapMode.READ_WRITE, 0, (long) ACCOUNTS * STRIDE)
				.order(ByteOrder.nativeOrder());
		}
	}

	void open() {
		for (int account = 0; account < ACCOUNTS; account++) {
			this.memory.putLong(account * STRIDE, START);
		}
	}

	long total() {
		long total = 0;
		for (int account = 0; account < ACCOUNTS; account++) {
			total += this.memory.getLong(account * STRIDE);
		}
		return total;
	}

	/** Moves money; the caller has both locks. */
	void transfer(int from, int to, long amount) {
		long source = this.memory.getLong(from * STRIDE);
		long target = this.memory.getLong(to * STRIDE);
		Thread.onSpinWait();
		this.memory.putLong(from * STRIDE, source - amount);
		this.memory.putLong(to * STRIDE, target + amount);
	}

}
