package io.distributedlock.store.zookeeper;

import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Makes daemon threads with a name.
 */
final class Threads implements ThreadFactory {

	private final String name;

	private final AtomicInteger count = new AtomicInteger();

	Threads(String name) {
		this.name = name;
	}

	@Override
	public Thread newThread(Runnable work) {
		Thread thread = new Thread(work, this.name + "-" + this.count.incrementAndGet());
		thread.setDaemon(true);
		return thread;
	}

}
