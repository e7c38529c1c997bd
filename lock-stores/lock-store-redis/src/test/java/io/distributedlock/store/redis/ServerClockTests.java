package io.distributedlock.store.redis;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.data.Offset.offset;

class ServerClockTests {

	private static final long MILLI = 1_000_000;

	private final ServerClock clock = new ServerClock();

	@Test
	void unknownClockGivesALimitThatIsLongPast() {
		assertThat(this.clock.at(System.nanoTime())).isZero();
	}

	@Test
	void estimateIsNeverLaterThanTheServersClock() {
		// The server's clock is 1 s ahead; answers take 1 ms there and 3 ms back.
		for (int i = 0; i < 10_000; i++) {
			long sent = i * 10 * MILLI;
			this.clock.observe(server(sent + MILLI), sent, sent + 4 * MILLI);
			long later = sent + 500 * MILLI;
			assertThat(this.clock.at(later)).isLessThanOrEqualTo(server(later))
				.isCloseTo(server(later), offset(3_300L));
		}
	}

	@Test
	void fasterAnswerMakesItBetterAndASlowerOneNotMuchWorse() {
		this.clock.observe(server(0), 0, 20 * MILLI);
		assertThat(this.clock.at(30 * MILLI)).isCloseTo(server(10 * MILLI), offset(100L));
		this.clock.observe(server(40 * MILLI), 40 * MILLI, 41 * MILLI);
		assertThat(this.clock.at(50 * MILLI)).isCloseTo(server(49 * MILLI), offset(100L));
		this.clock.observe(server(60 * MILLI), 60 * MILLI, 90 * MILLI);
		assertThat(this.clock.at(100 * MILLI)).isCloseTo(server(99 * MILLI), offset(100L));
	}

	@Test
	void clockThatWasSetBackIsBelievedAtOnce() {
		this.clock.observe(server(0), 0, MILLI);
		this.clock.observe(server(10 * MILLI) - 3_600_000_000L, 10 * MILLI, 11 * MILLI);
		assertThat(this.clock.at(11 * MILLI)).isEqualTo(server(10 * MILLI) - 3_600_000_000L);
	}

	@Test
	void clockThatWasSetForwardIsBelievedAtOnce() {
		this.clock.observe(server(0), 0, MILLI);
		this.clock.observe(server(10 * MILLI) + 3_600_000_000L, 10 * MILLI, 11 * MILLI);
		assertThat(this.clock.at(11 * MILLI)).isEqualTo(server(10 * MILLI) + 3_600_000_000L);
	}

	private static long server(long nanoTime) {
		return 1_795_000_000_000_000L + nanoTime / 1000;
	}

}
