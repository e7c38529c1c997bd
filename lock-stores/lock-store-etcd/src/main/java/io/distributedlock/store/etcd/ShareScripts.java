package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.store.etcd.Script.Decision;

/**
 * What readers and holders of permits do with a lock.
 */
final class ShareScripts {

	private ShareScripts() {
	}

	static Script<AcquireReply> acquire(Context context, SharedAcquireCommand command) {
		AttemptId attempt = command.attempt();
		context.stakes().open(command.key(), attempt).scripted();
		return new Script<>(context, command.key(), command.timeout(), List.of(attempt), command.ttl(),
				(draft) -> acquire(draft, command, attempt));
	}

	private static Decision<AcquireReply> acquire(Draft draft, SharedAcquireCommand command, AttemptId attempt) {
		Context context = draft.context;
		Share share = command.share();
		boolean queues = command.queue() && context.mailbox().isOpen();
		boolean granted = draft.shares.containsKey(attempt);
		if (draft.isReservedFor(attempt)) {
			// By a JVM from before there were shares.
			draft.free();
			granted = true;
		}
		else if (!granted && queues) {
			draft.enqueue(attempt, (share instanceof Share.Permits) ? QueueEntry.Kind.PERMIT : QueueEntry.Kind.READERS,
					share);
			draft.serve((place) -> place.attempt().equals(attempt));
			granted = draft.shares.containsKey(attempt);
		}
		else if (!granted) {
			granted = draft.hasRoom(share) && draft.queue.isEmpty();
		}
		if (granted) {
			StoredPart held = draft.holdShare(attempt, share, command.ttl());
			return (done) -> new Granted(done.shared(0, held), 1);
		}
		AcquireReply.Refused refusal = draft.refusal(false);
		if (!queues) {
			return new Refusal(refusal);
		}
		return (done) -> new AcquireReply.Refused(refusal.holder(), refusal.freeIn(), done.waits(0, true));
	}

	static Script<ExtendReply> extend(Context context, ExtendCommand command) {
		AttemptId attempt = command.attempt();
		return new Script<>(context, command.key(), command.timeout(), held(context, attempt), command.ttl(),
				(draft) -> {
					StoredPart share = ours(draft, attempt);
					if (share == null) {
						return Decision.quiet(new ExtendReply.NotOwner());
					}
					if (!draft.queue.isEmpty()) {
						return Decision.quiet(new ExtendReply.Yield());
					}
					StoredPart held = draft.holdShare(attempt, share.share(), command.ttl());
					return (done) -> new ExtendReply.Extended(done.shared(0, held), 1);
				});
	}

	/**
	 * Renews a share whose ttl changes, or puts the record on a lease of this JVM.
	 */
	static Script<RenewReply> renew(Context context, RenewCommand command) {
		AttemptId attempt = command.attempt();
		return new Script<>(context, command.key(), command.timeout(), held(context, attempt), command.ttl(),
				(draft) -> {
					StoredPart share = ours(draft, attempt);
					if (share == null) {
						return Decision.quiet(RenewReply.NOT_OWNER);
					}
					StoredPart held = draft.holdShare(attempt, share.share(), command.ttl());
					return (done) -> {
						done.shared(0, held);
						return RenewReply.RENEWED;
					};
				});
	}

	static Script<ReleaseReply> release(Context context, ReleaseCommand command) {
		AttemptId attempt = command.attempt();
		return new Script<>(context, command.key(), command.timeout(), (draft) -> {
			StoredPart share = draft.shares.get(attempt);
			if (share == null || share.isReserved()) {
				return Decision.quiet(new ReleaseReply.NotOwner());
			}
			if (share.state() == LockRecord.State.COOLING) {
				// This very command has done it, and its answer was lost.
				return Decision.quiet(new ReleaseReply.Released(false));
			}
			if (!command.keepFor().isZero()) {
				draft.keepShare(share, command.keepFor());
				return (done) -> released(context, draft.key, attempt, false);
			}
			draft.shares.remove(attempt);
			boolean reserved = draft.serve((place) -> false);
			return (done) -> released(context, draft.key, attempt, reserved);
		});
	}

	private static ReleaseReply released(Context context, LockKey key, AttemptId attempt, boolean reserved) {
		ended(context, key, attempt);
		return new ReleaseReply.Released(reserved);
	}

	/**
	 * What an attempt had has ended in etcd.
	 */
	static void ended(Context context, LockKey key, AttemptId attempt) {
		Stake stake = context.stakes().find(attempt);
		if (stake == null) {
			return;
		}
		if (stake.isUnsure() || stake.doubtful() != null) {
			// An old request of it must not make it again.
			new EndOperation(context, key, attempt, Duration.ofSeconds(1)).start();
		}
		else {
			stake.finish();
			context.stakes().forget(stake);
		}
	}

	/** A grant that has ended for this JVM is never made again. */
	private static List<AttemptId> held(Context context, AttemptId attempt) {
		Stake stake = context.stakes().find(attempt);
		return (stake != null && stake.isHeld(System.nanoTime())) ? List.of(attempt) : List.of();
	}

	private static @Nullable StoredPart ours(Draft draft, AttemptId attempt) {
		Stake stake = draft.context.stakes().find(attempt);
		return (stake != null && stake.isHeld(System.nanoTime())) ? draft.heldShare(attempt) : null;
	}

	/**
	 * Somebody who does not wait is refused.
	 */
	private record Refusal(AcquireReply.Refused reply) implements Decision<AcquireReply> {

		@Override
		public AcquireReply done(Script.Done done) {
			done.waits(0, false);
			return this.reply;
		}

		@Override
		public boolean isQuiet() {
			return true;
		}

	}

}
