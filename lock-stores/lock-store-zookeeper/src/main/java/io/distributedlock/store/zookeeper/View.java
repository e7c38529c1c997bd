package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.List;
import java.util.Set;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireReply;

/**
 * What ZooKeeper knew of a key at one moment.
 *
 * @param fence the state of the key's bucket, or null if the bucket is not there yet
 * @param waiting who waits, or null if nobody does and nothing else is to be known
 * @param version version under which that was read
 * @param held who holds it, or null
 */
record View(@Nullable Fence fence, @Nullable WaitRecord waiting, int version, @Nullable HeldRecord held) {

	WaitRecord waitingOrEmpty() {
		return (this.waiting != null) ? this.waiting : WaitRecord.EMPTY;
	}

	/**
	 * Refuses.
	 * @param record what keeps the key, apart from a holder
	 * @param queued whether whoever is refused waits now
	 */
	AcquireReply.Refused refused(WaitRecord record, boolean queued) {
		ShareRecord last = record.lastShare();
		if (this.held != null) {
			return refused(this.held.instance(), this.held.ttl(), queued);
		}
		if (last != null) {
			return refused(last.instance(), last.time(), queued);
		}
		return refused((record.whom() != null) ? record.whom().instance() : null, record.time(), queued);
	}

	static AcquireReply.Refused refused(@Nullable String holder, Duration freeIn, boolean queued) {
		return new AcquireReply.Refused(holder, freeIn.isZero() ? Duration.ofMillis(1) : freeIn, queued);
	}

	/**
	 * The version of a bucket, and which of its keys have something to know in it; more
	 * than these cannot have as long as the version is the same.
	 *
	 * @param version the version
	 * @param keys names of nodes
	 */
	record Fence(int version, Set<String> keys) {

		boolean names(String keyId) {
			return this.keys.contains(Layout.node(keyId));
		}

	}

	/**
	 * Puts the answers together. They come one after the other.
	 */
	static final class Reader {

		private final String keyId;

		private Code failure = Code.OK;

		private @Nullable Fence fence;

		private @Nullable WaitRecord waiting;

		private int version = -1;

		private @Nullable HeldRecord held;

		private @Nullable RuntimeException broken;

		Reader(String keyId) {
			this.keyId = keyId;
		}

		void failed(int rc) {
			if (rc != Code.OK.intValue() && rc != Code.NONODE.intValue() && this.failure == Code.OK) {
				Code code = Code.get(rc);
				this.failure = (code != null) ? code : Code.SYSTEMERROR;
			}
		}

		void bucket(int rc, @Nullable List<String> children, @Nullable Stat stat) {
			failed(rc);
			if (children != null && stat != null) {
				this.fence = new Fence(stat.getVersion(), Set.copyOf(children));
			}
		}

		void waiting(int rc, byte @Nullable [] data, @Nullable Stat stat) {
			failed(rc);
			if (data != null && stat != null) {
				try {
					this.waiting = WaitRecord.parse(data, stat);
					this.version = stat.getVersion();
				}
				catch (RuntimeException ex) {
					this.broken = ex;
				}
			}
		}

		void held(int rc, byte @Nullable [] data, @Nullable Stat stat) {
			failed(rc);
			if (data != null && stat != null) {
				this.held = HeldRecord.parse(data, stat);
			}
		}

		Code failure() {
			return this.failure;
		}

		View view() {
			if (this.broken != null) {
				throw this.broken;
			}
			return new View(this.fence, this.waiting, this.version, this.held);
		}

		@Override
		public String toString() {
			return "Reader of " + this.keyId;
		}

	}

}
