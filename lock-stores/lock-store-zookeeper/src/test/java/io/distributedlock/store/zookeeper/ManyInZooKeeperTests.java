package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

/**
 * More callers of one key than fit into a node.
 */
class ManyInZooKeeperTests {

	private static final Duration TTL = Duration.ofSeconds(60);

	private static final Duration PATIENCE = Duration.ofSeconds(60);

	@Test
	void whatDoesNotFitIntoANodeIsRefusedWithAdviceAndDisturbsNothingElse() {
		LockKey key = LockKey.of("stock", 42);
		LockKey other = LockKey.of("other", 1);
		try (ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
				ZooKeeperLockStore holder = ZooKeeperLockStore.builder(server.connectString()).ttl(TTL).build();
				ZooKeeperLockStore store = ZooKeeperLockStore.builder(server.connectString()).ttl(TTL).build()) {
			store.subscribe(new Deaf());
			assertThat(Cluster.acquire(holder, key, AttemptId.random(), TTL)).isInstanceOf(Granted.class);
			AttemptId held = AttemptId.random();
			assertThat(Cluster.acquire(store, other, held, TTL)).isInstanceOf(Granted.class);
			List<AcquireCommand> commands = Stream
				.generate(() -> new AcquireCommand(key, AttemptId.random(), TTL, 1, false, PATIENCE))
				.limit(20_000)
				.toList();
			CompletableFuture<List<AcquireReply>> asked = store.acquireInOrder(commands).toCompletableFuture();
			Throwable thrown = catchThrowable(() -> asked.get(2 * PATIENCE.toSeconds(), TimeUnit.SECONDS));
			assertThat(thrown).hasCauseInstanceOf(StoreException.class).hasMessageContaining("jute.maxbuffer");
			assertThat(Cluster.renew(store, other, held, TTL)).isEqualTo(RenewReply.RENEWED);
		}
	}

	private static final class Deaf implements SignalReceiver {

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			// Deaf.
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			// Deaf.
		}

		@Override
		public void resumed() {
			// Deaf.
		}

	}

}
