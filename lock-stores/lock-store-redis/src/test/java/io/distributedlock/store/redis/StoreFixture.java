package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore.Successor;
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

	static final Duration TIMEOUT = Duration.ofSeconds(1);

	private static final AtomicInteger NUMBER = new AtomicInteger();

	final RedisLockStore store;

	final List<AttemptId> reserved = new CopyOnWriteArrayList<>();

	final List<AttemptId> revoked = new CopyOnWriteArrayList<>();

	final AtomicInteger resumed = new AtomicInteger();

	private final List<Runnable> resources = new ArrayList<>();

	StoreFixture(RedisLockStore store) {
		this.store = store;
		store.subscribe(new SignalReceiver() {
			@Override
			public void reserved(String keyId, AttemptId attempt) {
				StoreFixture.this.reserved.add(attempt);
			}

			@Override
			public void revoked(String keyId, AttemptId attempt) {
				StoreFixture.this.revoked.add(attempt);
			}

			@Override
			public void resumed() {
				StoreFixture.this.resumed.incrementAndGet();
			}
		});
	}

	static StoreFixture lettuce(int port) {
		return of(lettuceFactory(port));
	}

	static StoreFixture of(RedisConnectionFactory factory) {
		return new StoreFixture(RedisLockStore.builder(factory).instanceId("jvm-" + NUMBER.incrementAndGet()).build());
	}

	static LettuceConnectionFactory lettuceFactory(int port) {
		return new LettuceConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", port));
	}

	StoreFixture closing(Runnable resource) {
		this.resources.add(resource);
		return this;
	}

	/**
	 * Waits until signals arrive, so that entries are reserved for.
	 */
	StoreFixture awaitSignals(String key) {
		AttemptId holder = AttemptId.random();
		LockKey probe = LockKey.of("probe-" + key, this.store.instanceId());
		org.awaitility.Awaitility.await().atMost(Duration.ofSeconds(10)).until(() -> {
			AcquireReply first = get(this.store.acquire(command(probe, holder, 1, false)));
			AttemptId waiter = AttemptId.random();
			AcquireReply reply = get(this.store.acquireOrEnqueue(command(probe, waiter, 1, false)));
			get(this.store.abandon(new AbandonCommand(probe, waiter, TIMEOUT)));
			get(this.store.abandon(new AbandonCommand(probe, holder, TIMEOUT)));
			return first instanceof AcquireReply.Granted && reply instanceof AcquireReply.Refused refused
					&& refused.queued();
		});
		return this;
	}

	static AcquireCommand command(LockKey key, AttemptId attempt, int tokens, boolean repeated) {
		return new AcquireCommand(key, attempt, TTL, tokens, repeated, TIMEOUT);
	}

	AcquireReply acquire(LockKey key, AttemptId attempt) {
		return get(this.store.acquire(command(key, attempt, 1, false)));
	}

	AcquireReply acquireAgain(LockKey key, AttemptId attempt) {
		return get(this.store.acquire(command(key, attempt, 1, true)));
	}

	AcquireReply enqueue(LockKey key, AttemptId attempt) {
		return get(this.store.acquireOrEnqueue(command(key, attempt, 1, true)));
	}

	ReleaseReply release(LockKey key, AttemptId attempt) {
		return release(key, attempt, Duration.ZERO);
	}

	ReleaseReply release(LockKey key, AttemptId attempt, Duration keepFor) {
		return get(this.store.release(new ReleaseCommand(key, attempt, keepFor, TIMEOUT)));
	}

	ReleaseReply releaseAndEnqueue(LockKey key, AttemptId attempt, AttemptId successor, int tokens) {
		return get(this.store.releaseAndEnqueue(new ReleaseCommand(key, attempt, Duration.ZERO, TIMEOUT),
				new Successor(successor, TTL, tokens)));
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
		for (Runnable resource : this.resources) {
			resource.run();
		}
	}

}
