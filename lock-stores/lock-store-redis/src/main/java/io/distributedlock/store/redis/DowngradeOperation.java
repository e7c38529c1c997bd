package io.distributedlock.store.redis;

import java.util.List;

import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;

/**
 * Turns a grant into a reader's share.
 */
final class DowngradeOperation extends Operation<DowngradeReply> {

	private final StoreContext context;

	private final DowngradeCommand command;

	DowngradeOperation(StoreContext context, DowngradeCommand command, long deadline) {
		super(LockScript.DOWNGRADE, command.key(), context.layout().bucket(command.key().id()), deadline);
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
		arguments.add(Ascii.bytes(this.command.reader().toString()));
		arguments.add(Ascii.bytes(this.command.attempt().toString()));
		arguments.add(Ascii.bytes(this.command.ttl().toMillis()));
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.kind() == 'D';
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'D' -> complete(new DowngradeReply.Downgraded(answer.number(0)));
			case 'N' -> complete(new DowngradeReply.NotOwner());
			default -> fail(this.context.failure(answer));
		}
	}

}
