package io.distributedlock.benchmarks.server;

import java.io.IOException;
import java.util.concurrent.CountDownLatch;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class RedisServerTests {

	private final RedisServer server = RedisServer.start();

	@AfterEach
	void stop() {
		this.server.close();
	}

	@Test
	void commandsInsideOfScriptsCount() throws IOException {
		try (RedisConnection client = new RedisConnection(this.server.address())) {
			Counters before = this.server.counters();
			client.command("SET", "a", "1");
			client.command("EVAL", "redis.call('get', 'a'); return redis.call('del', 'a')", "0");

			assertThat(this.server.counters().since(before).commands()).isEqualTo(4);
		}
	}

	@Test
	void whatTheServerIsAskedForMeasuringDoesNotCount() {
		Counters before = this.server.counters();
		for (int i = 0; i < 10; i++) {
			assertThat(this.server.ping()).isPositive();
		}

		assertThat(this.server.counters().since(before).commands()).isZero();
		assertThat(this.server.version()).startsWith("Redis 7");
	}

	@Test
	void timeInsideOfScriptsIsNotCountedTwice() throws Exception {
		String slow = "local sum = 0; for i = 1, 300 do redis.call('sort', 'list') end; return sum";
		try (RedisConnection client = new RedisConnection(this.server.address())) {
			client.command("EVAL", "for i = 1, 1000 do redis.call('rpush', 'list', i) end return 1", "0");
			double twice = millisOf(client, slow);
			CountDownLatch looking = new CountDownLatch(1);
			Thread look = new Thread(() -> {
				looking.countDown();
				this.server.learn();
			});
			look.start();
			looking.await();
			while (look.isAlive()) {
				client.command("EVAL", "return redis.call('sort', 'list')[1]", "0");
			}
			double once = millisOf(client, slow);

			assertThat(once / twice).isBetween(0.3, 0.75);
		}
	}

	/** The least of some, since Redis measures also how long a busy machine stops it. */
	private double millisOf(RedisConnection client, String script) throws IOException {
		double least = Double.MAX_VALUE;
		for (int i = 0; i < 7; i++) {
			Counters before = this.server.counters();
			client.command("EVAL", script, "0");
			least = Math.min(least, this.server.counters().since(before).commandMicros() / 1000);
		}
		return least;
	}

}
