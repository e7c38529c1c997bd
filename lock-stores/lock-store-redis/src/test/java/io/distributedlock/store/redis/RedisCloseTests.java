package io.distributedlock.store.redis;

import java.time.Duration;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * What is left of a store that was closed.
 */
class RedisCloseTests {

	@Test
	void aStoreThatIsClosedLeavesNoConnectionAndNoWarningBehind() {
		Logger lettuce = (Logger) LoggerFactory.getLogger("io.lettuce");
		Level level = lettuce.getLevel();
		ListAppender<ILoggingEvent> log = new ListAppender<>();
		log.start();
		lettuce.setLevel(Level.WARN);
		lettuce.addAppender(log);
		RedisServerProcess redis = RedisServerProcess.start();
		try {
			StoreFixture fixture = StoreFixture.lettuce(redis.port());
			fixture.awaitSignals("close");
			fixture.acquire(LockKey.of("stock", 42), AttemptId.random());
			assertThat(connections(redis)).isGreaterThan(1);
			fixture.store.close();
			fixture.store.close();
			// The one that asks.
			await().atMost(Duration.ofSeconds(10)).until(() -> connections(redis) == 1);
			assertThat(log.list).isEmpty();
		}
		finally {
			lettuce.detachAppender(log);
			lettuce.setLevel(level);
			redis.close();
		}
	}

	private static long connections(RedisServerProcess redis) {
		return redis.command("CLIENT", "LIST").lines().filter((line) -> line.startsWith("id=")).count();
	}

}
