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
		Duration keepFor = this.command.keepFor();
		String holder = AcquireOperation.HEAD + this.command.attempt();
		arguments.add(Ascii.bytes((keepFor.isZero() || keepFor.isNegative()) ? holder : holder + millis(keepFor)));
	}

	/**
	 * Rounds up: the lock must stay taken for at least that long.
	 */
	private static long millis(Duration keepFor) {
		return keepFor.plusNanos(999_999).toMillis();
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
