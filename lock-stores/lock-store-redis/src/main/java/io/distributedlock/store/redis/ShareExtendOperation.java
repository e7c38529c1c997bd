package io.distributedlock.store.redis;

import java.util.List;

import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;

/**
 * Gives a share its full ttl if nobody waits.
 */
final class ShareExtendOperation extends Operation<ExtendReply> {

	private final StoreContext context;

	private final ExtendCommand command;

	ShareExtendOperation(StoreContext context, ExtendCommand command, long deadline) {
		super(LockScript.SHARE_EXTEND, command.key(), context.layout().bucket(command.key().id()), deadline);
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
		arguments.add(Ascii.bytes(this.command.attempt().toString()));
		arguments.add(Ascii.bytes(this.command.ttl().toMillis()));
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.kind() == 'X';
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'X' -> complete(new ExtendReply.Extended(answer.number(0), 1));
			case 'Y' -> complete(new ExtendReply.Yield());
			case 'N' -> complete(new ExtendReply.NotOwner());
			default -> fail(this.context.failure(answer));
		}
	}

}
