package io.distributedlock.spring;

import java.util.concurrent.locks.ReentrantLock;

/**
 * Interrupts the thread that runs a method when its lock is lost. Delivery and the end of
 * the method exclude each other, so that an interrupt never reaches code that runs on the
 * thread later (rule E14).
 */
final class LossInterrupter implements AutoCloseable {

	private final ReentrantLock guard = new ReentrantLock();

	private final Thread thread = Thread.currentThread();

	// Guarded.
	private boolean running = true;

	// Guarded. True only if it was this object that set the flag of the thread.
	private boolean delivered;

	/**
	 * Watches locks for the calling thread, until it is closed there.
	 */
	static LossInterrupter watch(HeldLocks held) {
		LossInterrupter interrupter = new LossInterrupter();
		held.onLost((loss) -> interrupter.deliver());
		return interrupter;
	}

	private void deliver() {
		this.guard.lock();
		try {
			if (this.running && !this.thread.isInterrupted()) {
				this.delivered = true;
				this.thread.interrupt();
			}
		}
		finally {
			this.guard.unlock();
		}
	}

	/**
	 * Ends the watch, and clears the flag if it was set here.
	 */
	@Override
	public void close() {
		this.guard.lock();
		try {
			this.running = false;
			if (this.delivered) {
				Thread.interrupted();
			}
		}
		finally {
			this.guard.unlock();
		}
	}

}
