package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisClusterConfiguration;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * What is looked at before the first lock is taken, and servers that come later.
 */
class RedlockStartTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private final List<AutoCloseable> resources = new ArrayList<>();

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable resource : this.resources) {
			resource.close();
		}
	}

	private RedlockFixture servers(int count) {
		RedlockFixture redlock = new RedlockFixture(count);
		this.resources.add(redlock);
		return redlock;
	}

	private static List<LettuceConnectionFactory> nobodyOn(int count) {
		return IntStream.range(0, count)
			.mapToObj((i) -> StoreFixture.lettuceFactory(RedisServerProcess.freePort()))
			.toList();
	}

	@Test
	void twoServersAreTooFew() {
		assertThatIllegalArgumentException().isThrownBy(() -> RedlockLockStore.builder(nobodyOn(2)))
			.withMessageContaining("at least three")
			.withMessageContaining("distributed-lock.redlock.nodes");
	}

	@Test
	void aServerListedTwiceIsRefused() {
		List<LettuceConnectionFactory> two = nobodyOn(2);
		assertThatIllegalArgumentException()
			.isThrownBy(() -> RedlockLockStore.builder(List.of(two.get(0), two.get(1), two.get(0))))
			.withMessageContaining("127.0.0.1:" + two.get(0).getPort() + " is listed twice");
	}

	@Test
	void aClusterIsRefused() {
		List<RedisConnectionFactory> servers = new ArrayList<>(nobodyOn(2));
		servers.add(new LettuceConnectionFactory(new RedisClusterConfiguration(List.of("127.0.0.1:7000"))));
		assertThatIllegalArgumentException().isThrownBy(() -> RedlockLockStore.builder(servers))
			.withMessageContaining("127.0.0.1:7000 is a Redis Cluster");
		servers.set(2, new JedisConnectionFactory(new RedisClusterConfiguration(List.of("127.0.0.1:7000"))));
		assertThatIllegalArgumentException().isThrownBy(() -> RedlockLockStore.builder(servers))
			.withMessageContaining("127.0.0.1:7000 is a Redis Cluster");
	}

	@Test
	void settingsThatCannotWorkAreRefused() {
		RedlockLockStore.Builder builder = RedlockLockStore.builder(nobodyOn(3));
		assertThatIllegalArgumentException().isThrownBy(() -> builder.nodeTimeout(Duration.ofMillis(9)))
			.withMessageContaining("at least 10 ms");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.commandTimeout(Duration.ZERO));
		assertThatIllegalArgumentException().isThrownBy(() -> builder.instanceId("a b"));
		assertThatIllegalArgumentException().isThrownBy(() -> builder.prefix("{}").build());
	}

	@Test
	void theSameServerUnderTwoNamesIsRefused() {
		RedlockFixture redlock = servers(2);
		LettuceConnectionFactory alias = new LettuceConnectionFactory(
				new RedisStandaloneConfiguration("localhost", redlock.server(0).port()));
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedlockLockStore.builder(List.of(StoreFixture.lettuceFactory(redlock.server(0).port()),
					StoreFixture.lettuceFactory(redlock.server(1).port()), alias))
				.build())
			.withMessageContaining("localhost:" + redlock.server(0).port())
			.withMessageContaining("are the same server")
			.matches((ex) -> !ex.isRetryable());
	}

	@Test
	void withoutAMajorityItDoesNotStart() {
		RedlockFixture redlock = servers(5);
		redlock.servers.subList(0, 3).forEach(RedisServerProcess::kill);
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> redlock.builder().build())
			.withMessageContaining("Cannot use Redlock: 3 of the 5 Redlock servers gave no usable answer")
			.withMessageContaining("127.0.0.1:" + redlock.server(0).port())
			.matches(StoreException::isRetryable)
			.matches((ex) -> !ex.mayHaveExecuted());
	}

	@Test
	void aClientThatCannotBeLoadedIsAnErrorAndNobodyWaitsForIt() {
		List<RedisConnectionFactory> broken = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			broken.add(new LettuceConnectionFactory(new RedisStandaloneConfiguration("broken" + i)) {
				@Override
				public RedisStandaloneConfiguration getStandaloneConfiguration() {
					// Asked for the address at first.
					if (Thread.currentThread().getName().contains("redlock-connect")) {
						throw new NoClassDefFoundError("io/lettuce/Another");
					}
					return super.getStandaloneConfiguration();
				}
			});
		}
		assertThat(CompletableFuture.runAsync(() -> RedlockLockStore.builder(broken).build()))
			.failsWithin(Duration.ofSeconds(5))
			.withThrowableThat()
			.withMessageContaining("io/lettuce/Another");
	}

	@Test
	void aMinorityMayComeLaterAndIsNamedUntilThen() {
		RedlockFixture redlock = servers(5);
		redlock.servers.subList(0, 2).forEach(RedisServerProcess::kill);
		ListAppender<ILoggingEvent> log = new ListAppender<>();
		Logger logger = (Logger) LoggerFactory.getLogger(RedlockConnections.class);
		log.start();
		logger.addAppender(log);
		try {
			RedlockLockStore store = redlock.connect();
			assertThat(log.list).extracting(ILoggingEvent::getFormattedMessage)
				.anyMatch((line) -> line.contains("127.0.0.1:" + redlock.server(0).port()))
				.anyMatch((line) -> line.contains("127.0.0.1:" + redlock.server(1).port()))
				.hasSize(2);
			assertThat(store.check()).hasSize(2)
				.anyMatch((advice) -> advice.contains("127.0.0.1:" + redlock.server(1).port()));
			RedlockFixture.hold(store, KEY, AttemptId.random());
			redlock.server(0).restart();
			redlock.server(1).restart();
			await().untilAsserted(() -> assertThat(store.check()).isEmpty());
			// Now two others may go.
			redlock.server(3).kill();
			redlock.server(4).kill();
			assertThat(RedlockFixture.acquire(store, LockKey.of("other"), AttemptId.random()))
				.isInstanceOf(Granted.class);
		}
		finally {
			logger.detachAppender(log);
		}
	}

	@Test
	void aServerThatTurnsOutLaterToBeAnotherIsLeftOutForGood() {
		RedlockFixture redlock = servers(3);
		int later = RedisServerProcess.freePort();
		List<LettuceConnectionFactory> factories = new ArrayList<>();
		redlock.servers.forEach((server) -> factories.add(StoreFixture.lettuceFactory(server.port())));
		factories.add(StoreFixture.lettuceFactory(later));
		RedlockLockStore store = redlock.connect(RedlockLockStore.builder(factories));
		this.resources.add(0, new MuteProxy(later, redlock.server(0).port()));
		await().untilAsserted(
				() -> assertThat(store.check()).anyMatch((advice) -> advice.contains("are the same server")));
		assertThat(RedlockFixture.acquire(store, KEY, AttemptId.random())).isInstanceOf(Granted.class);
	}

	@Test
	void checkLooksAtEachServerAndAtAllTogether() {
		RedlockFixture redlock = servers(4);
		redlock.server(2).command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
		assertThat(redlock.connect().check()).hasSize(2)
			.anyMatch((advice) -> advice.contains("odd number"))
			.anyMatch((advice) -> advice.contains("allkeys-lru")
					&& advice.contains("127.0.0.1:" + redlock.server(2).port()));
	}

	@Test
	void clientsOfAnyKindCanBeMixed() {
		RedlockFixture redlock = servers(3);
		List<RedisConnectionFactory> factories = new ArrayList<>();
		for (RedisServerProcess server : redlock.servers.subList(0, 2)) {
			factories.add(new JedisConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", server.port())));
		}
		factories.add(StoreFixture.lettuceFactory(redlock.server(2).port()));
		RedlockLockStore store = redlock.connect(RedlockLockStore.builder(factories));
		assertThat(store.check()).isEmpty();
		long last = 0;
		for (int i = 0; i < 20; i++) {
			AttemptId attempt = AttemptId.random();
			Granted granted = RedlockFixture.hold(store, KEY, attempt);
			assertThat(granted.firstToken()).isGreaterThan(last);
			assertThat(RedlockFixture.renew(store, KEY, attempt)).isEqualTo(RenewReply.RENEWED);
			last = ((ExtendReply.Extended) RedlockFixture.extend(store, KEY, attempt, 2)).firstToken();
			assertThat(RedlockFixture.release(store, KEY, attempt)).isEqualTo(new ReleaseReply.Released(false));
		}
	}

}
