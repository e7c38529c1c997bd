package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * Tells a server of a Redlock which tokens the quorum has agreed on.
 */
final class RaiseOperation extends Operation<Boolean> {

	/** The first token stays as it is. */
	static final long SAME_FIRST = 0;

	private static final int TOKEN_DIGITS = 16;

	private final StoreContext context;

	private final AttemptId attempt;

	private final long first;

	private final long last;

	private final Duration ttl;

	RaiseOperation(StoreContext context, LockKey key, AttemptId attempt, long first, long last, Duration ttl,
			long deadline) {
		super(LockScript.RAISE, key, context.layout().bucket(key.id()), deadline);
		this.context = context;
		this.attempt = attempt;
		this.first = first;
		this.last = last;
		this.ttl = ttl;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().mark(bucket()));
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().record(id()));
		arguments.add(Ascii.bytes(this.attempt.toString()));
		arguments.add((this.first == SAME_FIRST) ? new byte[0] : token(this.first));
		arguments.add(token(this.last));
		arguments.add(Ascii.bytes(this.ttl.toMillis()));
	}

	private static byte[] token(long token) {
		byte[] text = new byte[TOKEN_DIGITS];
		Ascii.pad(text, 0, token, TOKEN_DIGITS);
		return text;
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'Y' -> complete(true);
			case 'N' -> complete(false);
			default -> fail(this.context.failure(answer));
		}
	}

}
