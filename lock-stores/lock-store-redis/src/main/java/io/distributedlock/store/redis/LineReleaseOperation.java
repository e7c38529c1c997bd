package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.StoreException;

/**
 * Gives a grant back; the next caller in strict order has the lock at once if it is of
 * this instance.
 */
final class LineReleaseOperation extends Operation<ReleaseReply> {

	private final StoreContext context;

	private final ReleaseCommand command;

	private final Duration ttl;

	LineReleaseOperation(StoreContext context, ReleaseCommand command, Duration ttl, long deadline) {
		super(LockScript.LINE_RELEASE, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
		this.ttl = ttl;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().mark(bucket()));
		this.context.addKeys(id(), keys);
		arguments.add(this.context.instance());
		this.context.addPassing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		arguments.add(Ascii.bytes(this.command.attempt().toString()));
		arguments.add(Ascii.bytes(this.ttl.toMillis()));
		arguments.add(Ascii.bytes(this.context.clock(bucket()).at(deadline())));
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.kind() == 'P';
	}

	/**
	 * The old grant has ended all the same, and asking for the next one again will say
	 * what is wrong.
	 */
	@Override
	void unacknowledged(StoreException failure) {
		complete(new ReleaseReply.Released(true));
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'P' -> complete(new ReleaseReply.Passed(AttemptId.parse(answer.text(0)), answer.number(1)));
			case 'F' -> complete(new ReleaseReply.Released(false));
			case 'R' -> complete(new ReleaseReply.Released(true));
			case 'N' -> complete(new ReleaseReply.NotOwner());
			default -> fail(this.context.failure(answer));
		}
	}

}
