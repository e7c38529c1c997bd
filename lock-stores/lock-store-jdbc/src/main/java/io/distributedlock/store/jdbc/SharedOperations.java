package io.distributedlock.store.jdbc;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SharedAcquireCommand;
import org.jspecify.annotations.Nullable;

/**
 * The commands of the SPI for shares, as operations. All of them look at the row.
 */
final class SharedOperations {

	private SharedOperations() {
	}

	/**
	 * An operation of one attempt.
	 *
	 * @param <R> type of the result
	 */
	private abstract static class OfAttempt<R> extends Operation<R> {

		final AttemptId attempt;

		final Signals signals;

		OfAttempt(LockKey key, AttemptId attempt, long deadline, Lane lane, Signals signals) {
			super(key, deadline, lane);
			this.attempt = attempt;
			this.signals = signals;
		}

		@Override
		final R run(LockRow row) {
			return run(new Sharing(row), this.attempt.toString());
		}

		abstract R run(Sharing row, String attempt);

	}

	/**
	 * Asks for a share.
	 */
	static final class Acquire extends OfAttempt<AcquireReply> {

		private final SharedAcquireCommand command;

		Acquire(SharedAcquireCommand command, long deadline, Signals signals) {
			super(command.key(), command.attempt(), deadline, Lane.LOOK, signals);
			this.command = command;
		}

		@Override
		AcquireReply run(Sharing row, String attempt) {
			return row.acquire(attempt, this.command.share(), this.command.ttl(), this.command.queue());
		}

		@Override
		void answered(AcquireReply answer) {
			this.signals.answered(key(), this.attempt, answer);
			complete(answer);
		}

		@Override
		boolean isForbiddenLate() {
			return true;
		}

	}

	/**
	 * Keeps a share.
	 */
	static final class Renew extends OfAttempt<RenewReply> {

		private final RenewCommand command;

		Renew(RenewCommand command, long deadline, Signals signals) {
			super(command.key(), command.attempt(), deadline, Lane.SHARES, signals);
			this.command = command;
		}

		@Override
		RenewReply run(Sharing row, String attempt) {
			return row.renew(attempt, this.command.ttl());
		}

		@Override
		void answered(RenewReply answer) {
			if (answer instanceof RenewReply.NotOwner) {
				this.signals.ended(this.attempt);
			}
			else {
				this.signals.stillHolds(key(), this.attempt);
			}
			complete(answer);
		}

	}

	/**
	 * Asks for a full ttl, unless others wait.
	 */
	static final class Extend extends OfAttempt<ExtendReply> {

		private final ExtendCommand command;

		Extend(ExtendCommand command, long deadline, Signals signals) {
			super(command.key(), command.attempt(), deadline, Lane.LOOK, signals);
			this.command = command;
		}

		@Override
		ExtendReply run(Sharing row, String attempt) {
			return row.extend(attempt, this.command.ttl());
		}

	}

	/**
	 * Gives a share back.
	 */
	static final class Release extends OfAttempt<ReleaseReply> {

		private final ReleaseCommand command;

		Release(ReleaseCommand command, long deadline, Signals signals) {
			super(command.key(), command.attempt(), deadline, Lane.SHARES, signals);
			this.command = command;
		}

		@Override
		ReleaseReply run(Sharing row, String attempt) {
			return row.release(attempt, this.command.keepFor());
		}

		@Override
		void answered(ReleaseReply answer) {
			this.signals.ended(this.attempt);
			complete(answer);
		}

	}

	/**
	 * Takes away whatever an attempt has.
	 */
	static final class Abandon extends OfAttempt<@Nullable Void> {

		Abandon(AbandonCommand command, long deadline, Signals signals) {
			super(command.key(), command.attempt(), deadline, Lane.LOOK, signals);
		}

		@Override
		@Nullable Void run(Sharing row, String attempt) {
			row.abandon(attempt);
			return null;
		}

		@Override
		void answered(@Nullable Void answer) {
			this.signals.ended(this.attempt);
			this.signals.waitsNoMore(this.attempt);
			complete(answer);
		}

	}

}
