package io.distributedlock.engine;

import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How callers wait for the store: what was measured to be faster is kept until the next
 * trial.
 */
class AnswerWaitTests {

	private static final int TRIAL = 2048;

	private static final int KEPT = 32 * TRIAL;

	private static final long LONG = 1_000_000;

	private static final long SHORT = 500_000;

	private final AnswerWait answerWait = new AnswerWait();

	@Test
	void parksAtFirst() {
		assertThat(yields()).isZero();
	}

	@Test
	void yieldsWhereThatMakesWaitsClearlyShorter() {
		waits(TRIAL, LONG);
		assertThat(yields()).as("the trial of yielding").isPositive();
		waits(TRIAL, SHORT);
		assertThat(yields()).as("the second trial of parking").isZero();
		waits(TRIAL, LONG);
		assertThat(yields()).isPositive();
	}

	@Test
	void parksWhereWaitsBecomeShorterAnyway() {
		waits(TRIAL, LONG);
		waits(TRIAL, SHORT);
		waits(TRIAL, SHORT / 2);
		assertThat(yields()).isZero();
	}

	@Test
	void parksWhereYieldingGainsTooLittle() {
		waits(TRIAL, LONG);
		waits(TRIAL, LONG - LONG / 20);
		waits(TRIAL, LONG);
		assertThat(yields()).isZero();
	}

	@Test
	void triesAgainAfterAWhileAndChangesItsMind() {
		waits(TRIAL, LONG);
		waits(TRIAL, SHORT);
		waits(TRIAL, LONG);
		waits(KEPT - 1, SHORT);
		assertThat(yields()).isPositive();
		waits(1, SHORT);
		assertThat(yields()).as("the trial of parking").isZero();
		waits(TRIAL, SHORT);
		waits(TRIAL, LONG);
		waits(TRIAL, SHORT);
		assertThat(yields()).isZero();
	}

	@Test
	void waitsThatBeganBeforeATrialDoNotDecideIt() {
		waits(TRIAL, SHORT);
		waits(TRIAL / 4, 100 * LONG);
		waits(TRIAL - TRIAL / 4, SHORT / 2);
		waits(TRIAL, SHORT);
		assertThat(yields()).isPositive();
	}

	@Test
	void stopsYieldingWhenItHasHappenedOrTakesTooLong() {
		waits(TRIAL, LONG);
		AtomicInteger asked = new AtomicInteger();
		this.answerWait.yieldUntil(() -> asked.incrementAndGet() == 3);
		assertThat(asked).hasValue(3);
		assertThat(yields()).isLessThan(100);
	}

	private void waits(int count, long nanos) {
		for (int i = 0; i < count; i++) {
			this.answerWait.ended(nanos);
		}
	}

	private int yields() {
		AtomicInteger asked = new AtomicInteger();
		this.answerWait.yieldUntil(() -> asked.incrementAndGet() < 0);
		return asked.get();
	}

}
