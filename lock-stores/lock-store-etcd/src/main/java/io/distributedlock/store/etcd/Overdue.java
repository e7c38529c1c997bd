package io.distributedlock.store.etcd;

import java.time.Duration;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;

/**
 * A reservation or a cooling that this JVM has written, and ends when its time is over.
 * It is tried until etcd answers, since other locks keep the lease of a cooling alive. If
 * this JVM is dead then, those who ask see to it.
 */
final class Overdue extends Wheel.Entry {

	private static final Duration TIMEOUT = Duration.ofSeconds(1);

	private static final long FIRST_PAUSE = 500_000_000;

	private static final int MOST_DOUBLINGS = 4;

	private final Context context;

	private final LockKey key;

	private final long revision;

	private final @Nullable Session session;

	private volatile long end;

	private int tries;

	/**
	 * Makes one.
	 * @param session whose lease it ends with at the latest, or null if that is not of
	 * this JVM
	 */
	Overdue(Context context, LockKey key, long revision, long end, @Nullable Session session) {
		this.context = context;
		this.key = key;
		this.revision = revision;
		this.end = end;
		this.session = session;
	}

	@Override
	long endsAt() {
		return this.end;
	}

	@Override
	void ended() {
		new RemoveOperation(this.context, this.key, this.revision, TIMEOUT).start().whenComplete((done, failure) -> {
			Session on = this.session;
			if (failure != null && (on == null || !on.hasEnded())) {
				this.end = System.nanoTime() + (FIRST_PAUSE << this.tries);
				this.tries = Math.min(this.tries + 1, MOST_DOUBLINGS);
				this.context.stakes().wheel().watch(this);
			}
			else if (on != null) {
				on.users.remove(this);
			}
		});
	}

}
