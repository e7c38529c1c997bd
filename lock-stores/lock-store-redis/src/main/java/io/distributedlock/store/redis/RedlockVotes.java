package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

/**
 * The commands that a single vote decides: all but acquire and extend.
 * <p>
 * "Yes" needs a quorum. "No" needs so many that no quorum can say yes. What lies between
 * is unknown, and said to be.
 */
final class RedlockVotes {

	private final RedlockContext context;

	private final RedlockNodes nodes;

	/** How long a server may keep what could not be taken away from it. */
	private final AtomicLong longestTtl = new AtomicLong(Duration.ofSeconds(30).toNanos());

	RedlockVotes(RedlockContext context) {
		this.context = context;
		this.nodes = context.nodes();
	}

	/**
	 * Remembers how long grants may live.
	 */
	void noteTtl(Duration ttl) {
		if (ttl.toNanos() > this.longestTtl.get()) {
			this.longestTtl.accumulateAndGet(ttl.toNanos(), Math::max);
		}
	}

	private Duration longestTtl() {
		return Duration.ofNanos(this.longestTtl.get());
	}

	private static long now() {
		return System.nanoTime();
	}

	private long deadline(Duration timeout) {
		return this.nodes.deadline(now(), now() + timeout.toNanos());
	}

	private boolean isAgreed(long votes) {
		return votes >= this.nodes.quorum();
	}

	private boolean isPrevented(long votes) {
		return this.nodes.preventQuorum((int) votes);
	}

	/**
	 * Gives a grant back. A server whose answer is lost is told again in the background.
	 * If the lock is to stay taken, that begins only when the others have decided: until
	 * then the whole release is repeated, and must find the grant.
	 */
	CompletableFuture<ReleaseReply> release(ReleaseCommand command) {
		AttemptId id = this.context.attempts().current(command.attempt());
		this.context.attempts().ended(id);
		ReleaseCommand asked = new ReleaseCommand(command.key(), id, command.keepFor(), command.timeout());
		long deadline = deadline(command.timeout());
		RedlockTally<ReleaseReply, ReleaseReply> tally = new RedlockTally<>(this.nodes,
				"The lock could not be given back", (votes, pending) -> {
					long released = votes.stream().filter(ReleaseReply.Released.class::isInstance).count();
					if (isAgreed(released)) {
						return new ReleaseReply.Released(false);
					}
					return isPrevented(votes.size() - released) ? new ReleaseReply.NotOwner() : null;
				});
		long keepUntil = now() + command.keepFor().toNanos();
		CompletableFuture<ReleaseReply> reply = tally.ask((node) -> node.release(asked, deadline), (node) -> {
			if (command.keepFor().isZero()) {
				this.context.sweeper(node).remember(command.key(), id, longestTtl());
			}
			else {
				tally.result()
					.thenAccept((known) -> this.context.sweeper(node).keep(command.key(), id, keepUntil, longestTtl()));
			}
		});
		reply.thenAccept((known) -> this.context.attempts().forget(command.attempt()));
		return reply;
	}

	/**
	 * Takes away what an attempt has. A quorum without it is enough for the caller.
	 */
	CompletableFuture<@Nullable Void> abandon(AbandonCommand command) {
		AttemptId id = this.context.attempts().current(command.attempt());
		this.context.attempts().ended(id);
		long deadline = deadline(command.timeout());
		RedlockTally<Boolean, Boolean> tally = new RedlockTally<>(this.nodes, "The attempt could not be taken back",
				(votes, pending) -> isAgreed(votes.size()) ? true : null);
		return tally
			.ask((node) -> node.abandon(command.key(), id, deadline).thenApply((done) -> true),
					(node) -> this.context.sweeper(node).remember(command.key(), id, longestTtl()))
			.thenApply((done) -> null);
	}

