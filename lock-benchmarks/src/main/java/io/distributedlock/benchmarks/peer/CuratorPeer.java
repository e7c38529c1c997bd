package io.distributedlock.benchmarks.peer;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.TimeUnit;

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.framework.recipes.locks.InterProcessMutex;
import org.apache.curator.retry.ExponentialBackoffRetry;
import org.jspecify.annotations.Nullable;

/**
 * Curator's {@code InterProcessMutex}, as its page "Shared Reentrant Lock" shows it: one
 * client for the JVM, with the retry policy of "Getting Started", and one mutex for each
 * key, which all threads use.
 */
final class CuratorPeer implements PeerClient {

	private final CuratorFramework curator;

	private final String path;

	private final ConcurrentMap<String, InterProcessMutex> mutexes = new ConcurrentHashMap<>();

	CuratorPeer(Address server, String prefix) throws InterruptedException {
		this.curator = CuratorFrameworkFactory.newClient(server.toString(), new ExponentialBackoffRetry(1000, 3));
		this.curator.start();
		this.curator.blockUntilConnected();
		this.path = "/" + prefix;
	}

	@Override
	public HeldLock lock(String key) throws Exception {
		InterProcessMutex mutex = mutex(key);
		mutex.acquire();
		return mutex::release;
	}

	@Override
	public @Nullable HeldLock tryLock(String key) throws Exception {
		InterProcessMutex mutex = mutex(key);
		return mutex.acquire(0, TimeUnit.MILLISECONDS) ? mutex::release : null;
	}

	private InterProcessMutex mutex(String key) {
		return this.mutexes.computeIfAbsent(key, (name) -> new InterProcessMutex(this.curator, this.path + name));
	}

	@Override
	public void close() {
		this.curator.close();
	}

}
