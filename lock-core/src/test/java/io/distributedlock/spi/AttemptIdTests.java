package io.distributedlock.spi;

import java.util.HashSet;
import java.util.Set;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link AttemptId}.
 */
class AttemptIdTests {

	@Test
	void idsDifferAndSurviveTheirText() {
		Set<AttemptId> ids = new HashSet<>();
		for (int i = 0; i < 10_000; i++) {
			AttemptId id = AttemptId.random();
			assertThat(id.toString()).hasSize(AttemptId.TEXT_LENGTH).matches("[A-Za-z0-9_-]+");
			assertThat(AttemptId.parse(id.toString())).isEqualTo(id);
			ids.add(id);
		}
		assertThat(ids).hasSize(10_000);
	}

	@Test
	void aTextThatIsNoIdIsRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> AttemptId.parse("short"));
		assertThatIllegalArgumentException().isThrownBy(() -> AttemptId.parse("!".repeat(22)));
	}

}
