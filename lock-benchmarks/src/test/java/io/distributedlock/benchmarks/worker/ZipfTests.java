package io.distributedlock.benchmarks.worker;

import java.util.SplittableRandom;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class ZipfTests {

	@Test
	void theFirstKeysHaveTheSharesThatZipfsLawGivesThem() {
		Zipf zipf = new Zipf(4, 1);
		// Weights 12, 6, 4 and 3 of 25.
		assertThat(zipf.pick(0)).isEqualTo(0);
		assertThat(zipf.pick(0.479)).isEqualTo(0);
		assertThat(zipf.pick(0.481)).isEqualTo(1);
		assertThat(zipf.pick(0.719)).isEqualTo(1);
		assertThat(zipf.pick(0.721)).isEqualTo(2);
		assertThat(zipf.pick(0.879)).isEqualTo(2);
		assertThat(zipf.pick(0.881)).isEqualTo(3);
		assertThat(zipf.pick(Math.nextDown(1.0))).isEqualTo(3);
	}

	@Test
	void aThousandKeysAreAllChosenAndTheFirstTenTimesAsOftenAsTheTenth() {
		SplittableRandom random = new SplittableRandom(7);
		int[] counts = new int[Zipf.KEYS];
		for (int i = 0; i < 1_000_000; i++) {
			counts[Zipf.THOUSAND.pick(random.nextDouble())]++;
		}

		assertThat(counts).doesNotContain(0);
		assertThat((double) counts[0] / counts[9]).isCloseTo(10, within(0.5));
	}

}
