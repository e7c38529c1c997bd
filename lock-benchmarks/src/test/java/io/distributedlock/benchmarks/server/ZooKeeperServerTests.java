package io.distributedlock.benchmarks.server;

import java.util.concurrent.CountDownLatch;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZooDefs.Ids;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ZooKeeperServerTests {

	@Test
	void requestsAndTheirFsyncsCountButNotWhatTheServerIsAskedForMeasuring() throws Exception {
		CountDownLatch connected = new CountDownLatch(1);
		try (ZooKeeperServer server = ZooKeeperServer.start()) {
			ZooKeeper client = new ZooKeeper(server.address().toString(), 10_000, (event) -> {
				if (event.getState() == KeeperState.SyncConnected) {
					connected.countDown();
				}
			});
			connected.await();
			server.ping();
			Counters before = server.counters();
			for (int i = 0; i < 5; i++) {
				client.create("/a-" + i, new byte[0], Ids.OPEN_ACL_UNSAFE, CreateMode.PERSISTENT);
				server.ping();
			}

			Counters done = server.counters().since(before);

			assertThat(done.commands()).isEqualTo(5);
			assertThat(done.syncs()).isEqualTo(5);
			server.clear();
			assertThat(client.getChildren("/", false)).containsExactly("zookeeper");
			assertThat(server.version()).startsWith("ZooKeeper 3.");
			client.close();
		}
	}

}
