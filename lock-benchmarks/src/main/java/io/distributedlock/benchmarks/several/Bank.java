package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.nio.file.Path;

import io.distributedlock.benchmarks.jvm.SharedLongs;

/**
 * Accounts in memory that several JVMs share. Reading and writing a balance are two
 * steps, and so only the locks keep money from being lost.
 */
final class Bank {

	static final int ACCOUNTS = 10;

	static final long START = 1_000_000;

	private final SharedLongs balances;

	Bank(Path file) throws IOException {
		this.balances = new SharedLongs(file, ACCOUNTS);
	}

	void open() {
		for (int account = 0; account < ACCOUNTS; account++) {
			this.balances.set(account, START);
		}
	}

	long total() {
		long total = 0;
		for (int account = 0; account < ACCOUNTS; account++) {
			total += this.balances.get(account);
		}
		return total;
	}

	/** Moves money; the caller has both locks. */
	void transfer(int from, int to, long amount) {
		long source = this.balances.get(from);
		long target = this.balances.get(to);
		Thread.onSpinWait();
		this.balances.set(from, source - amount);
		this.balances.set(to, target + amount);
	}

}
