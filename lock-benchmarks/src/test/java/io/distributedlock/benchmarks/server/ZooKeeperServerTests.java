package io.distributedlock.benchmarks.server;

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryOneTime;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class ZooKeeperServerTests {

	@Test
	void requestsAndTheirFsyncsCountButNotWhatTheServerIsAskedForMeasuring() throws Exception {
		try (ZooKeeperServer server = ZooKeeperServer.start();
				CuratorFramework client = CuratorFrameworkFactory.newClient(server.address().toString(),
						new RetryOneTime(100))) {
			client.start();
			client.blockUntilConnected();
			client.checkExists().forPath("/");
			server.ping();
			Counters before = server.counters();
			for (int i = 0; i < 50; i++) {
				client.create().forPath("/a-" + i);
				server.ping();
			}

			Counters done = server.counters().since(before);

			// A new client of Curator asks for a little by itself.
			assertThat(done.commands()).isBetween(50L, 53L);
			assertThat(done.syncs()).isBetween(50L, 51L);
			server.clear();
			assertThat(client.getChildren().forPath("/")).containsExactly("zookeeper");
			assertThat(server.version()).startsWith("ZooKeeper 3.");
		}
	}

}
