package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletableFuture;

import io.distributedlock.spi.AbandonCommand;

/**
 * Takes away whatever an attempt has. What this JVM does not know of is not there:
 * commands of a key are worked off in order, and each leaves nothing that it does not
 * remember.
 */
final class AbandonTask extends KeyTask<Boolean> {

	private final AbandonCommand command;

	AbandonTask(StoreContext context, AbandonCommand command) {
		super(context, command.key(), command.timeout());
		this.command = command;
	}

	@Override
	CompletableFuture<Boolean> work() {
		Grant grant = local().grant(this.command.attempt());
		LocalKey.Place place = local().place(this.command.attempt());
		if (grant == null && place == null) {
			return done(true);
		}
		SessionKeeper keeper = (grant != null) ? grant.keeper : place.keeper();
		return connection(keeper).thenCompose(
				(link) -> new Removal(this.context, this.key, local(), this.command.attempt(), keeper, link).run());
	}

}
