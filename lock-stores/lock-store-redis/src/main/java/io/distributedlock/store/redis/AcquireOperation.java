package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;

/**
 * Asks for a grant.
 */
final class AcquireOperation extends Operation<AcquireReply> {

	private static final String ZEROS = "0".repeat(16);

	private static final int TIME_DIGITS = 16;

	private static final int TOKEN_DIGITS = 4;

	private static final int MOST_TOKENS = 9999;

	private static final int MOST_RESENDS = 3;

	private final StoreContext context;

	private final AcquireCommand command;

	private final boolean enqueue;

	private int resends;

	AcquireOperation(StoreContext context, AcquireCommand command, boolean enqueue, long deadline) {
		super(LockScript.ACQUIRE, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
		this.enqueue = enqueue;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		long tokens = 0;
		for (Operation<?> operation : all) {
			tokens += ((AcquireOperation) operation).tokens();
		}
		keys.add(this.context.layout().mark(bucket()));
		arguments.add(this.context.instance());
		arguments.add(this.context.entryTtl());
		arguments.add(Ascii.bytes(tokens));
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		this.context.addKeys(id(), keys);
		StringBuilder asked = new StringBuilder(56).append(this.command.attempt())
			.append(this.enqueue ? this.context.entryKind() : 'n')
			.append(this.command.repeated() ? '1' : '0');
		appendPadded(asked, this.context.clock(bucket()).at(deadline()), TIME_DIGITS);
		appendPadded(asked, tokens(), TOKEN_DIGITS);
		arguments.add(Ascii.bytes(asked.append(this.command.ttl().toMillis()).toString()));
	}

	private int tokens() {
		return Math.min(this.command.tokens(), MOST_TOKENS);
	}

	private static void appendPadded(StringBuilder to, long number, int digits) {
		String text = Long.toString(number);
		to.append(ZEROS, 0, digits - text.length()).append(text);
	}

	@Override
	void answered(List<byte[]> answer, long sentAt, long receivedAt) {
		Answer read = Answer.of(answer);
		switch (read.kind()) {
			case 'G' -> granted(read, sentAt, receivedAt);
			case 'R' -> refused(read, sentAt, receivedAt);
			case 'L' -> late(read.number(0), receivedAt);
			default -> fail(this.context.failure(read));
		}
	}

	private void granted(Answer read, long sentAt, long receivedAt) {
		long first = read.number(0);
		long time = read.text(2).isEmpty() ? first : read.number(2);
		this.context.clock(bucket()).observe(time, sentAt, receivedAt);
		this.context.checkMark(first - time);
		complete(new AcquireReply.Granted(first, (int) read.number(1)));
	}

	private void refused(Answer read, long sentAt, long receivedAt) {
		this.context.clock(bucket()).observe(read.number(2), sentAt, receivedAt);
		String holder = read.text(3);
		complete(new AcquireReply.Refused(holder.isEmpty() ? null : holder, freeIn(read.number(1)),
				read.text(0).equals("1")));
	}

	/**
	 * A record without expiry is not ours to judge; it may be repaired at any moment.
	 */
	static Duration freeIn(long millis) {
		return (millis >= 0) ? Duration.ofMillis(millis) : Duration.ofHours(1);
	}

	/**
	 * The server found the command too late. If the answer came in time, then its clock
	 * is not where it was expected: it was never seen before, or was set, or another
	 * server took over.
	 */
	private void late(long serverTime, long receivedAt) {
		this.context.clock(bucket()).reset(serverTime, receivedAt);
		if (deadline() - receivedAt > 0 && this.resends < MOST_RESENDS) {
			this.resends++;
			this.context.resend(this);
			return;
		}
		fail(RedisErrors.late(this.context.address()));
	}

}
