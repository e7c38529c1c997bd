package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * A connection that seems dead is replaced, which a single impatient command can bring
 * about.
 */
class ReplacedConnectionTests {

	@Test
	void whatWasUnderWayOnTheOldConnectionIsAnsweredNonetheless() throws Exception {
		try (RedisServerProcess redis = RedisServerProcess.start();
				HoldingProxy proxy = new HoldingProxy(redis.port());
				StoreFixture jvm = StoreFixture.lettuce(proxy.port()).awaitSignals("replaced")) {
			int before = proxy.connections();
			proxy.hold();
			CompletionStage<AcquireReply> patient = acquire(jvm, "patient", Duration.ofSeconds(5));
			CompletionStage<AcquireReply> impatient = acquire(jvm, "impatient", Duration.ofMillis(100));
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(impatient));
			await().until(() -> proxy.connections() > before);
			assertThat(StoreFixture.get(acquire(jvm, "next", Duration.ofSeconds(1))))
				.isInstanceOf(AcquireReply.Granted.class);
			proxy.letGo();
			assertThat(StoreFixture.get(patient)).isInstanceOf(AcquireReply.Granted.class);
		}
	}

	private static CompletionStage<AcquireReply> acquire(StoreFixture jvm, String name, Duration timeout) {
		return jvm.store.acquire(new AcquireCommand(LockKey.of("replaced", name), AttemptId.random(), StoreFixture.TTL,
				1, false, timeout));
	}

}
