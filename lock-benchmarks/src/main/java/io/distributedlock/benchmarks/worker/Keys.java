package io.distributedlock.benchmarks.worker;

import java.util.SplittableRandom;
import java.util.function.IntSupplier;

/**
 * Which keys the threads of a scenario lock.
 */
public enum Keys {

	/** Every thread has a key of its own. */
	OWN {
		@Override
		int count(int threads) {
			return threads;
		}

		@Override
		IntSupplier picker(int thread) {
			return () -> thread;
		}
	},

	/** All threads want one key. */
	HOT {
		@Override
		int count(int threads) {
			return 1;
		}

		@Override
		IntSupplier picker(int thread) {
			return () -> 0;
		}
	},

	/** 1,000 keys, of which the n-th is wanted 1/n as often as the first. */
	ZIPF {
		@Override
		int count(int threads) {
			return Zipf.KEYS;
		}

		@Override
		IntSupplier picker(int thread) {
			SplittableRandom random = new SplittableRandom(thread + 1L);
			return () -> Zipf.THOUSAND.pick(random.nextDouble());
		}
	};

	/**
	 * Returns how many keys there are.
	 * @param threads how many threads there are in all JVMs together
	 */
	abstract int count(int threads);

	/**
	 * Returns what chooses the key of the next cycle.
	 * @param thread number of the thread, counted through all JVMs
	 */
	abstract IntSupplier picker(int thread);

}
