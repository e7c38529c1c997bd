package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;

/**
 * Gives a share its full ttl, unless somebody waits.
 */
final class ShareExtendTask extends KeyTask<ExtendReply> {

	private static final ExtendReply NOT_OWNER = new ExtendReply.NotOwner();

	private final ExtendCommand command;

	private final Sessions sessions;

	private final SessionKeeper keeper;

	private volatile @Nullable MoveTask moving;

	ShareExtendTask(StoreContext context, ExtendCommand command, Sessions sessions, SessionKeeper keeper) {
		super(context, command.key(), command.timeout());
		this.command = command;
		this.sessions = sessions;
		this.keeper = keeper;
	}

	@Override
	@Nullable TakeBack takeBack() {
		MoveTask begun = this.moving;
		return (begun != null) ? begun.takeBack() : null;
	}

	@Override
	CompletableFuture<ExtendReply> work() {
		return withGrant(this.command.attempt(), NOT_OWNER, (grant) -> ShareCheck.of(grant).thenCompose(this::decide));
	}

	private CompletableFuture<ExtendReply> decide(ShareCheck check) {
		Grant grant = check.grant();
		if (check.isGone()) {
			this.context.ended(grant);
			return done(NOT_OWNER);
		}
		if (!this.context.living(id(), check.recordOrEmpty()).queue().isEmpty()) {
			return done(new ExtendReply.Yield());
		}
		if (check.isElsewhere() || !this.sessions.suffices(grant.link, this.command.ttl())) {
			return move(grant);
		}
		if (!check.outlives(this.command.ttl())) {
			throw this.context.failures().stalled();
		}
		grant.arm(check.sent(), this.command.ttl());
		return done(new ExtendReply.Extended(grant.first, 1));
	}

	private CompletableFuture<ExtendReply> move(Grant grant) {
		MoveTask move = new MoveTask(this.context,
				new RenewCommand(this.key, this.command.attempt(), this.command.ttl(), this.command.timeout()),
				this.keeper);
		move.submitted(local());
		this.moving = move;
		return connection(this.keeper).thenCompose((link) -> move.work())
			.thenApply((reply) -> (reply == RenewReply.RENEWED) ? new ExtendReply.Extended(grant.first, 1) : NOT_OWNER);
	}

}
