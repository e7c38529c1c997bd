package io.distributedlock.starter.etcd;

import java.net.URI;
import java.util.List;

import io.distributedlock.boot.autoconfigure.etcd.EtcdConnectionDetails;
import io.distributedlock.boot.starter.StarterContractTests;
import io.distributedlock.store.etcd.server.EtcdServer;
import org.junit.jupiter.api.condition.EnabledIf;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;

/**
 * An application with this starter and nothing else.
 */
@SpringBootTest
@EnabledIf(value = "isInstalled", disabledReason = EtcdServer.INSTALL)
class EtcdStarterTests extends StarterContractTests {

	EtcdStarterTests() {
		super("etcd", "io.etcd.jetcd.Client");
	}

	static boolean isInstalled() {
		return EtcdServer.isInstalled();
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Beans.class)
	static class Application {

		@Bean
		EtcdServer server() {
			return EtcdServer.start();
		}

		@Bean
		EtcdConnectionDetails connectionDetails(EtcdServer server) {
			return () -> List.of(URI.create(server.endpoint()));
		}

	}

}
