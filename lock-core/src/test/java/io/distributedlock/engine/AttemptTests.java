package io.distributedlock.engine;

import java.time.Duration;

import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Attempt}.
 */
class AttemptTests {

	private static final long LONGEST = 400_000_000;

	private final Attempt attempt = new Attempt(AttemptId.random());

	private static StoreException outage(boolean mayHaveExecuted) {
		return new StoreException("The store is out.", mayHaveExecuted, true, null);
	}

	@Test
	void aNewAttemptHasNothingInTheStore() {
		assertThat(this.attempt.mayHaveTraces).isFalse();
		assertThat(this.attempt.isHaunted(0)).isFalse();
		assertThat(this.attempt.refused).isFalse();
	}

	@Test
	void aQuestionWithoutAnAnswerMayLeaveSomethingUntilItsTimeoutIsOver() {
		StoreException outage = outage(true);
		this.attempt.failed(outage, 100);
		assertThat(this.attempt.outage).isSameAs(outage);
		assertThat(this.attempt.mayHaveTraces).isTrue();
		assertThat(this.attempt.isHaunted(99)).isTrue();
		assertThat(this.attempt.isHaunted(100)).isFalse();
		assertThat(this.attempt.ghostUntil()).isEqualTo(100);
	}

	@Test
	void aQuestionThatWasNotExecutedLeavesNothing() {
		this.attempt.failed(outage(false), 100);
		assertThat(this.attempt.outage).isNotNull();
		assertThat(this.attempt.mayHaveTraces).isFalse();
		assertThat(this.attempt.isHaunted(0)).isFalse();
	}

	@Test
	void theLastCommandThatMayBeExecutedCounts() {
		this.attempt.failed(outage(true), 200);
		this.attempt.failed(outage(true), 100);
		this.attempt.unanswered(outage(false), 300);
		assertThat(this.attempt.ghostUntil()).isEqualTo(200);
		this.attempt.haunted(400);
		assertThat(this.attempt.ghostUntil()).isEqualTo(400);
	}

	@Test
	void anAnswerEndsTheOutageButNotItsGhosts() {
		this.attempt.failed(outage(true), 100);
		this.attempt.refused(new AcquireReply.Refused("jvm-2", Duration.ofSeconds(1), true));
		assertThat(this.attempt.outage).isNull();
		assertThat(this.attempt.isHaunted(99)).isTrue();
		assertThat(this.attempt.refused && this.attempt.refusedByStore).isTrue();
		assertThat(this.attempt.holder).isEqualTo("held by jvm-2");
	}

	@Test
	void aHolderThatIsNotKnownIsNotTold() {
		this.attempt.refused(new AcquireReply.Refused(null, Duration.ZERO, false));
		assertThat(this.attempt.holder).isEmpty();
	}

	@Test
	void pausesDoubleUpToTheLongestAndAreShortenedByChance() {
		long expected = 10_000_000;
		for (int i = 0; i < 100; i++) {
			assertThat(this.attempt.pauseToPoll(LONGEST)).isBetween(expected - expected / 4, expected);
			expected = Math.min(LONGEST, 2 * expected);
		}
	}

	@Test
	void noPauseIsAboveAShortLimit() {
		assertThat(this.attempt.pauseToPoll(1_000_000)).isBetween(750_000L, 1_000_000L);
	}

}
