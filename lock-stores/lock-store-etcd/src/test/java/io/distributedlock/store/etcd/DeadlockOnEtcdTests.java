package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.MessagingLockStore;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.store.etcd.server.EtcdServer;
import io.distributedlock.test.DeadlockContractTests;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Deadlocks over JVMs that tell each other of their waits through etcd.
 */
class DeadlockOnEtcdTests extends DeadlockContractTests {

	private static EtcdServer etcd;

	private static Client client;

	@BeforeAll
	static void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		etcd = EtcdServer.start();
		client = Client.builder().endpoints(etcd.endpoint()).build();
	}

	@AfterAll
	static void stop() {
		if (etcd != null) {
			client.close();
			etcd.close();
		}
	}

	@Override
	protected LockStore createStore(String instance) {
		return EtcdLockStore.builder(client).instanceId(instance).build();
	}

	@Test
	void aMessageToAJvmThatIsGoneIsRemoved() {
		try (MessagingLockStore store = EtcdLockStore.builder(client).instanceId("sender").build()) {
			store.send("gone", "1p;lost");
			await().until(() -> keys().contains("i/gone/dsender"));
			await().until(() -> !keys().contains("i/gone/"));
			assertThat(keys()).contains("i/sender/m");
		}
	}

	@Test
	void messagesComeAgainAfterEtcdWasAway() {
		Queue<String> came = new ConcurrentLinkedQueue<>();
		try (EtcdLockStore sender = EtcdLockStore.builder(client).instanceId("before").build();
				EtcdLockStore receiver = EtcdLockStore.builder(client).instanceId("after").build()) {
			receiver.receiveMessages(came::add);
			receiver.subscribe(new NoSignals());
			await().until(() -> {
				sender.send("after", "1p;before");
				return came.contains("1p;before");
			});
			etcd.kill();
			sender.send("after", "1p;meanwhile");
			etcd.restart();
			await().atMost(Duration.ofSeconds(30)).until(() -> {
				sender.send("after", "1p;again");
				return came.contains("1p;again");
			});
		}
	}

	private static String keys() {
		return etcd.etcdctl("get", "--prefix", "--keys-only", "/distributed-lock/i/");
	}

	/**
	 * What is signalled does not matter here.
	 */
	private static final class NoSignals implements SignalReceiver {

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			throw new AssertionError(keyId);
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			throw new AssertionError(keyId);
		}

		@Override
		public void resumed() {
			// Expected: the server was away.
		}

	}

}
