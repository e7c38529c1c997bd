package io.distributedlock.store.jdbc.mariadb;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.store.jdbc.JdbcLockStore;

/**
 * A store whose calls wait for their answers.
 */
final class Commands implements AutoCloseable {

	static final Duration TTL = Duration.ofSeconds(20);

	static final Duration TIMEOUT = Duration.ofSeconds(1);

	final JdbcLockStore store;

	private final Duration timeout;

	Commands(JdbcLockStore store) {
		this(store, TIMEOUT);
	}

	Commands(JdbcLockStore store, Duration timeout) {
		this.store = store;
		this.timeout = timeout;
		store.subscribe(new SignalReceiver() {

			@Override
			public void reserved(String keyId, AttemptId attempt) {
			}

			@Override
			public void revoked(String keyId, AttemptId attempt) {
			}

			@Override
			public void resumed() {
			}

		});
	}

	static AcquireCommand command(LockKey key, AttemptId attempt, Duration timeout) {
		return new AcquireCommand(key, attempt, TTL, 1, false, timeout);
	}

	AcquireReply acquire(LockKey key, AttemptId attempt) {
		return get(this.store.acquire(command(key, attempt, this.timeout)));
	}

	AcquireReply enqueue(LockKey key, AttemptId attempt) {
		return get(this.store.acquireOrEnqueue(command(key, attempt, this.timeout)));
	}

	ReleaseReply release(LockKey key, AttemptId attempt) {
		return get(this.store.release(new ReleaseCommand(key, attempt, Duration.ZERO, this.timeout)));
	}

	RenewReply renew(LockKey key, AttemptId attempt) {
		return renew(Stream.of(new RenewCommand(key, attempt, TTL, this.timeout))).get(0);
	}

	List<RenewReply> renew(Stream<RenewCommand> commands) {
		return get(this.store.renew(commands.toList()));
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
