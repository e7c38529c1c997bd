package io.distributedlock.starter.zookeeper;

import io.distributedlock.boot.autoconfigure.zookeeper.ZooKeeperConnectionDetails;
import io.distributedlock.boot.starter.StarterContractTests;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;

/**
 * An application with this starter and nothing else.
 */
@SpringBootTest
class ZooKeeperStarterTests extends StarterContractTests {

	ZooKeeperStarterTests() {
		super("zookeeper", "org.apache.zookeeper.ZooKeeper");
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Beans.class)
	static class Application {

		@Bean
		ZooKeeperServerProcess server() {
			return ZooKeeperServerProcess.start();
		}

		@Bean
		ZooKeeperConnectionDetails connectionDetails(ZooKeeperServerProcess server) {
			return server::connectString;
		}

	}

}
