package io.distributedlock.store.redis;

import java.security.GeneralSecurityException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

import io.lettuce.core.ClientOptions;
import io.lettuce.core.SslOptions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisClientConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceClientConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisCertificate;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Redlock over each client, with and without TLS.
 */
class RedlockClientsTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static final List<Integer> tlsPorts = new ArrayList<>();

	private static RedisCertificate certificate;

	private static RedlockFixture redlock;

	private final List<RedlockLockStore> stores = new ArrayList<>();

	@BeforeAll
	static void start() {
		certificate = RedisCertificate.create();
		List<RedisServerProcess> servers = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			tlsPorts.add(RedisServerProcess.freePort());
			servers.add(certificate.start(tlsPorts.get(i)));
		}
		redlock = new RedlockFixture(servers);
	}

	@AfterAll
	static void stop() {
		redlock.close();
		certificate.close();
	}

	@AfterEach
	void close() {
		this.stores.forEach(RedlockLockStore::close);
	}

	private RedlockLockStore connect(IntFunction<RedisConnectionFactory> factory) {
		RedlockLockStore store = RedlockLockStore.builder(List.of(factory.apply(0), factory.apply(1), factory.apply(2)))
			.build();
		this.stores.add(store);
		return store;
	}

	private static RedisStandaloneConfiguration plain(int server) {
		return new RedisStandaloneConfiguration("127.0.0.1", redlock.server(server).port());
	}

	private static RedisStandaloneConfiguration tls(int server) {
		return new RedisStandaloneConfiguration("127.0.0.1", tlsPorts.get(server));
	}

	private static RedisConnectionFactory lettuce(int server, SslOptions options) {
		return new LettuceConnectionFactory(tls(server),
				LettuceClientConfiguration.builder()
					.clientOptions(ClientOptions.builder().sslOptions(options).build())
					.useSsl()
					.build());
	}

	private static SslOptions trusting() {
		return SslOptions.builder().trustManager(certificate.file().toFile()).build();
	}

	private static RedisConnectionFactory jedis(int server, SSLContext context) {
		return new JedisConnectionFactory(tls(server),
				JedisClientConfiguration.builder().useSsl().sslSocketFactory(context.getSocketFactory()).build());
	}

	private static SSLContext trustingContext() throws GeneralSecurityException {
		TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
		trust.init(certificate.keys());
		SSLContext context = SSLContext.getInstance("TLS");
		context.init(null, trust.getTrustManagers(), null);
		return context;
	}

	@Test
	void lettuceSpeaksTlsToTheServers() {
		SslOptions options = trusting();
		locksAndUnlocks(connect((server) -> lettuce(server, options)));
	}

	@Test
	void jedisSpeaksTlsToTheServers() throws Exception {
		SSLContext context = trustingContext();
		locksAndUnlocks(connect((server) -> jedis(server, context)));
	}

	private void locksAndUnlocks(RedlockLockStore store) {
		long last = 0;
		for (int i = 0; i < 10; i++) {
			AttemptId attempt = AttemptId.random();
			Granted granted = RedlockFixture.hold(store, KEY, attempt);
			assertThat(granted.firstToken()).isGreaterThan(last);
			assertThat(RedlockFixture.renew(store, KEY, attempt)).isEqualTo(RenewReply.RENEWED);
			last = ((ExtendReply.Extended) RedlockFixture.extend(store, KEY, attempt, 2)).firstToken();
			assertThat(RedlockFixture.acquire(store, KEY, AttemptId.random())).isInstanceOf(Refused.class);
			assertThat(RedlockFixture.release(store, KEY, attempt)).isEqualTo(new ReleaseReply.Released(false));
		}
		assertThat(store.check()).isEmpty();
		await().untilAsserted(() -> assertThat(store.leftBehind()).isZero());
	}

	@Test
	void aCertificateThatNobodyTrustsIsNamedAtTheStart() throws Exception {
		SSLContext jvms = SSLContext.getDefault();
		for (IntFunction<RedisConnectionFactory> client : List.<IntFunction<RedisConnectionFactory>>of(
				(server) -> lettuce(server, SslOptions.create()), (server) -> jedis(server, jvms))) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> connect(client))
				.withMessageContaining("does not trust the certificate of Redis")
				.withMessageContaining("SSL bundle")
				.withMessageContaining("127.0.0.1:" + tlsPorts.get(0))
				.matches((ex) -> !ex.isRetryable());
		}
	}

	@Test
	void jedisGoesOnWithoutAMinority() {
		RedlockLockStore store = connect((server) -> new JedisConnectionFactory(plain(server)));
		locksAndUnlocks(store);
		redlock.server(2).freeze();
		long start = System.nanoTime();
		for (int i = 0; i < 20; i++) {
			AttemptId attempt = AttemptId.random();
			RedlockFixture.hold(store, KEY, attempt);
			assertThat(RedlockFixture.renew(store, KEY, attempt)).isEqualTo(RenewReply.RENEWED);
			assertThat(RedlockFixture.release(store, KEY, attempt)).isEqualTo(new ReleaseReply.Released(false));
		}
		assertThat(Duration.ofNanos(System.nanoTime() - start)).as("60 commands, of 500 ms if each waited")
			.isLessThan(Duration.ofSeconds(10));
		redlock.server(2).thaw();
		await().untilAsserted(() -> {
			assertThat(store.leftBehind()).isZero();
			assertThat(redlock.record(2, KEY)).isEmpty();
		});
	}

}
