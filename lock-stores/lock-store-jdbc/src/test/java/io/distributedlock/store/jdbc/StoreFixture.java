package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

import javax.sql.DataSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;

/**
 * A store with short calls for tests, and a memory of the signals it got.
 */
final class StoreFixture implements AutoCloseable {

	static final Duration TTL = Duration.ofSeconds(10);

	static final Duration TIMEOUT = Duration.ofSeconds(5);

	private static final AtomicInteger NUMBER = new AtomicInteger();

	final JdbcLockStore store;

	final List<AttemptId> reserved = new CopyOnWriteArrayList<>();

	final AtomicInteger resumed = new AtomicInteger();

	StoreFixture(JdbcLockStore store) {
		this.store = store;
		store.subscribe(new SignalReceiver() {

			@Override
			public void reserved(String keyId, AttemptId attempt) {
				StoreFixture.this.reserved.add(attempt);
			}

			@Override
			public void revoked(String keyId, AttemptId attempt) {
				// Told in the contract.
			}

			@Override
			public void resumed() {
				StoreFixture.this.resumed.incrementAndGet();
			}

		});
	}

	static StoreFixture of(DataSource source) {
		return new StoreFixture(builder(source).build());
	}

	static JdbcLockStore.Builder builder(DataSource source) {
		return JdbcLockStore.builder(source).instanceId("jvm-" + NUMBER.incrementAndGet());
	}

	static AcquireCommand command(LockKey key, AttemptId attempt, Duration timeout) {
		return new AcquireCommand(key, attempt, TTL, 1, false, timeout);
	}

	AcquireReply acquire(LockKey key, AttemptId attempt) {
		return get(this.store.acquire(command(key, attempt, TIMEOUT)));
	}

	AcquireReply enqueue(LockKey key, AttemptId attempt) {
		return get(this.store.acquireOrEnqueue(command(key, attempt, TIMEOUT)));
	}

	ReleaseReply release(LockKey key, AttemptId attempt) {
		return get(this.store.release(new ReleaseCommand(key, attempt, Duration.ZERO, TIMEOUT)));
	}

	RenewReply renew(LockKey key, AttemptId attempt) {
		return get(this.store.renew(List.of(new RenewCommand(key, attempt, TTL, TIMEOUT)))).get(0);
	}

	ExtendReply extend(LockKey key, AttemptId attempt, int tokens) {
		return get(this.store.extend(new ExtendCommand(key, attempt, TTL, tokens, TIMEOUT)));
	}

	void abandon(LockKey key, AttemptId attempt) {
		get(this.store.abandon(new AbandonCommand(key, attempt, TIMEOUT)));
	}

	/**
	 * Waits for an answer and throws what the stage failed with.
	 */
	static <T> T get(CompletionStage<T> stage) {
		try {
			return stage.toCompletableFuture().get(20, TimeUnit.SECONDS);
		}
		catch (ExecutionException ex) {
			if (ex.getCause() instanceof RuntimeException cause) {
				throw cause;
			}
			throw new IllegalStateException(ex);
		}
		catch (InterruptedException | TimeoutException ex) {
			throw new IllegalStateException(ex);
		}
	}

	@Override
	public void close() {
		this.store.close();
	}

}
