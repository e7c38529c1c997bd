package io.distributedlock.containers;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.etcd.EtcdLockStore;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.extension.RegisterExtension;

/**
 * The engine over etcd 3.5.
 */
class Etcd35EngineTests extends EngineInContainers {

	@RegisterExtension
	static final ServerContainer server = ServerContainer.etcd();

	static Client client;

	@BeforeAll
	static void connect() {
		client = Client.builder().endpoints(server.httpUrl()).build();
	}

	@AfterAll
	static void disconnect() {
		client.close();
	}

	@Override
	ServerContainer server() {
		return server;
	}

	@Override
	LockStore createStore(String instance) {
		return EtcdLockStore.builder(client).instanceId(instance).build();
	}

}
