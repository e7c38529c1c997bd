package io.distributedlock.benchmarks.worker;

import org.HdrHistogram.Histogram;

/**
 * One thread of a worker.
 */
abstract class LoadThread extends Thread {

	final Load load;

	final int number;

	final Histogram latencies = WorkerResult.histogram();

	// Written by this thread, read after its end; or of a stuck one, whatever is there.
	volatile long cycles;

	LoadThread(Load load, int number) {
		super("load-" + number);
		setDaemon(true);
		this.load = load;
		this.number = number;
	}

	static String keyName(int key) {
		return "key-" + key;
	}

	@Override
	public final void run() {
		try {
			work();
		}
		catch (Throwable ex) {
			this.load.failed(ex);
		}
	}

	abstract void work() throws Exception;

	/**
	 * Makes a thread.
	 */
	@FunctionalInterface
	interface Maker {

		LoadThread make(Load load, int number);

	}

}
