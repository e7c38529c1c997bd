package io.distributedlock;

import java.time.Duration;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Tests for {@link LockSettings} and {@link LockRequest}.
 */
class LockSettingsTests {

	@Test
	void whatIsOpenIsFilledFromTheLowerLayer() {
		LockSettings code = LockSettings.NONE.withTtl(Duration.ofSeconds(1));
		LockSettings name = LockSettings.NONE.withTtl(Duration.ofSeconds(2))
			.withWaitTime(Duration.ofSeconds(4))
			.withRenew(false)
			.withPermits(3)
			.withStore("jdbc");
		LockSettings merged = code.orElse(name).orElse(LockSettings.DEFAULTS);
		assertThat(merged).isEqualTo(new LockSettings(Duration.ofSeconds(1), Duration.ofSeconds(4), false,
				Duration.ZERO, Duration.ofHours(1), false, false, 3, false, "jdbc"));
	}

	@Test
	void givingATtlDoesNotSwitchRenewalOff() {
		LockRequest request = LockRequest.of("stock", 42).withTtl(Duration.ofSeconds(10));
		assertThat(request.settings().orElse(LockSettings.DEFAULTS).renew()).isTrue();
	}

	@Test
	void aRequestKeepsWhatItsChangesDoNotTouch() {
		LockOwner owner = LockOwner.create("flow");
		LockRequest request = LockRequest.of("stock", 42)
			.withTtl(Duration.ofSeconds(10))
			.withWaitTime(Duration.ZERO)
			.withRenew(false)
			.withMinHold(Duration.ofSeconds(1))
			.withMaxHold(Duration.ofSeconds(20))
			.withKeep(true)
			.withFair(true)
			.withPermits(1)
			.withShed(false)
			.withMode(LockMode.READ)
			.withStore("jdbc")
			.withOwner(owner);
		assertThat(request.settings()).isEqualTo(new LockSettings(Duration.ofSeconds(10), Duration.ZERO, false,
				Duration.ofSeconds(1), Duration.ofSeconds(20), true, true, 1, false, "jdbc"));
		assertThat(request.mode()).isEqualTo(LockMode.READ);
		assertThat(request.owner()).isSameAs(owner);
		assertThat(request.key()).isEqualTo(LockKey.of("stock", 42));
		assertThat(request.withTtl(Duration.ofSeconds(5)).settings().waitTime()).isZero();
	}

	@Test
	void settingsOutOfRangeAreRefusedWithAdvice() {
		LockRequest request = LockRequest.of("stock");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withTtl(Duration.ofMillis(499)))
			.withMessageContaining("at least 500ms");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withTtl(Duration.ofDays(4000)))
			.withMessageContaining("3650d");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withWaitTime(Duration.ofMillis(-1)))
			.withMessageContaining("waitTime");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withMinHold(Duration.ofMillis(-1)))
			.withMessageContaining("minHold");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withMaxHold(Duration.ZERO))
			.withMessageContaining("maxHold");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withPermits(0)).withMessageContaining("permits");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withPermits(10_001))
			.withMessageContaining("at most 10000");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withPermits(2).withFair(true))
			.withMessageContaining("Leave out fair");
		assertThatIllegalArgumentException().isThrownBy(() -> request.withStore(" ")).withMessageContaining("store");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> request.withMinHold(Duration.ofHours(2)).settings().orElse(LockSettings.DEFAULTS))
			.withMessageContaining("longer than maxHold");
	}

}
