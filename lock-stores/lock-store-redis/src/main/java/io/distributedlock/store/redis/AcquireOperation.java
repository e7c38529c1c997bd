package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;

/**
 * Asks for a grant.
 */
final class AcquireOperation extends Operation<AcquireReply> {

	/** How the record of a holder that nobody waits for begins. */
	static final String HEAD = "1h";

	private static final int TIME_DIGITS = 16;

	private static final int TOKEN_DIGITS = 4;

	private static final int FIXED = TIME_DIGITS + 2 + TOKEN_DIGITS;

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
		int most = 1;
		long lastMoment = Long.MAX_VALUE;
		for (Operation<?> any : all) {
			AcquireOperation operation = (AcquireOperation) any;
			most = Math.max(most, operation.tokens());
			lastMoment = Math.min(lastMoment, operation.command.repeated() ? 0 : operation.notAfter());
		}
		keys.add(this.context.layout().mark(bucket()));
		arguments.add(this.context.instance());
		arguments.add(this.context.entryTtl());
		arguments.add(Ascii.bytes(most));
		byte[] limit = new byte[TIME_DIGITS];
		Ascii.pad(limit, 0, lastMoment, TIME_DIGITS);
		arguments.add(limit);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		this.context.addKeys(id(), keys);
		byte[] rest = Ascii.bytes(HEAD + this.command.attempt() + this.command.ttl().toMillis());
		byte[] asked = new byte[FIXED + rest.length];
		Ascii.pad(asked, 0, notAfter(), TIME_DIGITS);
		asked[TIME_DIGITS] = (byte) (this.enqueue ? this.context.entryKind() : 'n');
		asked[TIME_DIGITS + 1] = (byte) (this.command.repeated() ? '1' : '0');
		Ascii.pad(asked, TIME_DIGITS + 2, tokens(), TOKEN_DIGITS);
		System.arraycopy(rest, 0, asked, FIXED, rest.length);
		arguments.add(asked);
	}

	private long notAfter() {
		return this.context.clock(bucket()).at(deadline());
	}

	private int tokens() {
		return Math.min(this.command.tokens(), MOST_TOKENS);
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'G' -> granted(answer.time(), tokens(), answer.time(), sentAt, receivedAt);
			case 'g' -> granted(answer.number(0), (int) answer.number(1), answer.time(), sentAt, receivedAt);
			case 'R' -> refused(answer, sentAt, receivedAt);
			case 'L' -> late(answer.time(), receivedAt);
			default -> fail(this.context.failure(answer));
		}
	}

	private void granted(long first, int tokens, long time, long sentAt, long receivedAt) {
		this.context.clock(bucket()).observe(time, sentAt, receivedAt);
		this.context.checkMark(first - time);
		complete(new AcquireReply.Granted(first, tokens));
	}

	private void refused(Answer answer, long sentAt, long receivedAt) {
		this.context.clock(bucket()).observe(answer.time(), sentAt, receivedAt);
		String holder = answer.textToEnd(2);
		complete(new AcquireReply.Refused(holder.isEmpty() ? null : holder, freeIn(answer.number(1)),
				answer.number(0) == 1));
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
