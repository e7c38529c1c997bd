package io.distributedlock.sample.load;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link Outcome}.
 */
class OutcomeTests {

	@ParameterizedTest
	@CsvSource({ "201, order, ORDERED", "409, sold-out, SOLD_OUT", "409, bought-already, BOUGHT_ALREADY",
			"503, busy, BUSY", "503, shed, SHED", "503, lock-store-unavailable, FAILED", "409, stale-token, STALE",
			"409, lock-lost, STALE", "500, unexpected, FAILED" })
	void answersOfTheShopAreToldApart(int status, String type, Outcome outcome) {
		assertThat(Outcome.of(status, "{\"type\":\"urn:seckill:" + type + "\"}")).isEqualTo(outcome);
	}

}
