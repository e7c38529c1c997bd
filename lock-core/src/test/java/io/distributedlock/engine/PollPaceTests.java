package io.distributedlock.engine;

import java.util.concurrent.TimeUnit;

import io.distributedlock.spi.AttemptId;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link PollPace} of callers that come one at a time.
 */
class PollPaceTests {

	private static final long LONGEST = millis(50);

	private final PollPace pace = new PollPace("stock", LONGEST, 0);

	private static long millis(long millis) {
		return TimeUnit.MILLISECONDS.toNanos(millis);
	}

	/** One lease, and nobody waits for the next. */
	private long lease(long from, long to) {
		long pause = this.pace.resume(from);
		this.pace.afterLastCaller(to);
		this.pace.rest(to);
		return pause;
	}

	@Test
	void whoHasTheLockToItselfLeavesItToOthersOnceInAWhile() {
		long now = 0;
		long stepsBack = 0;
		while (now < millis(1000)) {
			long pause = lease(now, now + millis(5));
			stepsBack += (pause > 0) ? 1 : 0;
			assertThat(pause).isLessThan(LONGEST);
			now += millis(5) + pause;
		}
		assertThat(stepsBack).isBetween(3L, 4L);
	}

	@Test
	void whoLetsTheLockRestDoesNotWait() {
		for (long now = 0; now < millis(2000); now += millis(60)) {
			assertThat(lease(now, now + millis(5))).isZero();
		}
	}

	@Test
	void whoHasMetOthersLeavesTheLockToThemAfterEachTurn() {
		this.pace.afterRefusal(new Attempt(AttemptId.random()), 0);
		long now = 0;
		long turns = 0;
		while (now < millis(1000)) {
			long pause = lease(now, now + millis(5));
			assertThat(pause).isLessThanOrEqualTo(LONGEST);
			turns += (pause > 0) ? 1 : 0;
			now += millis(5) + pause;
		}
		// Fifty milliseconds for us, and about as much for them.
		assertThat(turns).isBetween(8L, 12L);
	}

	@Test
	void whatIsKnownIsKeptForASecond() {
		lease(0, millis(5));
		assertThat(this.pace.isFresh(millis(1000))).isTrue();
		assertThat(this.pace.isFresh(millis(1005))).isFalse();
	}

}
