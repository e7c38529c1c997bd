package io.distributedlock.store.redis;

import java.time.Duration;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.redis.server.RedisGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * A primary behind a name or a proxy that becomes a replica: its connections stay open,
 * and new ones lead to the next primary.
 */
class DemotedPrimaryTests {

	@ParameterizedTest
	@CsvSource({ "lettuce,0", "lettuce,1", "jedis,0", "jedis,1" })
	void connectionsToADemotedPrimaryAreReplaced(String client, int replicas) {
		try (RedisGroup redis = RedisGroup.start(1); MuteProxy proxy = new MuteProxy(redis.servers().get(0).port())) {
			try (StoreFixture jvm = new StoreFixture(
					RedisLockStore.builder(connections(client, proxy.port())).waitReplicas(replicas).build())) {
				LockKey key = LockKey.of("moved", 1);
				AttemptId before = AttemptId.random();
				assertThat(jvm.acquire(key, before)).isInstanceOf(AcquireReply.Granted.class);
				jvm.release(key, before);
				RedisServerProcess old = redis.servers().get(0);
				RedisServerProcess next = redis.servers().get(1);
				next.command("REPLICAOF", "NO", "ONE");
				old.command("REPLICAOF", "127.0.0.1", String.valueOf(next.port()));
				RedisGroup.awaitFollowers(next, 1);
				proxy.leadTo(next.port());
				await().atMost(Duration.ofSeconds(10))
					.ignoreExceptions()
					.until(() -> jvm.acquireAgain(key, AttemptId.random()) instanceof AcquireReply.Granted);
			}
		}
	}

	private static RedisConnectionFactory connections(String client, int port) {
		return client.equals("jedis") ? new JedisConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", port))
				: StoreFixture.lettuceFactory(port);
	}

}
