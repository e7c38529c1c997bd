package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.RenewCommand;

/**
 * Writes the record of a grant again: with a further block of tokens, or on the lease of
 * another ttl. Every write has a higher revision, so tokens never run out.
 */
final class ExtendOperation extends Operation<ExtendReply> {

	private final AttemptId attempt;

	private final Duration ttl;

	/** How many tokens, 0 to renew only, also if others wait. */
	private final int tokens;

	private final @Nullable Stake stake;

	ExtendOperation(Context context, ExtendCommand command) {
		super(context, command.key(), command.timeout());
		this.attempt = command.attempt();
		this.ttl = command.ttl();
		this.tokens = Math.max(1, Math.min(command.tokens(), LockRecord.TOKENS_OF_A_REVISION));
		this.stake = context.stakes().find(this.attempt);
	}

	ExtendOperation(Context context, LockKey key, RenewCommand command) {
		super(context, key, command.timeout());
		this.attempt = command.attempt();
		this.ttl = command.ttl();
		this.tokens = 0;
		this.stake = context.stakes().find(this.attempt);
	}

	@Override
	void step() {
		Stake known = this.stake;
		if (known == null || !known.isHeld(System.nanoTime())) {
			succeed(new ExtendReply.NotOwner());
			return;
		}
		LockRecord record = known.record();
		List<QueueEntry> others = known.others();
		if (record != null && others != null && others.isEmpty()) {
			write(known, record, known.revision());
		}
		else {
			readLock((view) -> found(known, view));
		}
	}

	private void found(Stake known, LockView view) {
		LockRecord record = view.record();
		if (record == null || !record.isHeldBy(this.attempt)) {
			// Lost. What is left of it is taken away when its time is over.
			succeed(new ExtendReply.NotOwner());
		}
		else if (this.tokens > 0 && view.queue().stream().anyMatch((entry) -> !entry.key().equals(ownEntry()))) {
			succeed(new ExtendReply.Yield());
		}
		else {
			write(known, record, view.revision());
		}
	}

	private void write(Stake known, LockRecord record, long revision) {
		this.context.sessions().use(this, this.ttl, (session) -> {
			long end = System.nanoTime() + this.ttl.toNanos();
			LockRecord next = (this.tokens > 0) ? record.extended(this.ttl, this.tokens) : record.renewed(this.ttl);
			Request request = request((answer) -> {
				if (!answer.succeeded()) {
					this.context.sessions().sawMarker(session, answer.lastRead());
					found(known, answer.view());
					return;
				}
				LockRecord written = next.written(answer.revision());
				List<QueueEntry> others = answer.queue()
					.stream()
					.filter((entry) -> !entry.key().equals(ownEntry()))
					.toList();
				if (!known.isHeld(System.nanoTime()) || !known.held(session, written, answer.revision(), others, end)) {
					succeed(new ExtendReply.NotOwner());
					return;
				}
				this.context.stakes().wheel().watch(known);
				succeed(new ExtendReply.Extended(written.lastFirstToken(), written.lastTokens()));
			}).ifLives(session)
				.ifUnchanged(record(), revision)
				.put(record(), next.encode(), session.lease)
				.thenReadQueue(queue())
				.elseRead(record())
				.elseReadQueue(queue())
				.elseRead(session.marker);
			request.stake = known;
			submit(request);
		});
	}

	/**
	 * The record may be on another lease now, or may still come there.
	 */
	@Override
	void unanswered(boolean sent) {
		if (sent && this.stake != null) {
			this.stake.unsure(this.stake.endsAt());
		}
	}

}
