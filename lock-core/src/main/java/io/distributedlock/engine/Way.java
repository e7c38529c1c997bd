package io.distributedlock.engine;

import io.distributedlock.LockKey;
import io.distributedlock.spi.Share;

/**
 * In which way callers want a key, if not alone and in no strict order. Each way has a
 * gate of its own.
 *
 * @param kind how the lock is taken
 * @param ttl the ttl of readers that share one grant, else zero
 * @param keyId which lock
 */
record Way(Kind kind, long ttl, String keyId) {

	enum Kind {

		/** Alone, in strict order. */
		IN_ORDER,

		/** Readers that are renewed and share one grant. */
		READERS,

		/** Readers of whom each has a grant of its own, since it ends by itself. */
		SINGLE_READER,

		/** Holders of permits. */
		PERMITS

	}

	static Way of(LockKey key, Profile profile) {
		if (profile.reads()) {
			return profile.renew() ? new Way(Kind.READERS, profile.ttl(), key.id())
					: new Way(Kind.SINGLE_READER, 0, key.id());
		}
		return new Way((profile.permits() > 1) ? Kind.PERMITS : Kind.IN_ORDER, 0, key.id());
	}

	KeyGate newGate(StoreRuntime runtime, LockKey key) {
		return (this.kind == Kind.READERS) ? new ReaderGate(runtime, key, this) : new CallerGate(runtime, key, this);
	}

	boolean isShared() {
		return this.kind != Kind.IN_ORDER;
	}

	Share share(Profile profile) {
		return (this.kind == Kind.PERMITS) ? new Share.Permits(profile.permits()) : Share.READERS;
	}

}
