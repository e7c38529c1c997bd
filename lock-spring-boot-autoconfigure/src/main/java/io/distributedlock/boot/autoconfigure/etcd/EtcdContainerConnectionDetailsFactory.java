package io.distributedlock.boot.autoconfigure.etcd;

import java.net.URI;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.testcontainers.containers.Container;

import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.testcontainers.service.connection.ContainerConnectionDetailsFactory;
import org.springframework.boot.testcontainers.service.connection.ContainerConnectionSource;

/**
 * Lets {@code @ServiceConnection} stand on a container of etcd. Containers of images with
 * other names need {@code @ServiceConnection(name = "etcd")}.
 */
class EtcdContainerConnectionDetailsFactory
		extends ContainerConnectionDetailsFactory<Container<?>, EtcdConnectionDetails> {

	private static final List<String> IMAGES = List.of("etcd", "coreos/etcd", "etcd-development/etcd", "bitnami/etcd",
			"bitnamilegacy/etcd");

	private static final int CLIENT_PORT = 2379;

	EtcdContainerConnectionDetailsFactory() {
		super(IMAGES);
	}

	@Override
	protected EtcdConnectionDetails getContainerConnectionDetails(ContainerConnectionSource<Container<?>> source) {
		return new EtcdContainerConnectionDetails(source);
	}

	private static final class EtcdContainerConnectionDetails extends ContainerConnectionDetails<Container<?>>
			implements EtcdConnectionDetails {

		EtcdContainerConnectionDetails(ContainerConnectionSource<Container<?>> source) {
			super(source);
		}

		@Override
		public List<URI> getEndpoints() {
			String scheme = (getSslBundle() != null) ? "https" : "http";
			return List.of(URI
				.create(scheme + "://" + getContainer().getHost() + ":" + getContainer().getMappedPort(CLIENT_PORT)));
		}

		@Override
		public @Nullable SslBundle getSslBundle() {
			return super.getSslBundle();
		}

	}

}
