package io.distributedlock.store.redis;

import java.time.Duration;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.store.redis.server.RedisGroup;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * One primary, one replica, three Sentinels.
 */
class RedisSentinelTests {

	private RedisGroup redis;

	@BeforeEach
	void start() {
		this.redis = RedisGroup.startWithSentinels(1);
	}

	@AfterEach
	void stop() {
		this.redis.close();
	}

	private StoreFixture connect(String client) {
		return StoreFixture.of(this.redis.behindSentinels(client));
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
			this.redis.servers().get(0).kill();
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
