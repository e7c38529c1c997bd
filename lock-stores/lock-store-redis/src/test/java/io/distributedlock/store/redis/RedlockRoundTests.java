package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * When a vote is over, if servers answer faster than the next ones can be asked.
 */
class RedlockRoundTests {

	private static final RedlockRound.Offer YES = RedlockRound.Offer.of(100, 1);

	private static final RedlockRound.Offer NO = RedlockRound.Offer.none("other", Duration.ofSeconds(1));

	private final List<String> log = new ArrayList<>();

	@Test
	void aGrantHasNotAllAnswersWhileServersAreStillToBeAsked() {
		new AnsweredAtOnce(YES).start(Long.MAX_VALUE);
		assertThat(this.log).containsExactly("agreed, not all", "late, not all", "late, all");
	}

	@Test
	void aRefusalHasAllAnswersSinceNobodyElseIsAsked() {
		new AnsweredAtOnce(NO).start(Long.MAX_VALUE);
		assertThat(this.log).containsExactly("impossible, all");
	}

	@Test
	void aVoteThatNobodyCanBeAskedForHasAllAnswers() {
		new AnsweredAtOnce(null).start(Long.MAX_VALUE);
		assertThat(this.log).containsExactly("impossible, all");
	}

	private static RedlockNodes servers() {
		return new RedlockNodes(IntStream.range(0, 5).mapToObj((i) -> RedlockNodesTests.node(i + 1)).toList(),
				1_000_000_000);
	}

	private final class AnsweredAtOnce extends RedlockRound {

		private final RedlockRound.Offer answer;

		AnsweredAtOnce(RedlockRound.Offer answer) {
			super(servers(), LockKey.of("stock"), AttemptId.random(), Duration.ofSeconds(10), Long.MAX_VALUE);
			this.answer = answer;
		}

		private void log(String event) {
			RedlockRoundTests.this.log.add(event + (hasAllAnswers() ? ", all" : ", not all"));
		}

		@Override
		CompletableFuture<Offer> ask(RedlockNode node, long until) {
			return (this.answer != null) ? CompletableFuture.completedFuture(this.answer)
					: CompletableFuture.failedFuture(new StoreException("away", false, true, null));
		}

		@Override
		long firstToWrite(long first) {
			return first;
		}

		@Override
		void agreed(long first, int tokens) {
			log("agreed");
		}

		@Override
		void impossible() {
			log("impossible");
		}

		@Override
		void unconfirmed() {
			log("unconfirmed");
		}

		@Override
		void late(Voter voter) {
			log("late");
		}

	}

}
