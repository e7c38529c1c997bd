package io.distributedlock.test;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * Measures how long the machine keeps a thread that is ready from running, so that a test
 * can tell its own lateness from that of a busy machine.
 */
final class Hiccups implements AutoCloseable {

	private static final long STEP = TimeUnit.MILLISECONDS.toNanos(1);

	private final Thread thread = new Thread(this::measure, "hiccups");

	private volatile boolean ended;

	private volatile long longest;

	static Hiccups start() {
		Hiccups hiccups = new Hiccups();
		hiccups.thread.setDaemon(true);
		hiccups.thread.start();
		return hiccups;
	}

	private void measure() {
		while (!this.ended) {
			long before = System.nanoTime();
			LockSupport.parkNanos(STEP);
			this.longest = Math.max(this.longest, System.nanoTime() - before - STEP);
		}
	}

	Duration longest() {
		return Duration.ofNanos(this.longest);
	}

	@Override
	public void close() {
		this.ended = true;
	}

}
