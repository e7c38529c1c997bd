package io.distributedlock.store.redis;

import java.util.List;

import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;

/**
 * Asks for a share of a lock.
 */
final class ShareOperation extends Operation<AcquireReply> {

	private final StoreContext context;

	private final SharedAcquireCommand command;

	ShareOperation(StoreContext context, SharedAcquireCommand command, long deadline) {
		super(LockScript.SHARE, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		this.context.addShareKeys(bucket(), id(), keys);
		this.context.addQueueing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		int permits = (this.command.share() instanceof Share.Permits limited) ? limited.limit() : 0;
		arguments.add(Ascii.bytes(this.command.attempt().toString()));
		arguments.add(Ascii.bytes((permits > 0) ? "+" : "*"));
		arguments.add(Ascii.bytes(permits));
		arguments.add(Ascii.bytes(this.command.ttl().toMillis()));
		arguments.add(Ascii.bytes(this.context.clock(bucket()).at(deadline())));
		arguments.add(Ascii.bytes(this.command.queue() ? String.valueOf(this.context.entryKind()) : "n"));
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.kind() == 'g';
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'g' -> {
				this.context.clock(bucket()).observe(answer.number(2), sentAt, receivedAt);
				complete(new AcquireReply.Granted(answer.number(0), 1));
			}
			case 'R' -> {
				this.context.clock(bucket()).observe(answer.number(2), sentAt, receivedAt);
				String holder = answer.textToEnd(3);
				complete(new AcquireReply.Refused(holder.isEmpty() ? null : holder,
						AcquireOperation.freeIn(answer.number(1)), answer.number(0) == 1));
			}
			case 'L' -> late(this.context, answer.number(0), receivedAt);
			default -> fail(this.context.failure(answer));
		}
	}

}
