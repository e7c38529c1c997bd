package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

import static org.awaitility.Awaitility.await;

/**
 * Several JVMs, as far as ZooKeeper can tell, that are closed together.
 */
final class Cluster {

	static final Duration TIMEOUT = Duration.ofSeconds(5);

	private final String connectString;

	private final List<AutoCloseable> resources = new ArrayList<>();

	Cluster(String connectString) {
		this.connectString = connectString;
	}

	ZooKeeperLockStore store(String instance) {
		return store(instance, (builder) -> {
		});
	}

	ZooKeeperLockStore store(String instance, Consumer<ZooKeeperLockStore.Builder> settings) {
		ZooKeeperLockStore store = unmanaged(instance, settings);
		this.resources.add(store);
		return store;
	}

	private ZooKeeperLockStore unmanaged(String instance, Consumer<ZooKeeperLockStore.Builder> settings) {
		ZooKeeperLockStore.Builder builder = ZooKeeperLockStore.builder(this.connectString)
			.instanceId(instance)
			.tickTime(Duration.ofSeconds(1))
			.ttl(Duration.ofSeconds(10));
		settings.accept(builder);
		return builder.build();
	}

	LockEngine engine(ZooKeeperLockStore store, LockListener... listeners) {
		LockEngine.Builder builder = LockEngine.builder().store(store);
		for (LockListener listener : listeners) {
			builder.listener(listener);
		}
		LockEngine engine = builder.build();
		this.resources.add(0, engine);
		return engine;
	}

	LockEngine engine(String instance) {
		return engine(unmanaged(instance, (builder) -> {
		}));
	}

	/**
	 * Acquires a lock. If the machine has stood still for so long that the store cannot
	 * tell how long its session lives, this asks again, as the engine does.
	 */
	static AcquireReply acquire(ZooKeeperLockStore store, LockKey key, AttemptId attempt, Duration ttl) {
		for (int tries = 1;; tries++) {
			try {
				return answer(store.acquire(new AcquireCommand(key, attempt, ttl, 1, tries > 1, TIMEOUT)));
			}
			catch (CompletionException ex) {
				if (tries == 10 || !(ex.getCause() instanceof StoreException)
						|| !ex.getMessage().contains("has stalled")) {
					throw ex;
				}
				// The next touch tells.
				await().pollDelay(Duration.ofMillis(500)).until(() -> true);
			}
		}
	}

	static RenewReply renew(ZooKeeperLockStore store, LockKey key, AttemptId attempt, Duration ttl) {
		return answer(store.renew(List.of(new RenewCommand(key, attempt, ttl, TIMEOUT)))).get(0);
	}

	static <T> T answer(CompletionStage<T> stage) {
		return stage.toCompletableFuture().orTimeout(TIMEOUT.toMillis() + 5000, TimeUnit.MILLISECONDS).join();
	}

	void close() throws Exception {
		for (AutoCloseable resource : this.resources) {
			resource.close();
		}
	}

}
