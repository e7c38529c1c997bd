package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;

/**
 * Gives a share back, or takes away whatever an attempt for one has.
 */
final class ShareReleaseOperation extends Operation<ReleaseReply> {

	private final StoreContext context;

	private final AttemptId attempt;

	private final boolean abandon;

	private final Duration keepFor;

	private ShareReleaseOperation(StoreContext context, LockKey key, AttemptId attempt, boolean abandon,
			Duration keepFor, long deadline) {
		super(LockScript.SHARE_RELEASE, key, context.layout().bucket(key.id()), deadline);
		this.context = context;
		this.attempt = attempt;
		this.abandon = abandon;
		this.keepFor = keepFor;
	}

	static ShareReleaseOperation release(StoreContext context, LockKey key, AttemptId attempt, Duration keepFor,
			long deadline) {
		return new ShareReleaseOperation(context, key, attempt, false, keepFor, deadline);
	}

	static ShareReleaseOperation abandon(StoreContext context, LockKey key, AttemptId attempt, long deadline) {
		return new ShareReleaseOperation(context, key, attempt, true, Duration.ZERO, deadline);
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		this.context.addShareKeys(bucket(), id(), keys);
		this.context.addQueueing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		arguments.add(Ascii.bytes(this.attempt.toString()));
		arguments.add(Ascii.bytes(this.abandon ? "a" : "r"));
		// Rounds up: the room must stay taken for at least that long.
		arguments.add(Ascii.bytes(this.keepFor.plusNanos(999_999).toMillis()));
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'F' -> complete(new ReleaseReply.Released(false));
			case 'R' -> complete(new ReleaseReply.Released(true));
			case 'N' -> complete(new ReleaseReply.NotOwner());
			default -> fail(this.context.failure(answer));
		}
	}

}
