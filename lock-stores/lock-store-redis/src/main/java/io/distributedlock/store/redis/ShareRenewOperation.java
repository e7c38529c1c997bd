package io.distributedlock.store.redis;

import java.util.List;

import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;

/**
 * Keeps a share alive.
 */
final class ShareRenewOperation extends Operation<RenewReply> {

	private final StoreContext context;

	private final RenewCommand command;

	ShareRenewOperation(StoreContext context, RenewCommand command, long deadline) {
		super(LockScript.SHARE_RENEW, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		// Only so that in a Cluster all keys begin with one of the bucket.
		keys.add(this.context.layout().mark(bucket()));
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().record(id()));
		keys.add(this.context.layout().shares(id()));
		keys.add(this.context.layout().owners(id()));
		arguments.add(Ascii.bytes(this.command.attempt().toString() + this.command.ttl().toMillis()));
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.kind() == 'Y';
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		switch (answer.kind()) {
			case 'Y' -> complete(RenewReply.RENEWED);
			case 'N' -> complete(RenewReply.NOT_OWNER);
			default -> fail(this.context.failure(answer));
		}
	}

}
