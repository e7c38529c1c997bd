package io.distributedlock.test;

import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore;

/**
 * A store that does what another one does, for subclasses that spoil something.
 */
public class ForwardingLockStore implements QueueingLockStore, SignallingLockStore, InspectableLockStore {

	protected final InMemoryLockStore delegate;

	public ForwardingLockStore(InMemoryLockStore delegate) {
		this.delegate = delegate;
	}

	@Override
	public String name() {
		return this.delegate.name();
	}

	@Override
	public Duration reservation() {
		return this.delegate.reservation();
	}

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		return this.delegate.acquire(command);
	}

	@Override
	public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
		return this.delegate.acquireOrEnqueue(command);
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		return this.delegate.renew(commands);
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return this.delegate.release(command);
	}

	@Override
	public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
		return this.delegate.releaseAndEnqueue(command, successor);
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return this.delegate.extend(command);
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return this.delegate.abandon(command);
	}

	@Override
	public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		return this.delegate.inspect(key, timeout);
	}

	@Override
	public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		return this.delegate.forceRelease(key, token, timeout);
	}

	@Override
	public void subscribe(SignalReceiver receiver) {
		this.delegate.subscribe(receiver);
	}

	@Override
	public void close() {
		this.delegate.close();
	}

}
