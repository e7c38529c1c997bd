package io.distributedlock.benchmarks.report;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

class SpreadTests {

	@Test
	void medianOfAnOddNumberIsTheOneInTheMiddle() {
		assertThat(Spread.of(9, 1, 5)).isEqualTo(new Spread(1, 5, 9));
	}

	@Test
	void medianOfAnEvenNumberIsTheMeanOfTwo() {
		assertThat(Spread.of(9, 1, 5, 2)).isEqualTo(new Spread(1, 3.5, 9));
	}

	@Test
	void nothingHasNoSpread() {
		assertThatIllegalArgumentException().isThrownBy(Spread::of);
	}

	@Test
	void figuresHaveAboutThreeDigits() {
		assertThat(Spread.format(12345.6)).isEqualTo("12,346");
		assertThat(Spread.format(12.345)).isEqualTo("12.3");
		assertThat(Spread.format(1.2345)).isEqualTo("1.23");
		assertThat(Spread.format(0.12345)).isEqualTo("0.123");
		assertThat(Spread.format(Double.NaN)).isEqualTo("-");
	}

}
