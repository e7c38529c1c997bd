package io.distributedlock.store.redis;

import java.util.List;

import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;

/**
 * Keeps a grant alive.
 */
final class RenewOperation extends Operation<RenewReply> {

	/** What is left on the server may not become shorter. */
	private static final String LENGTHEN = "+";

	private final StoreContext context;

	private final RenewCommand command;

	private final boolean mayShorten;

	/**
	 * Makes a renewal.
	 * @param mayShorten whether the grant's time is set to the ttl even if more is left
	 */
	RenewOperation(StoreContext context, RenewCommand command, boolean mayShorten, long deadline) {
		super(LockScript.RENEW, command.key(), context.layout().bucket(command.key().id()), deadline);
		this.context = context;
		this.command = command;
		this.mayShorten = mayShorten;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		// Nothing is common to all.
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().record(id()));
		arguments.add(Ascii
			.bytes(this.command.attempt() + (this.mayShorten ? "" : LENGTHEN) + this.command.ttl().toMillis()));
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
