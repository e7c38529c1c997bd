package io.distributedlock.store.etcd;

import java.time.Duration;

import io.distributedlock.LockKey;

/**
 * Reserves a lock that is free for somebody who waits for it. It happens when the holder
 * thought that the queue was empty again, and somebody joined it in that moment. Anybody
 * may get the lock before; then there is nothing to do.
 */
final class Rescue extends Operation<Boolean> {

	private static final Duration TIMEOUT = Duration.ofSeconds(1);

	private final QueueEntry next;

	private Rescue(Context context, LockKey key, QueueEntry next) {
		super(context, key, TIMEOUT);
		this.next = next;
	}

	static Operation<Boolean> of(Context context, LockKey key, QueueEntry next) {
		return new Rescue(context, key, next).start();
	}

	@Override
	void step() {
		if (!this.next.isPlain()) {
			Scripts.advance(this.context, this.key)
				.start()
				.whenComplete((served, failure) -> succeed(Boolean.TRUE.equals(served)));
			return;
		}
		Request request = request((answer) -> {
			if (answer.succeeded()) {
				this.context.endLater(this.key, answer.revision(), this.context.reservation());
			}
			succeed(answer.succeeded());
		});
		this.context.passOn(request, this.key, 0, this.next);
		submit(request);
	}

}
