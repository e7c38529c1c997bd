package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

import org.jspecify.annotations.Nullable;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;

/**
 * The commands of the SPI as operations.
 */
final class Operations {

	private Operations() {
	}

	/**
	 * Asks for a grant.
	 */
	static final class Acquire extends QuickOperation<AcquireReply> {

		private final boolean enqueue;

		private final Signals signals;

		Acquire(AcquireCommand command, boolean enqueue, long deadline, Signals signals) {
			super(command.key(), command.attempt(), command.ttl(), command.tokens(), deadline,
					command.repeated() ? Lane.LOOK : Lane.ACQUIRE);
			this.enqueue = enqueue;
			this.signals = signals;
		}

		@Override
		AcquireReply run(LockRow row) {
			return new Exclusive(row).acquire(attempt().toString(), ttl(), tokens(), this.enqueue);
		}

		@Override
		AcquireReply done(long firstToken) {
			return new AcquireReply.Granted(firstToken, tokens());
		}

		@Override
		void answered(AcquireReply answer) {
			this.signals.answered(key(), attempt(), answer);
			complete(answer);
		}

		@Override
		boolean isForbiddenLate() {
			return true;
		}

	}

	/**
	 * Keeps a grant.
	 */
	static final class Renew extends QuickOperation<RenewReply> {

		private final Signals signals;

		Renew(RenewCommand command, long deadline, Signals signals) {
			super(command.key(), command.attempt(), command.ttl(), 0, deadline, Lane.RENEW);
			this.signals = signals;
		}

		@Override
		RenewReply run(LockRow row) {
			return new Exclusive(row).renew(attempt().toString(), ttl());
		}

		@Override
		RenewReply done(long firstToken) {
			return RenewReply.RENEWED;
		}

		@Override
		void answered(RenewReply answer) {
			this.signals.answered(key(), attempt(), answer);
			complete(answer);
		}

	}

	/**
	 * Gives a grant back, and may ask for the next one.
	 */
	static final class Release extends QuickOperation<ReleaseReply> {

		private final Duration keepFor;

		private final @Nullable Successor successor;

		private final Signals signals;

		Release(ReleaseCommand command, @Nullable Successor successor, long deadline, Signals signals) {
			super(command.key(), command.attempt(), Duration.ZERO, 0, deadline,
					(successor == null && command.keepFor().isZero()) ? Lane.RELEASE : Lane.LOOK);
			this.keepFor = command.keepFor();
			this.successor = successor;
			this.signals = signals;
		}

		@Override
		ReleaseReply run(LockRow row) {
			String attempt = attempt().toString();
			Exclusive exclusive = new Exclusive(row);
			return (this.successor == null) ? exclusive.release(attempt, this.keepFor)
					: exclusive.releaseAndEnqueue(attempt, this.successor);
		}

		@Override
		ReleaseReply done(long firstToken) {
			return new ReleaseReply.Released(false);
		}

		@Override
		void answered(ReleaseReply answer) {
			this.signals.ended(attempt());
			if (this.successor != null && answer instanceof ReleaseReply.Succeeded) {
				this.signals.holds(key(), this.successor.attempt());
			}
			else if (this.successor != null && answer instanceof ReleaseReply.Queued queued && queued.queued()) {
				this.signals.waits(key(), this.successor.attempt());
			}
			complete(answer);
		}

		@Override
		boolean isForbiddenLate() {
			return this.successor != null;
		}

	}

	/**
	 * Asks for several callers in strict order. If it is one, and nobody waits, that is
	 * an acquire like others.
	 */
	static final class AcquireInOrder extends QuickOperation<List<AcquireReply>> {

		private final List<AcquireCommand> commands;

		private final Signals signals;

		AcquireInOrder(List<AcquireCommand> commands, long deadline, Signals signals) {
			super(commands.get(0).key(), commands.get(0).attempt(), commands.get(0).ttl(), 1, deadline,
					(commands.size() > 1 || commands.get(0).repeated()) ? Lane.LOOK : Lane.ACQUIRE);
			this.commands = commands;
			this.signals = signals;
		}

		@Override
		List<AcquireReply> run(LockRow row) {
			return new StrictOrder(row).acquire(this.commands);
		}

		@Override
		List<AcquireReply> done(long firstToken) {
			return List.of(new AcquireReply.Granted(firstToken, 1));
		}

		@Override
		void answered(List<AcquireReply> answers) {
			for (int i = 0; i < answers.size(); i++) {
				this.signals.answered(key(), this.commands.get(i).attempt(), answers.get(i));
			}
			complete(answers);
		}

		@Override
		boolean isForbiddenLate() {
			return true;
		}

	}

	/**
	 * Gives a grant back, and may have the next caller of this JVM have it.
	 */
	static final class ReleaseInOrder extends QuickOperation<ReleaseReply> {

		private final Signals signals;

		ReleaseInOrder(ReleaseCommand command, Duration ttl, long deadline, Signals signals) {
			super(command.key(), command.attempt(), ttl, 0, deadline, Lane.RELEASE);
			this.signals = signals;
		}

		@Override
		ReleaseReply run(LockRow row) {
			return new StrictOrder(row).release(attempt().toString(), ttl());
		}

		@Override
		ReleaseReply done(long firstToken) {
			return new ReleaseReply.Released(false);
		}

		@Override
		void answered(ReleaseReply answer) {
			this.signals.ended(attempt());
			if (answer instanceof ReleaseReply.Passed passed) {
				this.signals.holds(key(), passed.attempt());
			}
			complete(answer);
		}

	}

	/**
	 * Gives a grant more tokens.
	 */
	static final class Extend extends QuickOperation<ExtendReply> {

		Extend(ExtendCommand command, long deadline) {
			super(command.key(), command.attempt(), command.ttl(), command.tokens(), deadline, Lane.EXTEND);
		}

		@Override
		ExtendReply done(long firstToken) {
			return new ExtendReply.Extended(firstToken, tokens());
		}

		@Override
		ExtendReply run(LockRow row) {
			return new Exclusive(row).extend(attempt().toString(), ttl(), tokens());
		}

	}

	/**
	 * Takes away whatever an attempt has.
	 */
	static final class Abandon extends Operation<@Nullable Void> {

		private final AbandonCommand command;

		private final Signals signals;

		Abandon(AbandonCommand command, long deadline, Signals signals) {
			super(command.key(), deadline, Lane.LOOK);
			this.command = command;
			this.signals = signals;
		}

		@Override
		@Nullable Void run(LockRow row) {
			new Exclusive(row).abandon(this.command.attempt().toString());
			return null;
		}

		@Override
		void answered(@Nullable Void answer) {
			this.signals.abandoned(this.command.attempt());
			complete(answer);
		}

	}

	/**
	 * Tells what the database knows of one lock.
	 */
	static final class Inspect extends Operation<Optional<StoredLock>> {

		private final String store;

		Inspect(LockKey key, String store, long deadline) {
			super(key, deadline, Lane.LOOK);
			this.store = store;
		}

		@Override
		Optional<StoredLock> run(LockRow row) {
			return Inspection.of(row, key(), this.store);
		}

		@Override
		boolean isReadOnly() {
			return true;
		}

	}

	/**
	 * Ends a grant by force.
	 */
	static final class ForceRelease extends Operation<Boolean> {

		private final long token;

		ForceRelease(LockKey key, long token, long deadline) {
			super(key, deadline, Lane.LOOK);
			this.token = token;
		}

		@Override
		Boolean run(LockRow row) {
			return new ByForce(row).release(this.token);
		}

	}

}
