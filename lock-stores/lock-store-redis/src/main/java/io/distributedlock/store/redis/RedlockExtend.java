package io.distributedlock.store.redis;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.StoreException;

/**
 * Asks a quorum for more tokens.
 */
final class RedlockExtend extends RedlockRound {

	private final RedlockContext context;

	private final ExtendCommand command;

	private final long startedAt = System.nanoTime();

	private final CompletableFuture<ExtendReply> result = new CompletableFuture<>();

	RedlockExtend(RedlockContext context, ExtendCommand command, AttemptId id) {
		super(context.nodes(), command.key(), id, command.ttl(), System.nanoTime() + command.timeout().toNanos());
		this.context = context;
		this.command = command;
	}

	CompletableFuture<ExtendReply> start() {
		long now = System.nanoTime();
		start(now + (deadline() - now) / 2);
		return this.result;
	}

	@Override
	CompletableFuture<Offer> ask(RedlockNode node, long until) {
		return node
			.extend(new ExtendCommand(key(), attempt(), ttl(), this.command.tokens(), this.command.timeout()), until)
			.thenApply((reply) -> {
				if (reply instanceof ExtendReply.Extended extended) {
					return Offer.of(extended.firstToken(), extended.tokens());
				}
				if (reply instanceof ExtendReply.Yield) {
					throw new StoreException(
							"Somebody queues for this lock on one server: is it also used as a store"
									+ " of its own? Give Redlock a prefix of its own. [server " + node + "]",
							false, false, null);
				}
				return Offer.none(null, ttl());
			});
	}

	@Override
	long firstToWrite(long first) {
		return RaiseOperation.SAME_FIRST;
	}

	@Override
	void agreed(long first, int tokens) {
		if (RedlockContext.isOver(this.startedAt, ttl())) {
			fail("The servers agreed too late for the lock's ttl of " + ttl().toMillis() + " ms");
			return;
		}
		then(() -> this.result.complete(new ExtendReply.Extended(first, tokens)));
	}

	@Override
	void impossible() {
		if (nodes().preventQuorum(count(Said.NO))) {
			then(() -> {
				this.result.complete(new ExtendReply.NotOwner());
				this.context.takeBackEverywhere(key(), attempt(), ttl());
			});
		}
		else {
			fail("The grant could not be extended");
		}
	}

	@Override
	void unconfirmed() {
		fail("The grant's further fencing tokens could not be confirmed");
	}

	private void fail(String what) {
		StoreException failure = nodes().outage(what, failures(), true);
		then(() -> this.result.completeExceptionally(failure));
	}

	@Override
	void late(Voter voter) {
		// Whatever it is, the quorum has decided without it.
	}

}
