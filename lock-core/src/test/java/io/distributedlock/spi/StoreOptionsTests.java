package io.distributedlock.spi;

import java.time.Duration;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link StoreOptions}.
 */
class StoreOptionsTests {

	@Test
	void eachStoreHasANameOfItsOwnThatPassesTheCheck() {
		String one = StoreOptions.newInstanceId();
		assertThat(StoreOptions.checkInstanceId(one)).isEqualTo(one).isNotEqualTo(StoreOptions.newInstanceId());
	}

	@ParameterizedTest
	@ValueSource(strings = { "", " ", "a b", "a:b", "a/b", "a\n", "\u00e9" })
	void aNameThatCannotBeUsedIsRefusedWithWhatCan(String instanceId) {
		assertThatIllegalArgumentException().isThrownBy(() -> StoreOptions.checkInstanceId(instanceId))
			.withMessageContaining("'" + instanceId + "'")
			.withMessageContaining("Use 1 to 128 letters");
	}

	@Test
	void aNameMayHave128Characters() {
		assertThat(StoreOptions.checkInstanceId("a".repeat(128))).hasSize(128);
		assertThatIllegalArgumentException().isThrownBy(() -> StoreOptions.checkInstanceId("a".repeat(129)));
	}

	@Test
	void aTimeBelowTenMillisecondsIsRefusedByName() {
		Duration ten = Duration.ofMillis(10);
		assertThat(StoreOptions.checkNotTooShort("reservation", ten)).isEqualTo(ten);
		assertThatIllegalArgumentException()
			.isThrownBy(() -> StoreOptions.checkNotTooShort("reservation", ten.minusNanos(1)))
			.withMessage("The reservation of 9 ms is too short. Use at least 10 ms.");
	}

}
