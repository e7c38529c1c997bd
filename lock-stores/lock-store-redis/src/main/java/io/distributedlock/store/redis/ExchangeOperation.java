package io.distributedlock.store.redis;

import java.util.List;

import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.StoreException;

/**
 * Gives a grant back and asks for the next one of this instance.
 */
final class ExchangeOperation extends Operation<ReleaseReply> {

	private final StoreContext context;

	private final ReleaseCommand command;

	private final Successor successor;

	ExchangeOperation(StoreContext context, ReleaseCommand command, Successor successor, long deadline) {
		super(LockScript.EXCHANGE, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
		this.successor = successor;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().mark(bucket()));
		arguments.add(this.context.instance());
		arguments.add(this.context.entryTtl());
		this.context.addPassing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		this.context.addKeys(id(), keys);
		arguments.add(Ascii.bytes(this.command.attempt().toString()));
		arguments.add(Ascii.bytes(this.successor.attempt().toString()));
		arguments.add(Ascii.bytes(this.successor.ttl().toMillis()));
		arguments.add(Ascii.bytes(this.successor.tokens()));
		arguments.add(Ascii.bytes(this.context.clock(bucket()).at(deadline())));
		arguments.add(Ascii.bytes(String.valueOf(this.context.entryKind())));
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.kind() == 'S';
	}

	/**
	 * The old grant has ended all the same, and asking for the successor again will say
	 * what is wrong.
	 */
	@Override
	void unacknowledged(StoreException failure) {
		complete(new ReleaseReply.Queued(false));
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'S' -> complete(new ReleaseReply.Succeeded(answer.number(0), (int) answer.number(1)));
			case 'Q' -> complete(new ReleaseReply.Queued(answer.number(0) == 1));
			case 'N' -> complete(new ReleaseReply.NotOwner());
			default -> fail(this.context.failure(answer));
		}
	}

}
