package io.distributedlock.boot.autoconfigure.redlock;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.SocketOptions;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.boot.ssl.SslBundle;
import org.springframework.boot.ssl.SslOptions;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisClientConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.util.ClassUtils;

/**
 * Connection factories for the nodes, with Lettuce or else Jedis. They are no beans, so
 * that they are not taken for the application's own.
 */
final class RedlockConnections implements DisposableBean {

	private static final boolean LETTUCE = ClassUtils.isPresent("io.lettuce.core.RedisClient",
			RedlockConnections.class.getClassLoader());

	private final List<RedisConnectionFactory> factories = new ArrayList<>();

	RedlockConnections(RedlockConnectionDetails details, Duration timeout) {
		this(details, timeout, LETTUCE);
	}

	RedlockConnections(RedlockConnectionDetails details, Duration timeout, boolean lettuce) {
		RedlockNode.check(details.getNodes());
		SslBundle bundle = details.getSslBundle();
		for (String text : details.getNodes()) {
			RedlockNode node = RedlockNode.parse(text)
				.withDefaults(details.getUsername(), details.getPassword(), bundle != null);
			RedisStandaloneConfiguration server = new RedisStandaloneConfiguration(node.host(), node.port());
			server.setDatabase(node.database());
			server.setUsername(node.username());
			server.setPassword(node.password());
			this.factories.add(lettuce ? Lettuce.factory(server, node.tls(), timeout, bundle)
					: Jedis.factory(server, node.tls(), timeout, bundle));
		}
	}

	List<RedisConnectionFactory> factories() {
		return List.copyOf(this.factories);
	}

	@Override
	public void destroy() throws Exception {
		for (RedisConnectionFactory factory : this.factories) {
			if (factory instanceof DisposableBean disposable) {
				disposable.destroy();
			}
		}
	}

	/**
	 * Kept apart, so that it is loaded only if Lettuce is there.
	 */
	private static final class Lettuce {

		static RedisConnectionFactory factory(RedisStandaloneConfiguration server, boolean tls, Duration timeout,
				@Nullable SslBundle bundle) {
			ClientOptions.Builder options = ClientOptions.builder()
				.socketOptions(SocketOptions.builder().connectTimeout(timeout).build());
			if (bundle != null) {
				options.sslOptions(sslOptions(bundle));
			}
			LettuceClientConfiguration.LettuceClientConfigurationBuilder client = LettuceClientConfiguration.builder()
				.commandTimeout(timeout)
				.clientOptions(options.build());
			if (tls) {
				client.useSsl();
			}
			LettuceConnectionFactory factory = new LettuceConnectionFactory(server, client.build());
			factory.afterPropertiesSet();
			return factory;
		}

		private static io.lettuce.core.SslOptions sslOptions(SslBundle bundle) {
			io.lettuce.core.SslOptions.Builder builder = io.lettuce.core.SslOptions.builder()
				.keyManager(bundle.getManagers().getKeyManagerFactory())
				.trustManager(bundle.getManagers().getTrustManagerFactory());
			SslOptions options = bundle.getOptions();
			if (options.getCiphers() != null) {
				builder.cipherSuites(options.getCiphers());
			}
			if (options.getEnabledProtocols() != null) {
				builder.protocols(options.getEnabledProtocols());
			}
			return builder.build();
		}

	}

	/**
	 * Kept apart, so that it is loaded only if Jedis is used.
	 */
	private static final class Jedis {

		static RedisConnectionFactory factory(RedisStandaloneConfiguration server, boolean tls, Duration timeout,
				@Nullable SslBundle bundle) {
			JedisClientConfiguration.JedisClientConfigurationBuilder client = JedisClientConfiguration.builder()
				.connectTimeout(timeout)
				.readTimeout(timeout);
			if (tls) {
				JedisClientConfiguration.JedisSslClientConfigurationBuilder ssl = client.useSsl();
				if (bundle != null) {
					ssl.sslSocketFactory(bundle.createSslContext().getSocketFactory());
				}
			}
			JedisConnectionFactory factory = new JedisConnectionFactory(server, client.build());
			factory.afterPropertiesSet();
			return factory;
		}

	}

}
