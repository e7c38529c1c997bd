package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.store.etcd.Script.Decision;

/**
 * What those do with a lock who want to be alone: callers in strict order, and others
 * where they meet them or shares.
 */
final class LineScripts {

	/** How many callers one transaction asks for; each may be an operation. */
	private static final int MOST_ASKED = 32;

	private LineScripts() {
	}

	// ---- Strict order

	/**
	 * Asks for callers in the order in which they came, as many in one transaction as
	 * etcd allows.
	 */
	static CompletableFuture<List<AcquireReply>> acquire(Context context, List<AcquireCommand> commands) {
		Duration shortest = commands.stream().map(AcquireCommand::timeout).min(Duration::compareTo).orElseThrow();
		return acquire(context, commands, System.nanoTime() + shortest.toNanos());
	}

	private static CompletableFuture<List<AcquireReply>> acquire(Context context, List<AcquireCommand> commands,
			long deadline) {
		List<AcquireCommand> first = commands.subList(0, Math.min(MOST_ASKED, commands.size()));
		Duration timeout = Duration.ofNanos(Math.max(0, deadline - System.nanoTime()));
		CompletableFuture<List<AcquireReply>> replies = acquireSome(context, first, timeout).start();
		if (first.size() == commands.size()) {
			return replies;
		}
		List<AcquireCommand> others = commands.subList(first.size(), commands.size());
		return replies.thenCompose((some) -> acquire(context, others, deadline)
			.thenApply((more) -> Stream.concat(some.stream(), more.stream()).toList()));
	}

	private static Script<List<AcquireReply>> acquireSome(Context context, List<AcquireCommand> commands,
			Duration timeout) {
		List<AttemptId> attempts = commands.stream().map(AcquireCommand::attempt).toList();
		AcquireCommand first = commands.get(0);
		attempts.forEach((attempt) -> context.stakes().open(first.key(), attempt).scripted());
		Duration longest = commands.stream().map(AcquireCommand::ttl).max(Duration::compareTo).orElseThrow();
		return new Script<>(context, first.key(), timeout, attempts, longest, (draft) -> acquire(draft, commands));
	}

	private static Decision<List<AcquireReply>> acquire(Draft draft, List<AcquireCommand> commands) {
		boolean queues = draft.context.mailbox().isOpen();
		if (queues) {
			for (AcquireCommand command : commands) {
				if (!draft.isHeldBy(command.attempt()) && !draft.isReservedFor(command.attempt())) {
					draft.enqueue(command.attempt(), QueueEntry.Kind.CALLER, null);
				}
			}
			draft.serve((place) -> commands.stream().anyMatch((command) -> command.attempt().equals(place.attempt())));
		}
		int granted = -1;
		LockRecord held = null;
		for (int i = 0; i < commands.size() && granted < 0; i++) {
			AcquireCommand command = commands.get(i);
			held = hold(draft, command.attempt(), command.ttl(), 1, !queues && draft.isFree() && draft.queue.isEmpty());
			granted = (held != null) ? i : -1;
		}
		return replies(draft, commands.size(), granted, held, queues);
	}

	private static Decision<List<AcquireReply>> replies(Draft draft, int count, int granted, @Nullable LockRecord held,
			boolean queues) {
		Refused refusal = draft.refusal(false);
		return (done) -> {
			List<AcquireReply> replies = new ArrayList<>(count);
			for (int i = 0; i < count; i++) {
				if (i == granted && held != null) {
					replies.add(granted(done.held(i, held)));
				}
				else {
					boolean waits = done.waits(i, queues);
					replies.add(new Refused(refusal.holder(), refusal.freeIn(), waits));
				}
			}
			return replies;
		};
	}

	/**
	 * Gives an attempt the lock if it has it, or if it is reserved for it.
	 * @param free whether it gets it also if it is neither
	 */
	private static @Nullable LockRecord hold(Draft draft, AttemptId attempt, Duration ttl, int tokens, boolean free) {
		LockRecord record = draft.alone;
		if (record != null && record.isHeldBy(attempt)) {
			LockRecord renewed = record.time().equals(ttl) ? record : record.renewed(ttl);
			draft.own(renewed);
			return renewed;
		}
		if (free || draft.isReservedFor(attempt)) {
			return draft.hold(attempt, ttl, tokens);
		}
		return null;
	}

	private static Granted granted(LockRecord record) {
		return new Granted(record.firstToken(), record.firstTokens());
	}

