package io.distributedlock.store.redis;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisSentinelConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * One primary, one replica, three Sentinels.
 */
class RedisSentinelTests {

	private final List<RedisServerProcess> sentinels = new ArrayList<>();

	private final List<Path> files = new ArrayList<>();

	private RedisServerProcess primary;

	private RedisServerProcess replica;

	@BeforeEach
	void start() {
		this.primary = RedisServerProcess.start("--repl-diskless-sync-delay", "0");
		this.replica = RedisServerProcess.start("--replicaof", "127.0.0.1 " + this.primary.port());
		await().atMost(Duration.ofSeconds(20))
			.until(() -> this.primary.command("INFO", "replication").contains("state=online"));
		for (int i = 0; i < 3; i++) {
			this.sentinels.add(RedisServerProcess.startSentinel(configuration()));
		}
		await().atMost(Duration.ofSeconds(20))
			.until(() -> this.sentinels.stream()
				.map((sentinel) -> sentinel.command("INFO", "sentinel"))
				.allMatch((info) -> info.contains("slaves=1") && info.contains("sentinels=3")));
	}

	private Path configuration() {
		try {
			Path file = Files.createTempFile("sentinel-", ".conf");
			this.files.add(file);
			return Files.writeString(file,
					String.join("\n", "sentinel monitor main 127.0.0.1 " + this.primary.port() + " 2",
							"sentinel down-after-milliseconds main 1000", "sentinel failover-timeout main 3000", ""));
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
	}

	@AfterEach
	void stop() throws IOException {
		this.sentinels.forEach(RedisServerProcess::close);
		this.primary.close();
		this.replica.close();
		for (Path file : this.files) {
			Files.deleteIfExists(file);
		}
	}

	private StoreFixture connect(String client) {
		RedisSentinelConfiguration configuration = new RedisSentinelConfiguration().master("main");
		this.sentinels.forEach((sentinel) -> configuration.sentinel("127.0.0.1", sentinel.port()));
		RedisConnectionFactory factory = client.equals("lettuce") ? new LettuceConnectionFactory(configuration)
				: new JedisConnectionFactory(configuration);
		return StoreFixture.of(factory);
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void locksWorkBeforeAndAfterAFailoverAndTokensRise(String client) {
		LockKey key = LockKey.of("stock", client);
		AttemptId a = AttemptId.random();
		AttemptId b = AttemptId.random();
		try (StoreFixture one = connect(client).awaitSignals("one");
				StoreFixture two = connect(client).awaitSignals("two")) {
			Granted before = (Granted) one.acquire(key, a);
			assertThat(one.renew(key, a)).isEqualTo(RenewReply.RENEWED);
			assertThat(((Refused) two.enqueue(key, b)).queued()).isTrue();
			assertThat(one.release(key, a)).isEqualTo(new ReleaseReply.Released(true));
			await().until(() -> two.reserved.contains(b));
			assertThat(two.acquireAgain(key, b)).isInstanceOf(Granted.class);
			two.release(key, b);
			this.primary.kill();
			AttemptId c = AttemptId.random();
			await().atMost(Duration.ofSeconds(30))
				.ignoreExceptions()
				.until(() -> one.acquireAgain(key, c) instanceof Granted);
			Granted after = (Granted) one.acquireAgain(key, c);
			assertThat(after.firstToken()).isGreaterThan(before.firstToken());
			two.awaitSignals("after");
		}
	}

}
