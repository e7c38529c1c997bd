package io.distributedlock.test.guide;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

/**
 * The smallest store that passes the contract: what docs/guide/writing-a-store.md walks
 * through. Its server is a {@link SmallServer} in the same JVM.
 */
final class SmallStore implements LockStore {

	private final SmallServer server;

	private final String instance;

	private volatile boolean closed;

	SmallStore(SmallServer server, String instance) {
		this.server = server;
		this.instance = instance;
	}

	@Override
	public String name() {
		return "small";
	}

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		long notAfter = this.server.now() + command.timeout().toNanos();
		return send(() -> this.server.acquire(command, this.instance, notAfter));
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		return send(() -> commands.stream().map(this.server::renew).toList());
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return send(() -> this.server.release(command.key(), command.attempt(), command.keepFor()));
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return send(() -> this.server.extend(command));
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return send(() -> {
			this.server.release(command.key(), command.attempt(), Duration.ZERO);
			return null;
		});
	}

	/**
	 * A store over a network answers later, and fails the stage itself when the command's
	 * timeout is over.
	 */
	private <T> CompletionStage<T> send(Supplier<T> command) {
		try {
			if (this.closed) {
				throw new StoreException("The small store of " + this.instance + " is closed.", false, false, null);
			}
			return CompletableFuture.completedFuture(command.get());
		}
		catch (StoreException ex) {
			return CompletableFuture.failedFuture(ex);
		}
	}

	@Override
	public void close() {
		this.closed = true;
	}

}
