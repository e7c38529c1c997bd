package io.distributedlock.boot.autoconfigure.support;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Consumer;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;

/**
 * A lease that only says what it is, to hand to listeners.
 */
public record StubLease(LockKey key, String store, long fencingToken, LeaseState state) implements Lease {

	private static final LockOwner OWNER = LockOwner.create("worker");

	public static StubLease of(String name, Object... parts) {
		return new StubLease(LockKey.of(name, parts), "redis", 17, LeaseState.HELD);
	}

	public StubLease lost() {
		return new StubLease(this.key, this.store, this.fencingToken, LeaseState.LOST);
	}

	@Override
	public LockMode mode() {
		return LockMode.WRITE;
	}

	@Override
	public LockOwner owner() {
		return OWNER;
	}

	@Override
	public boolean isHeld() {
		return this.state == LeaseState.HELD;
	}

	@Override
	public Duration remaining() {
		return Duration.ofSeconds(10);
	}

	@Override
	public void assertHeld() {
	}

	@Override
	public void onLost(Consumer<LockLostException> callback) {
		throw new UnsupportedOperationException();
	}

	@Override
	public void extend(Duration duration) {
		throw new UnsupportedOperationException();
	}

	@Override
	public void keep() {
		throw new UnsupportedOperationException();
	}

	@Override
	public boolean release() {
		throw new UnsupportedOperationException();
	}

	@Override
	public CompletionStage<Boolean> releaseAsync() {
		return CompletableFuture.failedFuture(new UnsupportedOperationException());
	}

	@Override
	public void close() {
		throw new UnsupportedOperationException();
	}

}
