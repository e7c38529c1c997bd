package io.distributedlock.store.zookeeper;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How long a session is known to live. Times are in seconds: the tick is 2, so a touch
 * counts once it was answered 1.5 before a write that succeeds.
 */
class TouchesTests {

	private final Touches touches = new Touches(Duration.ofSeconds(2), Duration.ofSeconds(34));

	private static long at(double seconds) {
		return Math.round(seconds * 1_000_000_000L);
	}

	private double livesUntil(double write) {
		return this.touches.livesUntil(at(write)) / 1e9;
	}

	@Test
	void connectingCountsAtOnce() {
		this.touches.connected(at(100));
		assertThat(livesUntil(100.1)).isEqualTo(134);
	}

	@Test
	void aTouchCountsOnlyWhenItHasHadTheTimeToReachTheLeader() {
		this.touches.connected(at(100));
		this.touches.answered(at(101), at(101.2));
		assertThat(livesUntil(102.6)).isEqualTo(134);
		assertThat(livesUntil(102.7)).isEqualTo(135);
	}

	@Test
	void theLatestOfThoseCountsFromItsSending() {
		this.touches.connected(at(100));
		for (int i = 1; i <= 30; i++) {
			this.touches.answered(at(100 + i), at(100.1 + i));
		}
		assertThat(livesUntil(130.2)).isEqualTo(128 + 34);
	}

	@Test
	void afterAPauseNothingNewIsKnownForAWhile() {
		this.touches.connected(at(100));
		this.touches.answered(at(101), at(101.1));
		this.touches.answered(at(120), at(120.1));
		assertThat(livesUntil(120.2)).isEqualTo(135);
		assertThat(livesUntil(121.6)).isEqualTo(154);
	}

	@Test
	void whatAnEarlierServerWasToldDoesNotCountAnyMore() {
		this.touches.connected(at(100));
		this.touches.answered(at(109), at(109.1));
		this.touches.connected(at(105));
		assertThat(livesUntil(120)).isEqualTo(139);
		this.touches.answered(at(104), at(112));
		assertThat(livesUntil(120)).as("sent over the earlier connection").isEqualTo(139);
	}

}
