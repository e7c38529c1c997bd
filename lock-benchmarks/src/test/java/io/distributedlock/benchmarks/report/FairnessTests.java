package io.distributedlock.benchmarks.report;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class FairnessTests {

	@Test
	void equalSharesAreFair() {
		assertThat(Fairness.jain(7, 7, 7)).isEqualTo(1.0);
	}

	@Test
	void oneThatGetsEverythingLeavesOneNth() {
		assertThat(Fairness.jain(0, 12, 0, 0)).isEqualTo(0.25);
	}

	@Test
	void unequalSharesAreInBetween() {
		// (1 + 3)^2 / (2 * (1 + 9))
		assertThat(Fairness.jain(1, 3)).isCloseTo(0.8, within(1e-12));
	}

	@Test
	void nothingIsNeitherFairNorUnfair() {
		assertThat(Fairness.jain(0, 0)).isNaN();
	}

}
