package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Timers}.
 */
class TimersTests {

	private static final long LATER = Duration.ofHours(1).toNanos();

	private final Timers timers = new Timers("timers-test");

	private final AtomicInteger runs = new AtomicInteger();

	@AfterEach
	void close() {
		this.timers.close();
	}

	@Test
	void whatSomebodyWaitsForRunsWhenItsTimeHasComeAndThenNeverAgain() throws Exception {
		CountDownLatch ran = new CountDownLatch(1);
		this.timers.scheduleAwaited(() -> {
			this.runs.incrementAndGet();
			ran.countDown();
		}, 1);
		assertThat(ran.await(10, TimeUnit.SECONDS)).isTrue();
		this.timers.close();
		assertThat(this.runs).hasValue(1);
	}

	@Test
	void whatSomebodyWaitsForRunsWhenTheTimersAreClosedOthersDoNot() {
		this.timers.scheduleAwaited(this.runs::incrementAndGet, LATER);
		this.timers.scheduleAwaited(this.runs::incrementAndGet, LATER);
		this.timers.schedule(() -> this.runs.addAndGet(100), LATER);
		this.timers.close();
		assertThat(this.runs).hasValue(2);
	}

	@Test
	void whatSomebodyWaitsForRunsAtOnceIfTheTimersAreClosed() {
		this.timers.close();
		this.timers.scheduleAwaited(this.runs::incrementAndGet, LATER);
		this.timers.schedule(() -> this.runs.addAndGet(100), 0);
		assertThat(this.runs).hasValue(1);
	}

}
