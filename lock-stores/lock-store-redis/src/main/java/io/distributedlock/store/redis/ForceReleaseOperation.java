package io.distributedlock.store.redis;

import java.util.List;

import io.distributedlock.LockKey;

/**
 * Ends the grant that has a given token.
 */
final class ForceReleaseOperation extends Operation<Boolean> {

	private final StoreContext context;

	private final long token;

	ForceReleaseOperation(StoreContext context, LockKey key, long token, long deadline) {
		super(LockScript.FORCE_RELEASE, key, context.layout().bucket(key.id()), deadline);
		this.context = context;
		this.token = token;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		this.context.addPassing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		this.context.addKeys(id(), keys);
		arguments.add(Ascii.bytes(this.token));
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'F', 'R' -> complete(true);
			case 'N' -> complete(false);
			default -> fail(this.context.failure(answer));
		}
	}

}