	/**
	 * Gives the lock back, and to the next in the queue at once if that is a caller of
	 * this JVM.
	 */
	static Script<ReleaseReply> release(Context context, ReleaseCommand command, Duration ttl) {
		return new Script<>(context, command.key(), command.timeout(), (draft) -> {
			if (!draft.isHeldBy(command.attempt())) {
				return Decision.quiet(new ReleaseReply.NotOwner());
			}
			draft.free();
			boolean reserved = draft.serve((place) -> isOurs(context, place));
			AttemptId next = (draft.alone != null) ? draft.alone.attempt() : null;
			Stake stake = (next != null && draft.told.isEmpty()) ? context.stakes().find(next) : null;
			if (next == null || stake == null || stake.isOver()) {
				return (done) -> {
					ShareScripts.ended(context, draft.key, command.attempt());
					return new ReleaseReply.Released(reserved);
				};
			}
			LockRecord held = draft.hold(next, ttl, 1);
			return new Passing(stake, held, command.attempt());
		});
	}

	private static boolean isOurs(Context context, QueueEntry place) {
		return place.kind() == QueueEntry.Kind.CALLER && place.instance().equals(context.instance());
	}

	// ---- Others

	/**
	 * Acquires a lock that is shared, or was.
	 */
	static Script<AcquireReply> acquirePlain(Context context, AcquireCommand command, Duration timeout,
			boolean enqueue) {
		AttemptId attempt = command.attempt();
		return new Script<>(context, command.key(), timeout, List.of(attempt), command.ttl(), (draft) -> {
			LockRecord held = hold(draft, attempt, command.ttl(), command.tokens(), draft.isFree());
			if (held != null) {
				leavePlain(draft);
				return (done) -> {
					LockRecord written = done.held(0, held);
					context.stakes().granted(done.stakes().get(0));
					return granted(written);
				};
			}
			boolean queues = enqueue && context.mailbox().isOpen();
			if (queues) {
				draft.enqueue(attempt, QueueEntry.Kind.JVM, null);
			}
			Refused refusal = draft.refusal(false);
			return (done) -> {
				boolean waits = done.waits(0, queues);
				if (waits) {
					context.stakes().replace(done.stakes().get(0));
				}
				return new Refused(refusal.holder(), refusal.freeIn(), waits);
			};
		});
	}

	/**
	 * Gives the lock back to those of another kind.
	 * @return a script whose result is empty if the attempt does not hold the lock
	 */
	static Script<Optional<ReleaseReply>> releasePlain(Context context, ReleaseCommand command, Duration timeout,
			@Nullable Successor successor) {
		List<AttemptId> attempts = (successor != null) ? List.of(successor.attempt()) : List.of();
		Duration life = (successor != null) ? successor.ttl() : Duration.ZERO;
		return new Script<>(context, command.key(), timeout, attempts, life, (draft) -> {
			if (!draft.isHeldBy(command.attempt())) {
				return Decision.quiet(Optional.empty());
			}
			draft.free();
			if (successor == null) {
				boolean reserved = draft.serve((place) -> false);
				return (done) -> Optional.of(new ReleaseReply.Released(reserved));
			}
			leavePlain(draft);
			if (!draft.serve((place) -> false)) {
				LockRecord held = draft.hold(successor.attempt(), successor.ttl(), successor.tokens());
				return (done) -> {
					LockRecord written = done.held(0, held);
					context.stakes().granted(done.stakes().get(0));
					return Optional.of(new ReleaseReply.Succeeded(written.firstToken(), written.firstTokens()));
				};
			}
			boolean queues = context.mailbox().isOpen();
			if (queues) {
				draft.enqueue(successor.attempt(), QueueEntry.Kind.JVM, null);
			}
			return (done) -> {
				boolean waits = done.waits(0, queues);
				if (waits) {
					context.stakes().replace(done.stakes().get(0));
				}
				return Optional.of(new ReleaseReply.Queued(waits));
			};
		});
	}

	/** The place is for all callers of this JVM, and one of them is served. */
	private static void leavePlain(Draft draft) {
		draft.leaveQueue((place) -> place.isPlain() && place.instance().equals(draft.context.instance()));
	}

	/**
	 * The lock goes to the next caller of this JVM.
	 */
	private record Passing(Stake next, LockRecord held, AttemptId before) implements Decision<ReleaseReply> {

		@Override
		public ReleaseReply done(Script.Done done) {
			ShareScripts.ended(done.context(), this.next.key, this.before);
			LockRecord written = done.with(this.next).held(0, this.held);
			return new ReleaseReply.Passed(this.next.attempt, written.firstToken());
		}

	}

}
