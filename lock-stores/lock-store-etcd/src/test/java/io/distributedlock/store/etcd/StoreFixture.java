package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

import io.etcd.jetcd.Client;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.store.etcd.server.EtcdServer;

/**
 * A store with short calls for tests, and a memory of the signals it got.
 */
final class StoreFixture implements AutoCloseable {

	static final Duration TTL = Duration.ofSeconds(10);

	static final Duration TIMEOUT = Duration.ofSeconds(2);

	private static final AtomicInteger NUMBER = new AtomicInteger();

	final Client client;

	final EtcdLockStore store;

	final List<AttemptId> reserved = new CopyOnWriteArrayList<>();

	final List<AttemptId> revoked = new CopyOnWriteArrayList<>();

	final AtomicInteger resumed = new AtomicInteger();

	StoreFixture(Client client, String server) {
		this.client = client;
		this.store = EtcdLockStore.builder(client)
			.instanceId("jvm-" + NUMBER.incrementAndGet())
			.endpoints(List.of(server))
			.build();
		this.store.subscribe(new SignalReceiver() {
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

	static StoreFixture of(EtcdServer server) {
		return new StoreFixture(Client.builder().endpoints(server.endpoint()).build(), server.endpoint());
	}

	/**
	 * A store whose requests fail when there is no connection.
	 */
	static StoreFixture impatient(EtcdServer server) {
		return new StoreFixture(Client.builder().endpoints(server.endpoint()).waitForReady(false).build(),
				server.endpoint());
	}

	AcquireReply acquire(LockKey key, AttemptId attempt) {
		return acquire(key, attempt, TTL, TIMEOUT, false);
	}

	AcquireReply acquireAgain(LockKey key, AttemptId attempt) {
		return acquire(key, attempt, TTL, TIMEOUT, true);
	}

	AcquireReply acquire(LockKey key, AttemptId attempt, Duration ttl, Duration timeout, boolean repeated) {
		return get(this.store.acquire(new AcquireCommand(key, attempt, ttl, 1, repeated, timeout)));
	}

	AttemptId hold(LockKey key, Duration ttl) {
		AttemptId attempt = AttemptId.random();
		if (!(acquire(key, attempt, ttl, TIMEOUT, false) instanceof AcquireReply.Granted)) {
			throw new AssertionError("The lock is not free");
		}
		return attempt;
	}

	AcquireReply enqueue(LockKey key, AttemptId attempt) {
		return get(this.store.acquireOrEnqueue(new AcquireCommand(key, attempt, TTL, 1, true, TIMEOUT)));
	}

	ReleaseReply release(LockKey key, AttemptId attempt) {
		return get(this.store.release(new ReleaseCommand(key, attempt, Duration.ZERO, TIMEOUT)));
	}

	RenewReply renew(LockKey key, AttemptId attempt, Duration ttl) {
		return get(this.store.renew(List.of(new RenewCommand(key, attempt, ttl, TIMEOUT)))).get(0);
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
		this.client.close();
	}

}
