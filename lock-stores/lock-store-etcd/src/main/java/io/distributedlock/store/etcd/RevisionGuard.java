package io.distributedlock.store.etcd;

import java.util.concurrent.atomic.AtomicLong;

import io.distributedlock.spi.StoreException;

/**
 * Remembers the highest revision that etcd has shown to this JVM. Fencing tokens are made
 * of revisions, so they rise only while revisions do. A snapshot that is restored brings
 * an old revision back, unless the person who restores it prevents that.
 */
final class RevisionGuard {

	private final AtomicLong highest = new AtomicLong();

	/**
	 * Returns what a request that is sent from now on must find at least.
	 */
	long highest() {
		return this.highest.get();
	}

	/**
	 * Looks at the revision of an answer.
	 * @param revision the revision in the answer
	 * @param atLeast {@link #highest()} when the request was sent
	 * @param servers names the servers
	 * @throws StoreException if the revision is too low
	 */
	void check(long revision, long atLeast, String servers) {
		if (revision < atLeast) {
			throw new StoreException("The revision of etcd has fallen from " + atLeast + " to " + revision
					+ ", so fencing tokens would not rise any more, and no lock is given. Was a snapshot restored, or is"
					+ " this another cluster? Restore it again with `etcdutl snapshot restore --bump-revision 1000000000"
					+ " --mark-compacted`; or, if no protected resource remembers tokens, restart this application."
					+ " [etcd " + servers + "]", true, false, null);
		}
		if (revision > this.highest.get()) {
			this.highest.accumulateAndGet(revision, Math::max);
		}
	}

}
