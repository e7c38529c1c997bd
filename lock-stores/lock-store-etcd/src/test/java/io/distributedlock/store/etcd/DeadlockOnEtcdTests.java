package io.distributedlock.store.etcd;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.MessagingLockStore;
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

	private static String keys() {
		return etcd.etcdctl("get", "--prefix", "--keys-only", "/distributed-lock/i/");
	}

}
