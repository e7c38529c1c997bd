package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.data.Stat;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;
import io.distributedlock.test.DeadlockContractTests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Deadlocks over JVMs that tell each other of their waits through ZooKeeper.
 */
class DeadlockOnZooKeeperTests extends DeadlockContractTests {

	private static ZooKeeperServerProcess server;

	@BeforeAll
	static void start() {
		server = ZooKeeperServerProcess.start();
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@Override
	protected LockStore createStore(String instance) {
		return store(instance);
	}

	private static ZooKeeperLockStore store(String instance) {
		return ZooKeeperLockStore.builder(server.connectString())
			.instanceId(instance)
			.tickTime(Duration.ofSeconds(1))
			.ttl(Duration.ofSeconds(10))
			.build();
	}

	@Test
	void aJvmMakesAMailboxOnlyWhenItExpectsMessagesAndAMessageThatNobodyReadsIsDeleted() throws Exception {
		try (ZooKeeperLockStore sender = store("sender")) {
			Link link = sender.session(Duration.ofSeconds(10));
			assertThat(link).isNotNull();
			String mailbox = "/distributed-lock/jvm/receiver!";
			try (ZooKeeperLockStore receiver = store("receiver")) {
				receiver.receiveMessages((message) -> {
				});
				sender.send("receiver", "1p;lost");
				assertThat(link.zk().exists(mailbox, false)).isNull();
				receiver.expectMessages();
				await().until(() -> link.zk().exists(mailbox + "/here", false) != null);
			}
			await().until(() -> changes(link, mailbox) >= 2);
			sender.send("receiver", "1p;to nobody");
			await().until(() -> changes(link, mailbox) >= 4);
			assertThat(changes(link, mailbox)).isEqualTo(4);
		}
	}

	@Test
	void messagesComeAgainAfterZooKeeperWasAway() {
		Queue<String> came = new ConcurrentLinkedQueue<>();
		try (ZooKeeperLockStore sender = store("before"); ZooKeeperLockStore receiver = store("after")) {
			receiver.receiveMessages(came::add);
			await().until(() -> {
				receiver.expectMessages();
				sender.send("after", "1p;before");
				return came.contains("1p;before");
			});
			server.kill();
			sender.send("after", "1p;meanwhile");
			server.restart();
			await().atMost(Duration.ofSeconds(60)).until(() -> {
				receiver.expectMessages();
				sender.send("after", "1p;again");
				return came.contains("1p;again");
			});
		}
	}

	@Test
	void aMessageThatNobodyReadsIsDeletedAlsoIfItsSenderWasCutOffMeanwhile() throws Exception {
		String mailbox = "/distributed-lock/jvm/dead!";
		try (Wire wire = new Wire(server.port());
				ZooKeeperLockStore other = store("other");
				ZooKeeperLockStore sender = ZooKeeperLockStore.builder(wire.connectString())
					.instanceId("cut-off")
					.tickTime(Duration.ofSeconds(1))
					.ttl(Duration.ofSeconds(20))
					.build()) {
			Link link = other.session(Duration.ofSeconds(10));
			link.zk()
				.create(mailbox, Link.NOTHING, link.zk().getACL("/distributed-lock/jvm", null), CreateMode.PERSISTENT);
			await().until(() -> {
				sender.send("dead", "1p;to nobody");
				return link.zk().getChildren(mailbox, false).size() > 0;
			});
			wire.cut();
			// Past the moment at which it would have been deleted.
			Thread.sleep(3000);
			wire.mend();
			await().atMost(Duration.ofSeconds(15)).until(() -> link.zk().getChildren(mailbox, false).isEmpty());
			link.zk().delete(mailbox, -1);
		}
	}

	/**
	 * Counts the children that came and went, once all are gone. Servers remove a mailbox
	 * that is empty, now and then.
	 */
	private static int changes(Link link, String mailbox) throws Exception {
		Stat stat = link.zk().exists(mailbox, false);
		if (stat == null) {
			return 4;
		}
		return (stat.getNumChildren() == 0) ? stat.getCversion() : 0;
	}

}
