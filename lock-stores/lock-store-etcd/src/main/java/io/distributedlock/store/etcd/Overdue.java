package io.distributedlock.store.etcd;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * A reservation or a cooling that this JVM has written, and ends when its time is over.
 * If this JVM is dead then, those who ask see to reservations, and a lease ends the
 * cooling.
 */
final class Overdue extends Wheel.Entry {

	private static final Duration TIMEOUT = Duration.ofSeconds(1);

	private static final int TRIES = 5;

	private final Context context;

	private final LockKey key;

	private final long revision;

	private volatile long end;

	private int tries;

	Overdue(Context context, LockKey key, long revision, long end) {
		this.context = context;
		this.key = key;
		this.revision = revision;
		this.end = end;
	}

	@Override
	long endsAt() {
		return this.end;
	}

	@Override
	void ended() {
		new RemoveOperation(this.context, this.key, this.revision, TIMEOUT).start().whenComplete((done, failure) -> {
			if (failure != null && ++this.tries < TRIES) {
				this.end = System.nanoTime() + TIMEOUT.toNanos() / 2;
				this.context.stakes().wheel().watch(this);
				return;
			}
			Session cooling = this.context.sessions().find((session) -> session.users.contains(this));
			if (cooling != null) {
				cooling.users.remove(this);
			}
		});
	}

}
