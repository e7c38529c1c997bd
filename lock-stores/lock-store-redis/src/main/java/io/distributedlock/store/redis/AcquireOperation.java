package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;

/**
 * Asks for a grant.
 */
final class AcquireOperation extends LeaseOperation<AcquireReply> {

	private static final int TOKEN_DIGITS = 4;

	private static final int FIXED = TIME_DIGITS + 2 + TOKEN_DIGITS;

	private static final int MOST_TOKENS = 9999;

	private final AcquireCommand command;

	private final boolean enqueue;

	private boolean shortened;

	AcquireOperation(StoreContext context, AcquireCommand command, boolean enqueue, long deadline) {
		super(context, command.key(), deadline);
		this.command = command;
		this.enqueue = enqueue;
	}

	Duration ttl() {
		return this.command.ttl();
	}

	char kind() {
		return this.enqueue ? context().entryKind() : 'n';
	}

	/**
	 * Says what is sent with all acquires of the call, and need not be sent with this one
	 * if it is the same and is not to end soon.
	 * @return whether it is
	 */
	boolean shorten(char kind, Duration ttl, long soon) {
		this.shortened = !this.command.repeated() && tokens() == 1 && kind() == kind && ttl().equals(ttl)
				&& deadline() - soon > 0;
		return this.shortened;
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		context().addLeaseKeys(id(), keys);
		String holder = HEAD + this.command.attempt();
		if (this.shortened) {
			arguments.add(Ascii.bytes(holder));
			return;
		}
		byte[] rest = Ascii.bytes(holder + ttl().toMillis());
		byte[] asked = new byte[FIXED + rest.length];
		Ascii.pad(asked, 0, notAfter(), TIME_DIGITS);
		asked[TIME_DIGITS] = (byte) kind();
		asked[TIME_DIGITS + 1] = (byte) (this.command.repeated() ? '1' : '0');
		Ascii.pad(asked, TIME_DIGITS + 2, tokens(), TOKEN_DIGITS);
		System.arraycopy(rest, 0, asked, FIXED, rest.length);
		arguments.add(asked);
	}

	long notAfter() {
		return context().clock(bucket()).at(deadline());
	}

	int tokens() {
		return Math.min(this.command.tokens(), MOST_TOKENS);
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.kind() == 'G' || answer.kind() == 'g';
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'G' -> granted(answer.time(), tokens(), answer.time(), sentAt, receivedAt);
			case 'g' -> granted(answer.number(0), (int) answer.number(1), answer.time(), sentAt, receivedAt);
			case 'R' -> refused(answer, sentAt, receivedAt);
			case 'L' -> late(context(), answer.time(), receivedAt);
			default -> fail(context().failure(answer));
		}
	}

	private void granted(long first, int tokens, long time, long sentAt, long receivedAt) {
		context().clock(bucket()).observe(time, sentAt, receivedAt);
		context().checkMark(first - time);
		complete(new AcquireReply.Granted(first, tokens));
	}

	private void refused(Answer answer, long sentAt, long receivedAt) {
		context().clock(bucket()).observe(answer.time(), sentAt, receivedAt);
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

}
