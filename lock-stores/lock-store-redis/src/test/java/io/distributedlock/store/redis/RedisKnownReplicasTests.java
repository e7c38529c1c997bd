package io.distributedlock.store.redis;

import java.io.UncheckedIOException;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * How many replicas "all" are: what JVMs have seen before is known to those that come
 * later, and to the next primary.
 */
class RedisKnownReplicasTests {

	private static final String NUMBER = "lock:replicas";

	private RedisGroup redis;

	private RedisServerProcess primary;

	private RedisServerProcess first;

	private RedisServerProcess second;

	@BeforeEach
	void start() {
		this.redis = RedisGroup.start(2);
		this.primary = this.redis.servers().get(0);
		this.first = this.redis.servers().get(1);
		this.second = this.redis.servers().get(2);
		await().until(() -> this.redis.servers().stream().allMatch(RedisKnownReplicasTests::hasRunForASecond));
	}

	private static boolean hasRunForASecond(RedisServerProcess server) {
		return !server.command("INFO", "server").contains("uptime_in_seconds:0\r");
	}

	@AfterEach
	void stop() {
		this.redis.close();
	}

	private static StoreFixture connect(String client, RedisServerProcess server) {
		return new StoreFixture(RedisLockStore.builder(client.equals("jedis")
				? new JedisConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", server.port()))
				: StoreFixture.lettuceFactory(server.port()))
			.waitForAllReplicas()
			.build());
	}

	private static boolean grants(StoreFixture jvm) {
		return jvm.acquire(LockKey.of("stock", AttemptId.random().toString()), AttemptId.random()) instanceof Granted;
	}

	/** A replica may lag behind on a busy machine. */
	private static void awaitGrant(StoreFixture jvm) {
		await().ignoreExceptionsInstanceOf(StoreException.class).until(() -> grants(jvm));
	}

	private static void assertThatTooFewHaveIt(StoreFixture jvm, String message) {
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> grants(jvm)).withMessageContaining(message);
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void aJvmThatStartsAfterAReplicaVanishedNeedsItUntilTheOperatorSaysThatItIsGone(String client) {
		try (StoreFixture old = connect(client, this.primary)) {
			awaitGrant(old);
			this.second.kill();
			RedisGroup.awaitFollowers(this.primary, 1);
			try (StoreFixture young = connect(client, this.primary)) {
				assertThatTooFewHaveIt(young, "Only 1 of 2");
				assertThatTooFewHaveIt(old, NUMBER);
				this.primary.command("SET", NUMBER, "0");
				awaitGrant(young);
				awaitGrant(old);
			}
		}
	}

	@Test
	void aPrimaryThatWasRestartedNeedsAllItsReplicas() {
		try (StoreFixture before = connect("lettuce", this.primary)) {
			awaitGrant(before);
		}
		this.second.kill();
		shutDown(this.primary);
		this.primary.restart();
		RedisGroup.awaitFollowers(this.primary, 1);
		try (StoreFixture after = connect("lettuce", this.primary)) {
			assertThatTooFewHaveIt(after, "Only 1 of 2");
			this.second.restart();
			RedisGroup.awaitFollowers(this.primary, 2);
			awaitGrant(after);
		}
	}

	private static void shutDown(RedisServerProcess server) {
		try {
			server.command("SHUTDOWN", "SAVE");
		}
		catch (UncheckedIOException ex) {
			// It ends instead of answering.
		}
		await().until(() -> !server.isAlive());
	}

	@Test
	void aReplicaThatWasPromotedNeedsOneLess() {
		try (StoreFixture before = connect("lettuce", this.primary)) {
			awaitGrant(before);
		}
		this.primary.kill();
		this.first.command("REPLICAOF", "NO", "ONE");
		this.second.command("REPLICAOF", "127.0.0.1", String.valueOf(this.first.port()));
		RedisGroup.awaitFollowers(this.first, 1);
		try (StoreFixture after = connect("lettuce", this.first)) {
			awaitGrant(after);
		}
		this.second.kill();
		RedisGroup.awaitFollowers(this.first, 0);
		try (StoreFixture young = connect("lettuce", this.first)) {
			assertThatTooFewHaveIt(young, "Only 0 of 1");
		}
	}

	@Test
	void theNumberIsWrittenAtMaxmemoryToo() {
		LockKey key = LockKey.of("stock", 1);
		AttemptId attempt = AttemptId.random();
		try (StoreFixture jvm = connect("lettuce", this.primary)) {
			assertThat(jvm.acquire(key, attempt)).isInstanceOf(Granted.class);
			this.primary.command("DEL", NUMBER);
			this.primary.command("CONFIG", "SET", "maxmemory", "1");
			assertThat(jvm.renew(key, attempt)).isEqualTo(RenewReply.RENEWED);
			assertThat(this.primary.command("GET", NUMBER)).contains(",2,");
		}
	}

}
