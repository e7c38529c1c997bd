package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CountDownLatch;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.apache.zookeeper.server.auth.DigestAuthenticationProvider;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An ensemble where the administrator has closed the root, and made the namespace for the
 * locks.
 */
class PermissionsTests {

	private static final Duration TTL = Duration.ofSeconds(2);

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static ZooKeeperServerProcess server;

	@BeforeAll
	static void start() throws Exception {
		server = ZooKeeperServerProcess.start();
		CountDownLatch connected = new CountDownLatch(1);
		ZooKeeper admin = new ZooKeeper(server.connectString(), 20_000, (event) -> {
			if (event.getState() == KeeperState.SyncConnected) {
				connected.countDown();
			}
		});
		try {
			connected.await();
			Id shop = new Id("digest", DigestAuthenticationProvider.generateDigest("shop:secret"));
			admin.create("/locks", new byte[0], only(Perms.CREATE, shop), CreateMode.PERSISTENT);
			admin.setACL("/", only(Perms.READ, new Id("world", "anyone")), -1);
		}
		finally {
			admin.close();
		}
	}

	private static List<ACL> only(int permissions, Id who) {
		// The client asks whether it contains null.
		return Collections.singletonList(new ACL(permissions, who));
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@Test
	void toCreateInTheNamespaceIsAllThatTheUserNeeds() {
		try (ZooKeeperLockStore store = ZooKeeperLockStore.builder(server.connectString())
			.namespace("locks")
			.authorization("digest", "shop:secret".getBytes())
			.ttl(TTL)
			.build()) {
			AttemptId alone = AttemptId.random();
			assertThat(Cluster.answer(store.acquire(new AcquireCommand(KEY, alone, TTL, 1, false, Cluster.TIMEOUT))))
				.isInstanceOf(Granted.class);
			assertThat(Cluster.answer(store.renew(List.of(new RenewCommand(KEY, alone, TTL, Cluster.TIMEOUT)))))
				.containsExactly(RenewReply.RENEWED);
			assertThat(Cluster.answer(store.release(new ReleaseCommand(KEY, alone, Duration.ZERO, Cluster.TIMEOUT))))
				.isInstanceOf(ReleaseReply.Released.class);
			AttemptId reader = AttemptId.random();
			CompletionStage<AcquireReply> share = store
				.acquireShared(new SharedAcquireCommand(KEY, reader, Share.READERS, TTL, false, Cluster.TIMEOUT));
			assertThat(Cluster.answer(share)).isInstanceOf(Granted.class);
			assertThat(Cluster
				.answer(store.releaseShared(new ReleaseCommand(KEY, reader, Duration.ZERO, Cluster.TIMEOUT))))
				.isInstanceOf(ReleaseReply.Released.class);
		}
	}

}
