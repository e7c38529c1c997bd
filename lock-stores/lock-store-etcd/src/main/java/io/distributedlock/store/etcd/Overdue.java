package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.function.Supplier;

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

	private final @Nullable Session session;

	private final Supplier<Operation<?>> end;

	private volatile long endsAt;

	private int tries;

	/**
	 * Makes one.
	 * @param endsAt when it ends
	 * @param session whose lease it ends with at the latest, or null if that is not of
	 * this JVM
	 * @param end makes what ends it
	 */
	Overdue(Context context, long endsAt, @Nullable Session session, Supplier<Operation<?>> end) {
		this.context = context;
		this.endsAt = endsAt;
		this.session = session;
		this.end = end;
	}

	/**
	 * The whole lock is reserved or cooling.
	 * @param revision of its record
	 */
	static Overdue record(Context context, LockKey key, long revision, long endsAt, @Nullable Session session) {
		return new Overdue(context, endsAt, session, () -> new RemoveOperation(context, key, revision, TIMEOUT));
	}

	@Override
	long endsAt() {
		return this.endsAt;
	}

	@Override
	void ended() {
		this.end.get().start().whenComplete((done, failure) -> {
			Session on = this.session;
			if (failure != null && (on == null || !on.hasEnded())) {
				this.endsAt = System.nanoTime() + (FIRST_PAUSE << this.tries);
				this.tries = Math.min(this.tries + 1, MOST_DOUBLINGS);
				this.context.stakes().wheel().watch(this);
			}
			else if (on != null) {
				on.users.remove(this);
			}
		});
	}

}
