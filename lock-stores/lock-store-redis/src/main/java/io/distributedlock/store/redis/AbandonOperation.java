package io.distributedlock.store.redis;

import java.util.List;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AbandonCommand;

/**
 * Takes away whatever an attempt has.
 */
final class AbandonOperation extends Operation<@Nullable Void> {

	private final StoreContext context;

	private final AbandonCommand command;

	AbandonOperation(StoreContext context, AbandonCommand command, long deadline) {
		super(LockScript.ABANDON, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		arguments.add(this.context.instance());
		this.context.addPassing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		this.context.addKeys(id(), keys);
		arguments.add(Ascii.bytes(this.command.attempt().toString()));
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'F', 'R' -> complete(null);
			default -> fail(this.context.failure(answer));
		}
	}

}
