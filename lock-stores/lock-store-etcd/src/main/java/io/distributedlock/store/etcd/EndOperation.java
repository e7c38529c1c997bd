package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;

import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * Takes away whatever an attempt has, for good. Requests of it that have not been
 * answered are made ineffective first, whenever they may come; only then is "nothing
 * there" an answer.
 */
final class EndOperation extends Operation<Boolean> {

	private final AttemptId attempt;

	private final @Nullable Stake stake;

	private final boolean scripted;

	EndOperation(Context context, LockKey key, AttemptId attempt, Duration timeout) {
		super(context, key, timeout);
		this.attempt = attempt;
		this.stake = context.stakes().find(attempt);
		this.scripted = this.stake != null && this.stake.isScripted();
	}

	/**
	 * Takes away what an attempt for a share has.
	 */
	EndOperation(Context context, LockKey key, AttemptId attempt, Duration timeout, boolean scripted) {
		super(context, key, timeout);
		this.attempt = attempt;
		this.stake = context.stakes().find(attempt);
		this.scripted = scripted;
	}

	@Override
	void step() {
		Stake known = this.stake;
		if (known == null) {
			if (this.scripted) {
				followScript();
			}
			else {
				look();
			}
			return;
		}
		// First of all: from now on no answer gives it more.
		known.finish();
		boolean sure = !known.isUnsure();
		boolean place = sure && known.state() == Stake.State.QUEUED;
		LockView grant = sure ? known.grant() : null;
		Session doubtful = known.doubtful();
		if (doubtful != null) {
			this.context.sessions().fence(doubtful, this.deadline).whenComplete((fenced, failure) -> attempt(() -> {
				if (failure != null) {
					throw this.context.errors().translate(failure);
				}
				step();
			}));
		}
		else if (sure && known.isGoneWithItsLease()) {
			done();
		}
		else if (this.scripted) {
			followScript();
		}
		else if (place) {
			leaveQueue(known.revision());
		}
		else if (grant != null) {
			// Thousands may end at once, after a pause: no reads, and many in one call.
			passOn(grant, false);
		}
		else {
			look();
		}
	}

	/**
	 * Takes away what a share or strict order needs, and lets those in who can come in
	 * then.
	 */
	private void followScript() {
		Scripts.abandon(this.context, this.key, this.attempt, timeLeft())
			.start()
			.whenComplete((ended, failure) -> attempt(() -> {
				if (failure != null) {
					throw this.context.errors().translate(failure);
				}
				done();
			}));
	}

	/**
	 * Takes the place in the queue away. If it is as it was, nothing was reserved for it
	 * either, since that would have taken it away.
	 */
	private void leaveQueue(long revision) {
		submit(request((answer) -> {
			if (!answer.succeeded()) {
				found(answer.view());
			}
			else if (answer.view().isShared()) {
				// Those behind it may share the lock.
				followScript();
			}
			else {
				done();
			}
		}).ifUnchanged(ownEntry(), revision)
			.delete(ownEntry())
			.claims(record())
			.thenRead(Op.get(record(), GetOption.DEFAULT))
			.elseRead(record())
			.elseReadQueue(queue()));
	}

	private void found(LockView view) {
		if (view.isHeldBy(this.attempt) || view.isReservedFor(this.attempt)) {
			passOn(view, true);
		}
		else {
			look();
		}
	}

	/**
	 * Looks for everything at one moment: in between, a place in the queue may become a
	 * reservation.
	 */
	private void look() {
		read((answer) -> {
			List<GetResponse> found = answer.getGetResponses();
			LockView view = LockView.of(found.get(0), found.get(1));
			QueueEntry own = LockView.entries(found.get(2))
				.stream()
				.filter((entry) -> entry.attempt().equals(this.attempt))
				.findFirst()
				.orElse(null);
			if (view.isHeldBy(this.attempt) || view.isReservedFor(this.attempt)) {
				passOn(view, true);
			}
			else if (own != null) {
				leaveQueue(own.revision());
			}
			else {
				done();
			}
		}, Op.get(record(), GetOption.DEFAULT), Request.readFirst(queue()), Op.get(ownEntry(), GetOption.DEFAULT));
	}

	/**
	 * Passes the lock on.
	 * @param look whether the attempt may have a place in the queue as well
	 */
	private void passOn(LockView view, boolean look) {
		QueueEntry next = view.queue()
			.stream()
			.filter((entry) -> !entry.attempt().equals(this.attempt))
			.findFirst()
			.orElse(null);
		if (next != null && !next.isPlain()) {
			followScript();
			return;
		}
		Request request = request((answer) -> {
			if (!answer.succeeded()) {
				found(answer.view());
				return;
			}
			if (next != null) {
				this.context.endLater(this.key, answer.revision(), this.context.reservation());
			}
			else if (!answer.queue().isEmpty() && !answer.queue().get(0).attempt().equals(this.attempt)) {
				Rescue.of(this.context, this.key, answer.queue().get(0));
			}
			if (look) {
				look();
			}
			else {
				done();
			}
		});
		if (next != null) {
			this.context.passOn(request, this.key, view.revision(), next);
		}
		else {
			request.ifUnchanged(record(), view.revision()).delete(record());
		}
		submit(request.thenReadQueue(queue()).elseRead(record()).elseReadQueue(queue()));
	}

	/**
	 * It must be taken away all the same: a request that is still on its way might give
	 * the lock to an attempt that nobody remembers, on a lease that others keep alive.
	 */
	@Override
	void unanswered(boolean sent) {
		if (this.stake != null) {
			this.stake.finish();
			this.stake.retry(System.nanoTime());
			this.context.stakes().wheel().watch(this.stake);
		}
	}

	private void done() {
		if (this.stake != null) {
			this.context.stakes().forget(this.stake);
		}
		succeed(true);
	}

	/**
	 * Takes away stakes whose time is over, in the background.
	 */
	interface Starter {

		void end(Stake stake);

		/**
		 * Watches a stake that got more time in the last moment.
		 */
		void later(Stake stake);

	}

}
