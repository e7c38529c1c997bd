package io.distributedlock.boot.autoconfigure;

import java.net.URI;

import io.distributedlock.boot.autoconfigure.etcd.EtcdConnectionDetails;
import io.distributedlock.boot.autoconfigure.zookeeper.ZooKeeperConnectionDetails;
import org.junit.jupiter.api.Test;
import org.testcontainers.containers.GenericContainer;
import org.testcontainers.utility.DockerImageName;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.testcontainers.context.ImportTestcontainers;
import org.springframework.boot.testcontainers.service.connection.ServiceConnection;
import org.springframework.boot.testcontainers.service.connection.ServiceConnectionAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests that {@code @ServiceConnection} finds our connection details, without Docker: the
 * containers only claim to run.
 */
class ContainerConnectionsTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(ServiceConnectionAutoConfiguration.class));

	@Test
	void imagesAreRecognizedByTheirNames() {
		this.runner.withUserConfiguration(Images.class).run((context) -> {
			assertThat(context.getBean(EtcdConnectionDetails.class).getEndpoints())
				.containsExactly(URI.create("http://127.0.0.1:12379"));
			assertThat(context.getBean(EtcdConnectionDetails.class).getUsername()).isNull();
			assertThat(context.getBean(ZooKeeperConnectionDetails.class).getConnectString())
				.isEqualTo("127.0.0.1:12181");
		});
	}

	@Test
	void otherImagesAreRecognizedByTheNameOfTheConnection() {
		this.runner.withUserConfiguration(Named.class)
			.run((context) -> assertThat(context).hasSingleBean(EtcdConnectionDetails.class)
				.hasSingleBean(ZooKeeperConnectionDetails.class));
	}

	@Configuration(proxyBeanMethods = false)
	@ImportTestcontainers
	static class Images {

		@ServiceConnection
		static final Claimed etcd = new Claimed("gcr.io/etcd-development/etcd:v3.5.16");

		@ServiceConnection
		static final Claimed zooKeeper = new Claimed("zookeeper:3.9");

	}

	@Configuration(proxyBeanMethods = false)
	static class Named {

		@Bean
		@ServiceConnection("etcd")
		Claimed etcd() {
			return new Claimed("registry.example/infrastructure/kv:1");
		}

		@Bean
		@ServiceConnection("zookeeper")
		Claimed zooKeeper() {
			return new Claimed("registry.example/infrastructure/zk:1");
		}

	}

	/**
	 * A container that needs no Docker.
	 */
	static final class Claimed extends GenericContainer<Claimed> {

		private final String image;

		Claimed(String image) {
			super(DockerImageName.parse(image));
			this.image = image;
		}

		@Override
		public String getDockerImageName() {
			return this.image;
		}

		@Override
		public void start() {
		}

		@Override
		public void stop() {
		}

		@Override
		public boolean isRunning() {
			return true;
		}

		@Override
		public String getHost() {
			return "127.0.0.1";
		}

		@Override
		public Integer getMappedPort(int port) {
			return 10_000 + port;
		}

	}

}
