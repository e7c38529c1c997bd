package io.distributedlock.store.zookeeper;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.store.zookeeper.server.ZooKeeperEnsemble;

class ZooKeeperEnsembleContractTests extends ZooKeeperContractTests {

	private static ZooKeeperEnsemble ensemble;

	@BeforeAll
	static void start() {
		ensemble = ZooKeeperEnsemble.start();
	}

	@AfterAll
	static void stop() {
		ensemble.close();
	}

	@Override
	String connectString() {
		return ensemble.connectString();
	}

}
