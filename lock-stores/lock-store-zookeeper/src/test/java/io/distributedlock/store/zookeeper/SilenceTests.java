package io.distributedlock.store.zookeeper;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * When a connection is given up. Times are in seconds: the tick is 2, so touches are sent
 * every second, and a sixth of the ttl is 5.
 */
class SilenceTests {

	private final Silence silence = new Silence(Duration.ofSeconds(2), Duration.ofSeconds(30));

	private boolean sent(double seconds) {
		return this.silence.sent(Math.round(seconds * 1_000_000_000L));
	}

	@Test
	void aServerThatAnswersNothingForASixthOfTheTtlIsGivenUp() {
		for (int second = 100; second <= 105; second++) {
			assertThat(sent(second)).as("after %s s", second - 100).isFalse();
		}
		assertThat(sent(106)).isTrue();
	}

	@Test
	void anyAnswerBeginsACountAnew() {
		for (int second = 100; second <= 105; second++) {
			sent(second);
		}
		this.silence.broken();
		for (int second = 106; second <= 111; second++) {
			assertThat(sent(second)).isFalse();
		}
		assertThat(sent(112)).isTrue();
	}

	@Test
	void aPauseOfThisJvmIsNotTheServersSilence() {
		sent(100);
		sent(101);
		// Touches that were to be sent meanwhile are sent at once.
		assertThat(sent(160)).isFalse();
		assertThat(sent(160.1)).isFalse();
		assertThat(sent(160.2)).isFalse();
		assertThat(sent(161)).isFalse();
	}

	@Test
	void aShortTtlLeavesTheServerAtLeastATick() {
		Silence shortest = new Silence(Duration.ofSeconds(2), Duration.ofMillis(500));
		long second = 1_000_000_000L;
		assertThat(shortest.sent(100 * second)).isFalse();
		assertThat(shortest.sent(102 * second)).isFalse();
		assertThat(shortest.sent(103 * second)).isTrue();
	}

}
