package io.distributedlock.store.etcd;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.spi.LockStore;
import io.distributedlock.store.etcd.server.EtcdCluster;
import io.distributedlock.store.etcd.server.EtcdServer;
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

/**
 * The contract of all stores, on a cluster of three nodes; the JVMs share a client that
 * speaks to all of them in turn.
 */
class EtcdClusterContractTests extends LockStoreContractTests
		implements QueueContractTests, SignalContractTests, MessageContractTests, InspectContractTests,
		InspectQueueContractTests, SharedContractTests, PermitContractTests, FairContractTests, MultiContractTests {

	static EtcdCluster etcd;

	static Client client;

	@BeforeAll
	static void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		etcd = EtcdCluster.start(3);
		client = Client.builder().endpoints(etcd.endpoints().toArray(String[]::new)).build();
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
		return EtcdLockStore.builder(client).instanceId(instance).endpoints(etcd.endpoints()).build();
	}

}
