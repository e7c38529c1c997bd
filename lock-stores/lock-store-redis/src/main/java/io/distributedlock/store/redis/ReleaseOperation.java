package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;

/**
 * Gives a grant back.
 */
final class ReleaseOperation extends Operation<ReleaseReply> {

	private final StoreContext context;

	private final ReleaseCommand command;

	ReleaseOperation(StoreContext context, ReleaseCommand command, long deadline) {
		super(LockScript.RELEASE, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		this.context.addPassing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		this.context.addKeys(id(), keys);
		arguments.add(Ascii.bytes(this.command.attempt().toString() + keepMillis(this.command.keepFor())));
	}

	/**
	 * Rounds up: the lock must stay taken for at least that long.
	 */
	private static long keepMillis(Duration keepFor) {
		return (keepFor.isZero() || keepFor.isNegative()) ? 0 : keepFor.plusNanos(999_999).toMillis();
	}

	@Override
	void answered(List<byte[]> answer, long sentAt, long receivedAt) {
		Answer read = Answer.of(answer);
		switch (read.kind()) {
			case 'F' -> complete(new ReleaseReply.Released(false));
			case 'R' -> complete(new ReleaseReply.Released(true));
			case 'N' -> complete(new ReleaseReply.NotOwner());
			default -> fail(this.context.failure(read));
		}
	}

}
