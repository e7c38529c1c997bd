package io.distributedlock.sample;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicLong;

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

/**
 * A lock store that is no lock store: everybody who asks gets the lock, with a token that
 * rises as it should.
 */
final class GrantsEverybodyStore implements LockStore {

	// Microseconds since 1970, as the real store counts.
	private static final AtomicLong TOKENS = new AtomicLong(System.currentTimeMillis() * 1000);

	@Override
	public String name() {
		return "everybody";
	}

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		return CompletableFuture.completedFuture(new AcquireReply.Granted(TOKENS.incrementAndGet(), 1));
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		return CompletableFuture.completedFuture(commands.stream().map((command) -> RenewReply.RENEWED).toList());
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return CompletableFuture.completedFuture(new ReleaseReply.Released(false));
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return CompletableFuture.completedFuture(new ExtendReply.Yield());
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return CompletableFuture.completedFuture(null);
	}

	@Override
	public void close() {
		// nothing to free
	}

}
