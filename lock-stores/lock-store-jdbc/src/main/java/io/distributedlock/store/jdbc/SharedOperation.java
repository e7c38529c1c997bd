package io.distributedlock.store.jdbc;

import java.util.function.BiFunction;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SharedAcquireCommand;
import org.jspecify.annotations.Nullable;

/**
 * A command for a share of a lock, as an operation. All of them look at the row; they
 * differ in what they do there, and in what this JVM learns from the answer.
 *
 * @param <R> type of the result
 */
final class SharedOperation<R> extends Operation<R> {

	private final AttemptId attempt;

	private final boolean forbiddenLate;

	private final BiFunction<Sharing, String, R> rule;

	private final Lesson<R> lesson;

	private SharedOperation(LockKey key, AttemptId attempt, long deadline, Lane lane, boolean forbiddenLate,
			BiFunction<Sharing, String, R> rule, Lesson<R> lesson) {
		super(key, deadline, lane);
		this.attempt = attempt;
		this.forbiddenLate = forbiddenLate;
		this.rule = rule;
		this.lesson = lesson;
	}

	/**
	 * Asks for a share.
	 */
	static Operation<AcquireReply> acquire(SharedAcquireCommand command, long deadline, Signals signals) {
		return new SharedOperation<>(command.key(), command.attempt(), deadline, Lane.LOOK, true,
				(row, attempt) -> row.acquire(attempt, command.share(), command.ttl(), command.queue()),
				signals::answered);
	}

	/**
	 * Keeps a share.
	 */
	static Operation<RenewReply> renew(RenewCommand command, long deadline, Signals signals) {
		return new SharedOperation<>(command.key(), command.attempt(), deadline, Lane.SHARES, false,
				(row, attempt) -> row.renew(attempt, command.ttl()), signals::answered);
	}

	/**
	 * Asks for a full ttl, unless others wait.
	 */
	static Operation<ExtendReply> extend(ExtendCommand command, long deadline) {
		return new SharedOperation<>(command.key(), command.attempt(), deadline, Lane.LOOK, false,
				(row, attempt) -> row.extend(attempt, command.ttl()), (key, attempt, answer) -> {
				});
	}

	/**
	 * Gives a share back.
	 */
	static Operation<ReleaseReply> release(ReleaseCommand command, long deadline, Signals signals) {
		return new SharedOperation<>(command.key(), command.attempt(), deadline, Lane.SHARES, false,
				(row, attempt) -> row.release(attempt, command.keepFor()),
				(key, attempt, answer) -> signals.ended(attempt));
	}

	/**
	 * Turns a grant into a reader's share.
	 */
	static Operation<DowngradeReply> downgrade(DowngradeCommand command, long deadline, Signals signals) {
		return new SharedOperation<>(command.key(), command.reader(), deadline, Lane.LOOK, false,
				(row, reader) -> row.downgrade(command.attempt().toString(), reader, command.ttl()),
				(key, reader, answer) -> {
					signals.ended(command.attempt());
					if (answer instanceof DowngradeReply.Downgraded) {
						signals.holds(key, reader);
					}
				});
	}

	/**
	 * Takes away whatever an attempt has.
	 */
	static Operation<@Nullable Void> abandon(AbandonCommand command, long deadline, Signals signals) {
		return new SharedOperation<@Nullable Void>(command.key(), command.attempt(), deadline, Lane.LOOK, false,
				(row, attempt) -> {
					row.abandon(attempt);
					return null;
				}, (key, attempt, answer) -> signals.abandoned(attempt));
	}

	@Override
	R run(LockRow row) {
		return this.rule.apply(new Sharing(row), this.attempt.toString());
	}

	@Override
	void answered(R answer) {
		this.lesson.learn(key(), this.attempt, answer);
		complete(answer);
	}

	@Override
	boolean isForbiddenLate() {
		return this.forbiddenLate;
	}

	/**
	 * What this JVM takes note of when it has the answer.
	 *
	 * @param <R> type of the answer
	 */
	private interface Lesson<R> {

		void learn(LockKey key, AttemptId attempt, R answer);

	}

}
