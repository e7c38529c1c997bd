package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A place in the queue whose time is over because its JVM or the server was too slow.
 */
class ExpiredPlaceTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	@Test
	void aPlaceThatEndsWhileItIsAskedForAgainIsTakenAnew() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		try (EtcdServer etcd = EtcdServer.start();
				StoreFixture holder = StoreFixture.of(etcd);
				StoreFixture waiting = StoreFixture.of(etcd)) {
			holder.hold(KEY, Duration.ofSeconds(30));
			AttemptId attempt = AttemptId.random();
			await().until(() -> isQueued(waiting.enqueue(KEY, attempt)));
			etcd.freeze();
			CompletionStage<AcquireReply> again = waiting.store
				.acquireOrEnqueue(new AcquireCommand(KEY, attempt, StoreFixture.TTL, 1, true, Duration.ofSeconds(10)));
			// The place lasts for 1.2 s.
			CompletableFuture.delayedExecutor(2, TimeUnit.SECONDS).execute(etcd::thaw);
			assertThat(isQueued(StoreFixture.get(again))).isTrue();
		}
	}

	private static boolean isQueued(AcquireReply reply) {
		return reply instanceof Refused refused && refused.queued();
	}

}
