package io.distributedlock.boot.autoconfigure.etcd;

import java.nio.charset.StandardCharsets;
import java.time.Duration;

import javax.net.ssl.SSLException;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.ClientBuilder;
import io.grpc.netty.GrpcSslContexts;
import io.netty.handler.ssl.SslContextBuilder;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslOptions;

/**
 * Makes clients for etcd.
 */
final class EtcdClients {

	// etcd takes pings that come more often than every 5 s for an attack.
	private static final Duration PING = Duration.ofSeconds(10);

	private EtcdClients() {
	}

	static Client create(EtcdConnectionDetails details, Duration timeout) {
		ClientBuilder builder = Client.builder()
			.endpoints(details.getEndpoints())
			.connectTimeout(timeout)
			.keepaliveTime(PING)
			.keepaliveTimeout(timeout)
			.keepaliveWithoutCalls(true)
			// Else what could not be sent waits in the client for a connection.
			.waitForReady(false);
		String username = details.getUsername();
		String password = details.getPassword();
		if (username != null && password != null) {
			builder.user(bytes(username)).password(bytes(password));
		}
		boolean tls = details.getEndpoints().stream().anyMatch((endpoint) -> "https".equals(endpoint.getScheme()));
		if (tls) {
			secure(builder, details.getSslBundle());
		}
		return builder.build();
	}

	private static ByteSequence bytes(String text) {
		return ByteSequence.from(text, StandardCharsets.UTF_8);
	}

	private static void secure(ClientBuilder builder, @Nullable SslBundle bundle) {
		try {
			SslContextBuilder context = GrpcSslContexts.forClient();
			if (bundle != null) {
				context.keyManager(bundle.getManagers().getKeyManagerFactory());
				context.trustManager(bundle.getManagers().getTrustManagerFactory());
				SslOptions options = bundle.getOptions();
				if (options.getCiphers() != null) {
					context.ciphers(SslOptions.asSet(options.getCiphers()));
				}
				context.protocols(options.getEnabledProtocols());
			}
			builder.sslContext(context.build());
		}
		catch (SSLException ex) {
			throw new IllegalStateException("TLS to etcd cannot be set up: " + ex.getMessage(), ex);
		}
	}

}
