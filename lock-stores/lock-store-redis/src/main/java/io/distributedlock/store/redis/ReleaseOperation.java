package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;

/**
 * Gives a grant back.
 */
final class ReleaseOperation extends LeaseOperation<ReleaseReply> {

	private final ReleaseCommand command;

	ReleaseOperation(StoreContext context, ReleaseCommand command, long deadline) {
		super(context, command.key(), deadline);
		this.command = command;
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		context().addLeaseKeys(id(), keys);
		Duration keepFor = this.command.keepFor();
		String holder = HEAD + this.command.attempt();
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
			default -> fail(context().failure(answer));
		}
	}

}