	/**
	 * Keeps grants alive, all with one call or a few for each server.
	 */
	CompletableFuture<List<RenewReply>> renew(List<RenewCommand> commands) {
		long sentAt = now();
		Duration timeout = commands.get(0).timeout();
		List<RenewCommand> asked = new ArrayList<>(commands.size());
		List<RedlockTally<RenewReply, RenewReply>> tallies = new ArrayList<>(commands.size());
		for (RenewCommand command : commands) {
			timeout = (command.timeout().compareTo(timeout) < 0) ? command.timeout() : timeout;
			AttemptId id = this.context.attempts().current(command.attempt());
			asked.add(new RenewCommand(command.key(), id, command.ttl(), command.timeout()));
			tallies.add(new RedlockTally<>(this.nodes, "The lock could not be renewed", (votes, pending) -> {
				long renewed = votes.stream().filter(RenewReply.Renewed.class::isInstance).count();
				if (isAgreed(renewed)) {
					return RedlockContext.isOver(sentAt, command.ttl()) ? tooLate(command) : RenewReply.RENEWED;
				}
				return isPrevented(votes.size() - renewed) ? RenewReply.NOT_OWNER : null;
			}));
		}
		long deadline = deadline(timeout);
		for (RedlockNode node : this.nodes.all()) {
			List<CompletableFuture<RenewReply>> replies = this.nodes.askAll(node, asked.size(),
					(each) -> each.renew(asked, deadline));
			for (int i = 0; i < replies.size(); i++) {
				replies.get(i).whenComplete(tallies.get(i)::vote);
			}
		}
		return CompletableFuture.allOf(tallies.stream().map(RedlockTally::result).toArray(CompletableFuture<?>[]::new))
			.handle((done, anyFailure) -> answers(asked, tallies));
	}

	private static RenewReply tooLate(RenewCommand command) {
		return new RenewReply.Failed(new StoreException(
				"The servers answered too late for the lock's ttl of " + command.ttl().toMillis() + " ms", true, true,
				null));
	}

	private List<RenewReply> answers(List<RenewCommand> asked, List<RedlockTally<RenewReply, RenewReply>> tallies) {
		List<RenewReply> answers = new ArrayList<>(asked.size());
		for (int i = 0; i < asked.size(); i++) {
			RenewReply answer = tallies.get(i)
				.result()
				.handle((reply, thrown) -> (thrown != null) ? new RenewReply.Failed(RedlockNodes.failure(thrown))
						: reply)
				.join();
			answers.add(answer);
			if (answer instanceof RenewReply.NotOwner) {
				// A minority may still have it, and is in nobody's way, but of no use.
				this.context.takeBackEverywhere(asked.get(i).key(), asked.get(i).attempt(), asked.get(i).ttl());
			}
		}
		return answers;
	}

	/**
	 * Tells what a majority knows. A view that too few servers share is none, unless the
	 * silent ones may share it too.
	 */
	CompletableFuture<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		long deadline = deadline(timeout);
		RedlockTally<Optional<StoredLock>, Optional<StoredLock>> tally = new RedlockTally<>(this.nodes,
				"The lock could not be looked at",
				(votes, pending) -> (pending == 0 && isAgreed(votes.size())) ? view(votes) : null);
		return tally.ask((node) -> node.inspect(key, deadline), (node) -> {
		});
	}

	private Optional<StoredLock> view(List<Optional<StoredLock>> votes) {
		Map<List<Object>, List<StoredLock>> views = new LinkedHashMap<>();
		for (Optional<StoredLock> vote : votes) {
			vote.filter((lock) -> lock.state() != StoredLock.State.FREE)
				.ifPresent(
						(lock) -> views
							.computeIfAbsent(List.of(lock.state(), String.valueOf(lock.instance()), lock.firstToken(),
									lock.lastToken()), (same) -> new ArrayList<>())
							.add(lock));
		}
		int unheard = this.nodes.size() - votes.size();
		return views.values()
			.stream()
			.filter((view) -> isAgreed(view.size() + unheard))
			.max(Comparator.comparingInt(List::size))
			.map(this::longestShared);
	}

	/**
	 * Of one view, returns the one that lives as long as a quorum does.
	 */
	private StoredLock longestShared(List<StoredLock> view) {
		List<StoredLock> sorted = new ArrayList<>(view);
		sorted.sort(Comparator.comparing(StoredLock::remaining).reversed());
		return sorted.get(Math.min(this.nodes.quorum(), sorted.size()) - 1);
	}

	/**
	 * Ends a grant on all servers.
	 */
	CompletableFuture<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		long deadline = deadline(timeout);
		RedlockTally<Boolean, Boolean> tally = new RedlockTally<>(this.nodes, "The lock could not be taken away",
				(votes, pending) -> {
					long ended = votes.stream().filter((vote) -> vote).count();
					if (isAgreed(ended)) {
						return true;
					}
					return isPrevented(votes.size() - ended) ? false : null;
				});
		return tally.ask((node) -> node.forceRelease(key, token, deadline), (node) -> {
		});
	}

}
