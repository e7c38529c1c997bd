package io.distributedlock.store.redis;

import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.store.redis.FailoverExperiment.Demand;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What failovers do to locks that wait for all replicas, and to locks that do not.
 * {@code -Dlock.test.failovers=20} makes more of them.
 */
class RedisFailoverTests {

	private static final Logger logger = LoggerFactory.getLogger(RedisFailoverTests.class);

	private static final int FAILOVERS = Integer.getInteger("lock.test.failovers", 1);

	@Test
	void grantsThatAllReplicasHaveAreNeverGivenTwice() {
		try (FailoverExperiment experiment = new FailoverExperiment(Demand.ALL, false)) {
			experiment.run(FAILOVERS);
			logger.info("{}", experiment);
			assertThat(experiment.holders().doubleGrants()).isZero();
			assertThat(experiment.holders().fallenTokens()).isZero();
			assertThat(experiment.refusedWhileBehind()).isPositive();
			assertThat(experiment.heldThroughout()).isEqualTo(FAILOVERS);
		}
	}

	@Test
	void grantsThatTheNumberOfReplicasHasAreNeverGivenTwice() {
		try (FailoverExperiment experiment = new FailoverExperiment(Demand.THE_NUMBER, false)) {
			experiment.run(FAILOVERS);
			logger.info("{}", experiment);
			assertThat(experiment.holders().doubleGrants()).isZero();
			assertThat(experiment.holders().fallenTokens()).isZero();
			assertThat(experiment.refusedWhileBehind()).isPositive();
		}
	}

	@Test
	void withoutReplicasTokensRiseAndTheFenceRefusesTheEarlierHolder() {
		try (FailoverExperiment experiment = new FailoverExperiment(Demand.NONE, false)) {
			experiment.run(FAILOVERS);
			logger.info("{}", experiment);
			assertThat(experiment.holders().fallenTokens()).isZero();
			// Proves that the experiment can find what the other has none of.
			assertThat(experiment.holders().doubleGrants()).isPositive();
			assertThat(experiment.holders().refusedWrites()).isEqualTo(experiment.holders().doubleGrants());
		}
	}

	@Test
	void anOldPrimaryThatWakesUpGrantsNothingIfItNeedsItsReplicas() {
		try (FailoverExperiment experiment = new FailoverExperiment(Demand.ALL, true)) {
			experiment.run(FAILOVERS);
			logger.info("{}", experiment);
			assertThat(experiment.grantsOfOldPrimary()).isZero();
			assertThat(experiment.refusedByOldPrimary()).isPositive();
			assertThat(experiment.holders().doubleGrants()).isZero();
			assertThat(experiment.holders().fallenTokens()).isZero();
		}
	}

	@Test
	void ofTwoHoldersThatAnOldPrimaryMakesTheFenceRefusesOne() {
		try (FailoverExperiment experiment = new FailoverExperiment(Demand.NONE, true)) {
			experiment.run(FAILOVERS);
			logger.info("{}", experiment);
			assertThat(experiment.holders().fallenTokens()).isZero();
			assertThat(experiment.grantsOfOldPrimary()).isPositive();
			assertThat(experiment.holders().doubleGrants()).isPositive();
			assertThat(experiment.holders().refusedWrites()).isEqualTo(experiment.holders().doubleGrants());
		}
	}

}
