package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.function.Predicate;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.LockStore;

/**
 * Takes a lock away from whoever has it, if that is still who it should be, and passes it
 * on. Answers whether there was something to take away.
 */
final class RemoveOperation extends Operation<Boolean> {

	private final Predicate<LockView> wanted;

	/** What is ended by force, whose holder is told of it; 0 if it has expired. */
	private final long token;

	/**
	 * Ends a reservation or a cooling.
	 * @param revision of the record; a later one is left alone
	 */
	RemoveOperation(Context context, LockKey key, long revision, Duration timeout) {
		super(context, key, timeout);
		this.wanted = (view) -> view.revision() == revision;
		this.token = 0;
	}

	/**
	 * Ends the grant that has a token, by force.
	 */
	RemoveOperation(Context context, LockKey key, long token, Duration timeout, LockStore byForce) {
		super(context, key, timeout);
		this.wanted = (view) -> view.record() != null && view.record().hasToken(token);
		this.token = token;
	}

	@Override
	void step() {
		readLock(this::found);
	}

	private void found(LockView view) {
		LockRecord record = view.record();
		QueueEntry next = view.queue().isEmpty() ? null : view.queue().get(0);
		if (view.isShared() && this.token != 0) {
			follow(Scripts.force(this.context, this.key, timeLeft(), this.token));
			return;
		}
		if (record == null || view.isShared() || !this.wanted.test(view)) {
			succeed(false);
			return;
		}
		if (next != null && !next.isPlain()) {
			follow((this.token != 0) ? Scripts.force(this.context, this.key, timeLeft(), this.token)
					: Scripts.remove(this.context, this.key, timeLeft(), this.wanted));
			return;
		}
		Request request = request((answer) -> removed(answer, next));
		if (next != null) {
			this.context.passOn(request, this.key, view.revision(), next);
		}
		else {
			request.ifUnchanged(record(), view.revision()).delete(record());
		}
		AttemptId loser = record.attempt();
		if (this.token != 0 && loser != null) {
			this.context.tell(request, Mailbox.revoked(this.key, loser), record.instance(), view.lease());
		}
		request.thenReadQueue(queue()).elseRead(record()).elseReadQueue(queue());
		submit(request);
	}

	private void follow(Script<Boolean> script) {
		script.start().whenComplete((removed, failure) -> attempt(() -> {
			if (failure != null) {
				throw this.context.errors().translate(failure);
			}
			succeed(removed);
		}));
	}

	private void removed(Request.Answer answer, @Nullable QueueEntry next) {
		if (!answer.succeeded()) {
			found(answer.view());
			return;
		}
		if (next != null) {
			this.context.endLater(this.key, answer.revision(), this.context.reservation());
		}
		else if (!answer.queue().isEmpty()) {
			// Somebody joined the queue unseen, just before the lock became free.
			Rescue.of(this.context, this.key, answer.queue().get(0));
		}
		succeed(true);
	}

}
