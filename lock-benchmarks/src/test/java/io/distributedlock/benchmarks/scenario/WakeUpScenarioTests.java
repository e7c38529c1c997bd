package io.distributedlock.benchmarks.scenario;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.report.RunResult;
import io.distributedlock.benchmarks.server.RedisServer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link WakeUpScenario}, and with it for worker JVMs that do tasks.
 */
class WakeUpScenarioTests {

	@Test
	void waiterInAnotherJvmIsWokenAgainAndAgain(@TempDir Path directory) throws Exception {
		try (RedisServer server = RedisServer.start()) {
			RunResult result = new WakeUpScenario().run(new Run("test", Peers.get(Peers.OURS), 1, server, Duration.ZERO,
					Duration.ofSeconds(1), Duration.ofSeconds(3), List.of(), directory.resolve("workers.log")));
			assertThat(result.sound()).isTrue();
			assertThat(result.jvms()).isEqualTo(2);
			assertThat(result.cycles()).isBetween(2L, 200L);
			assertThat(result.p50Micros()).isPositive().isLessThan(result.maxMicros() + 1);
			assertThat(result.pingMicros()).isPositive();
			assertThat(result.more()).containsKey("roundTrips");
		}
	}

}
