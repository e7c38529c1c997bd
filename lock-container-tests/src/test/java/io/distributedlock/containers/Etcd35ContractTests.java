package io.distributedlock.containers;

import java.util.concurrent.TimeUnit;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.etcd.EtcdLockStore;
import io.distributedlock.test.FairContractTests;
import io.distributedlock.test.InspectContractTests;
import io.distributedlock.test.InspectQueueContractTests;
import io.distributedlock.test.LockStoreContractTests;
import io.distributedlock.test.MessageContractTests;
import io.distributedlock.test.MultiContractTests;
import io.distributedlock.test.PermitContractTests;
import io.distributedlock.test.QueueContractTests;
import io.distributedlock.test.SharedContractTests;
import io.distributedlock.test.SignalContractTests;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The contract of all stores, on etcd 3.5.
 */
class Etcd35ContractTests extends LockStoreContractTests
		implements QueueContractTests, SignalContractTests, MessageContractTests, InspectContractTests,
		InspectQueueContractTests, SharedContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	private static final Logger logger = LoggerFactory.getLogger(Etcd35ContractTests.class);

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
	protected LockStore createStore(String instance) {
		return EtcdLockStore.builder(client).instanceId(instance).build();
	}

	@Test
	void theServerIsTheOneThatTheContractShallBeTestedOn() throws Exception {
		String version = client.getMaintenanceClient()
			.statusMember(server.httpUrl())
			.get(10, TimeUnit.SECONDS)
			.getVersion();
		logger.info("{} runs on etcd {}", getClass().getSimpleName(), version);
		assertThat(version).startsWith("3.5.");
	}

}
