package io.distributedlock.containers;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.etcd.EtcdLockStore;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.testcontainers.containers.GenericContainer;

import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.springframework.test.context.TestPropertySource;

/**
 * An application on etcd 3.5, found through a field of the test.
 */
@TestPropertySource(properties = "distributed-lock.redis.enabled=false")
class Etcd35ServiceConnectionTests extends ShopInContainers {

	@RegisterExtension
	static final ServerContainer server = ServerContainer.etcd();

	@ServiceConnection
	static final GenericContainer<?> container = server.container();

	private static Client client;

	@BeforeAll
	static void connect() {
		client = Client.builder().endpoints(server.httpUrl()).build();
	}

	@AfterAll
	static void disconnect() {
		client.close();
	}

	@Override
	LockStore otherInstance() {
		return EtcdLockStore.builder(client).build();
	}

}
