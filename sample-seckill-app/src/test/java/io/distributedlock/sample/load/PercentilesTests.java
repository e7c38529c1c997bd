package io.distributedlock.sample.load;

import java.util.stream.LongStream;

import io.distributedlock.sample.load.RunView.Percentiles;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Percentiles}.
 */
class PercentilesTests {

	@Test
	void ofAThousandTimesTheyAreTheRankedOnes() {
		long[] times = LongStream.rangeClosed(1, 1000).map((millis) -> millis * 1_000_000).toArray();
		assertThat(Percentiles.of(times)).isEqualTo(new Percentiles(500, 900, 990, 1000));
	}

	@Test
	void ofOneTimeTheyAreThatTime() {
		assertThat(Percentiles.of(new long[] { 2_345_678 })).isEqualTo(new Percentiles(2.35, 2.35, 2.35, 2.35));
	}

	@Test
	void ofNoTimeTheyAreZero() {
		assertThat(Percentiles.of(new long[0])).isEqualTo(new Percentiles(0, 0, 0, 0));
	}

}
