package io.distributedlock.store.redis;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.commons.pool2.impl.GenericObjectPoolConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.springframework.data.redis.connection.RedisConnection;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisClientConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Rules R1, R8 and R11: what happens when Redis or the way there fails.
 */
class RedisFaultTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static final String RECORD = "lock:l:stock:42";

	private final AttemptId a = AttemptId.random();

	private final AttemptId b = AttemptId.random();

	private final List<StoreFixture> fixtures = new ArrayList<>();

	private RedisServerProcess redis;

	@BeforeEach
	void start() {
		this.redis = RedisServerProcess.start();
	}

	@AfterEach
	void stop() {
		this.fixtures.forEach(StoreFixture::close);
		this.redis.close();
	}

	private StoreFixture connect(String client) {
		StoreFixture fixture = client.equals("lettuce") ? StoreFixture.lettuce(this.redis.port())
				: StoreFixture.of(jedisFactory());
		this.fixtures.add(fixture);
		return fixture;
	}

	private JedisConnectionFactory jedisFactory() {
		return new JedisConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", this.redis.port()));
	}

	private static AcquireCommand within(Duration timeout, AttemptId attempt) {
		return new AcquireCommand(KEY, attempt, StoreFixture.TTL, 1, false, timeout);
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void everyCommandEndsByItsTimeoutWhileTheServerIsFrozen(String client) {
		StoreFixture one = connect(client);
		one.acquire(LockKey.of("warm"), this.a);
		this.redis.freeze();
		try {
			long before = System.nanoTime();
			List<CompletionStage<AcquireReply>> stages = new ArrayList<>();
			for (int i = 0; i < 200; i++) {
				stages.add(one.store.acquire(within(Duration.ofMillis(300), AttemptId.random())));
			}
			for (CompletionStage<AcquireReply> stage : stages) {
				assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(stage))
					.withMessageContaining("127.0.0.1:" + this.redis.port())
					.matches(StoreException::isRetryable);
			}
			RenewReply renewal = StoreFixture
				.get(one.store.renew(List.of(new RenewCommand(KEY, this.a, StoreFixture.TTL, StoreFixture.TIMEOUT))))
				.get(0);
			assertThat(renewal).isInstanceOf(RenewReply.Failed.class);
			assertThat(Duration.ofNanos(System.nanoTime() - before)).isBetween(Duration.ofMillis(1250),
					Duration.ofSeconds(8));
		}
		finally {
			this.redis.thaw();
		}
		await().ignoreExceptions().until(() -> one.acquire(LockKey.of("after"), this.b) instanceof Granted);
	}

	@Test
	void onlyWhatWasSentMayHaveBeenExecuted() {
		StoreFixture one = connect("lettuce");
		one.acquire(LockKey.of("warm"), this.a);
		this.redis.freeze();
		try {
			CompletionStage<AcquireReply> sent = one.store.acquire(within(Duration.ofMillis(200), this.a));
			// The second of the two calls that may be under way.
			one.store.acquire(within(Duration.ofMillis(200), AttemptId.random()));
			CompletionStage<AcquireReply> waiting = one.store.acquire(within(Duration.ofMillis(150), this.b));
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(waiting))
				.matches((ex) -> !ex.mayHaveExecuted());
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(sent))
				.matches(StoreException::mayHaveExecuted);
		}
		finally {
			this.redis.thaw();
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void acquireThatReachesTheServerTooLateGrantsNothing(String client) {
		StoreFixture one = connect(client);
		one.acquire(LockKey.of("warm"), this.a);
		this.redis.freeze();
		CompletionStage<AcquireReply> late = one.store.acquireOrEnqueue(within(Duration.ofMillis(200), this.a));
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(late));
		this.redis.thaw();
		await().ignoreExceptions().until(() -> one.acquire(LockKey.of("after"), AttemptId.random()) instanceof Granted);
		assertThat(this.redis.command("EXISTS", RECORD)).isEqualTo(":0");
	}

	@Test
	void commandThatWasUnderWayWhenTheConnectionBrokeFailsAtOnceAndIsNotSentAgain() {
		StoreFixture one = connect("lettuce");
		one.acquire(LockKey.of("warm"), this.a);
		this.redis.command("CLIENT", "PAUSE", "60000", "WRITE");
		long before = System.nanoTime();
		CompletionStage<AcquireReply> underWay = one.store.acquire(within(Duration.ofSeconds(15), this.a));
		// The pause holds it there.
		await().until(() -> this.redis.command("CLIENT", "LIST")
			.lines()
			.anyMatch((client) -> client.contains(" flags=b ") && client.contains("cmd=evalsha")));
		this.redis.command("CLIENT", "KILL", "TYPE", "normal");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(underWay))
			.withMessageContaining("connection to Redis was lost")
			.matches(StoreException::mayHaveExecuted)
			.matches(StoreException::isRetryable);
		assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(10));
		this.redis.command("CLIENT", "UNPAUSE");
		await().ignoreExceptions().until(() -> one.acquire(LockKey.of("after"), this.b) instanceof Granted);
		assertThat(this.redis.command("EXISTS", RECORD)).isEqualTo(":0");
	}

	@Test
	void commandsAreRejectedAtOnceWhileThereIsNoConnection() {
		StoreFixture one = connect("lettuce");
		one.acquire(KEY, this.a);
		this.redis.kill();
		await().untilAsserted(
				() -> assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(KEY, this.b))
					.withMessageContaining("no connection to Redis")
					.matches((ex) -> !ex.mayHaveExecuted() && ex.isRetryable()));
		this.redis.restart();
		await().ignoreExceptions().until(() -> one.acquire(KEY, this.b) instanceof Granted);
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void worksAgainAfterARestartWithSignals(String client) {
		StoreFixture one = connect(client).awaitSignals("before");
		int resumed = one.resumed.get();
		this.redis.kill();
		await().until(() -> !(isGranted(one)));
		this.redis.restart();
		await().until(() -> isGranted(one));
		await().until(() -> one.resumed.get() > resumed);
		one.awaitSignals("after");
	}

	private boolean isGranted(StoreFixture fixture) {
		try {
			return fixture.acquire(LockKey.of("any"), this.a) instanceof Granted;
		}
		catch (StoreException ex) {
			return false;
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void killedSubscriptionIsRestoredAndWaitersAreToldToAskAgain(String client) {
		StoreFixture one = connect(client).awaitSignals("before");
		assertThat(one.resumed).hasValue(0);
		this.redis.command("CLIENT", "KILL", "TYPE", "pubsub");
		await().until(() -> one.resumed.get() == 1);
		one.awaitSignals("after");
		StoreFixture two = connect(client);
		two.acquire(KEY, this.a);
		assertThat(((Refused) one.enqueue(KEY, this.b)).queued()).isTrue();
		two.release(KEY, this.a);
		await().until(() -> one.reserved.contains(this.b));
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void forgottenScriptsAreLoadedAgainUnnoticed(String client) {
		StoreFixture one = connect(client);
		for (int i = 0; i < 5; i++) {
			one.acquire(KEY, this.a);
			this.redis.command("SCRIPT", "FLUSH");
			assertThat(one.renew(KEY, this.a)).isEqualTo(RenewReply.RENEWED);
			this.redis.command("SCRIPT", "FLUSH");
			one.release(KEY, this.a);
			this.redis.command("SCRIPT", "FLUSH");
		}
	}

	@Test
	void busyScriptOfSomebodyElseIsNamed() {
		StoreFixture one = connect("lettuce");
		one.acquire(KEY, this.a);
		this.redis.command("CONFIG", "SET", "busy-reply-threshold", "50");
		Thread endless = new Thread(() -> {
			try {
				this.redis.command("EVAL", "while true do end", "0");
			}
			catch (RuntimeException ex) {
				// The script is killed at the end.
			}
		});
		endless.start();
		try {
			await().untilAsserted(() -> assertThatExceptionOfType(StoreException.class)
				.isThrownBy(() -> one.acquire(LockKey.of("other"), this.b))
				.withMessageContaining("SCRIPT KILL")
				.matches((ex) -> !ex.mayHaveExecuted() && ex.isRetryable()));
		}
		finally {
			this.redis.command("SCRIPT", "KILL");
		}
		await().ignoreExceptions().until(() -> one.acquire(LockKey.of("other"), this.b) instanceof Granted);
	}

	@Test
	void replicaIsNamedAsSuch() {
		StoreFixture one = connect("lettuce");
		this.redis.command("REPLICAOF", "127.0.0.1", String.valueOf(RedisServerProcess.freePort()));
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(KEY, this.a))
			.withMessageContaining("replica")
			.matches((ex) -> !ex.mayHaveExecuted() && ex.isRetryable());
	}

	@Test
	void missingReplicasAreNamed() {
		StoreFixture one = connect("lettuce");
		one.acquire(KEY, this.a);
		this.redis.command("CONFIG", "SET", "min-replicas-to-write", "1");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(LockKey.of("other"), this.b))
			.withMessageContaining("min-replicas-to-write");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.release(KEY, this.a))
			.withMessageContaining("min-replicas-to-write")
			.matches(StoreException::isRetryable);
	}

	@Test
	void unreachableServerIsNamedWhenTheStoreIsBuilt() {
		int nobody = RedisServerProcess.freePort();
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedisLockStore.builder(StoreFixture.lettuceFactory(nobody)).build())
			.withMessageContaining("127.0.0.1:" + nobody)
			.withMessageContaining("spring.data.redis")
			.matches(StoreException::isRetryable);
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedisLockStore
				.builder(new JedisConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", nobody)))
				.build())
			.withMessageContaining("127.0.0.1:" + nobody)
			.withMessageContaining("spring.data.redis");
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void aServerThatIsSlowWhenTheStoreIsBuiltIsAskedAgain(String client) {
		this.redis.freeze();
		CompletableFuture.delayedExecutor(1300, TimeUnit.MILLISECONDS).execute(this.redis::thaw);
		assertThat(connect(client).acquire(KEY, this.a)).isInstanceOf(Granted.class);
	}

	@Test
	void fullServerIsNamedWhenTheStoreIsBuilt() {
		try (RedisServerProcess small = RedisServerProcess.start("--maxclients", "4")) {
			List<StoreFixture> filling = new ArrayList<>();
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> {
				for (int i = 0; i < 4; i++) {
					filling.add(StoreFixture.lettuce(small.port()));
				}
			}).withMessageContaining("maxclients");
			filling.forEach(StoreFixture::close);
		}
	}

	@Test
	void exhaustedPoolOfTheApplicationDoesNotStopLocks() throws InterruptedException {
		GenericObjectPoolConfig<Object> pool = new GenericObjectPoolConfig<>();
		pool.setMaxTotal(1);
		pool.setMaxWait(Duration.ofMillis(100));
		JedisConnectionFactory application = new JedisConnectionFactory(
				new RedisStandaloneConfiguration("127.0.0.1", this.redis.port()),
				JedisClientConfiguration.builder()
					.readTimeout(Duration.ofSeconds(10))
					.usePooling()
					.poolConfig(pool)
					.build());
		application.afterPropertiesSet();
		application.start();
		StoreFixture one = StoreFixture.of(application);
		this.fixtures.add(one);
		Thread blocking = new Thread(() -> {
			try (RedisConnection taken = application.getConnection()) {
				taken.listCommands().bLPop(8, "empty".getBytes(StandardCharsets.US_ASCII));
			}
		});
		blocking.start();
		try {
			await().until(() -> this.redis.command("CLIENT", "LIST").contains("cmd=blpop"));
			assertThatExceptionOfType(RuntimeException.class).isThrownBy(() -> application.getConnection().ping());
			one.awaitSignals("pool");
			assertThat(one.acquire(KEY, this.a)).isInstanceOf(Granted.class);
			assertThat(one.renew(KEY, this.a)).isEqualTo(RenewReply.RENEWED);
		}
		finally {
			this.redis.command("RPUSH", "empty", "x");
			blocking.join();
			application.destroy();
		}
		assertThat(one.renew(KEY, this.a)).isEqualTo(RenewReply.RENEWED);
	}

	@Test
	void serverClockThatWasSetIsNoticedAndTheCommandIsSentAgainAtOnce() {
		StoreFixture one = connect("lettuce");
		one.acquire(LockKey.of("warm"), this.a);
		ServerClock clock = one.store.clock(LockKey.of("warm"));
		long now = System.nanoTime();
		// As if the server's clock had been an hour behind until now: the limit is long
		// past.
		clock.reset(clock.at(now) - 3_600_000_000L, now);
		assertThat(one.acquire(KEY, this.a)).isInstanceOf(Granted.class);
		// As if it had been an hour ahead: the limit must not stay in the far future.
		long later = System.nanoTime();
		long right = clock.at(later);
		clock.reset(right + 3_600_000_000L, later);
		one.acquire(LockKey.of("other"), this.b);
		assertThat(clock.at(later)).isCloseTo(right, org.assertj.core.data.Offset.offset(1_000_000L));
	}

	@Test
	void closedStoreRefusesAndEndsWhatIsUnderWay() {
		StoreFixture one = connect("lettuce");
		one.acquire(LockKey.of("warm"), this.a);
		this.redis.freeze();
		try {
			CompletionStage<AcquireReply> underWay = one.store.acquire(within(Duration.ofSeconds(10), this.a));
			one.store.close();
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(underWay))
				.withMessageContaining("closed");
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(KEY, this.b))
				.withMessageContaining("closed")
				.matches((ex) -> !ex.mayHaveExecuted());
		}
		finally {
			this.redis.thaw();
		}
	}

	@Test
	void closingLeavesNoThreadAndNoConnection() {
		AtomicInteger before = new AtomicInteger(connections());
		for (int i = 0; i < 3; i++) {
			StoreFixture.lettuce(this.redis.port()).close();
			StoreFixture.of(jedisFactory()).close();
		}
		await().atMost(Duration.ofSeconds(10)).untilAsserted(() -> {
			assertThat(connections()).isEqualTo(before.get());
			assertThat(Thread.getAllStackTraces().keySet()).extracting(Thread::getName)
				.noneMatch((name) -> name.startsWith("distributed-lock-redis"));
		});
	}

	private int connections() {
		return this.redis.command("CLIENT", "LIST").split("\n").length;
	}

}
