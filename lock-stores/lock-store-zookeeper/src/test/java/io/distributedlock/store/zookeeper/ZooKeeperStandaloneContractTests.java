package io.distributedlock.store.zookeeper;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

class ZooKeeperStandaloneContractTests extends ZooKeeperContractTests {

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
	String connectString() {
		return server.connectString();
	}

}
