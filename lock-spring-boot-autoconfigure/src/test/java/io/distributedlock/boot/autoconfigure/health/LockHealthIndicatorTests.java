package io.distributedlock.boot.autoconfigure.health;

import java.time.Duration;
import java.util.Map;

import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

import static org.assertj.core.api.Assertions.assertThat;

class LockHealthIndicatorTests {

	private final ManualTicker ticker = new ManualTicker();

	private final LockHealthIndicator indicator = new LockHealthIndicator(Duration.ofMinutes(1), this.ticker);

	private final LockEvents events = new LockEvents(this.indicator);

	private final StubLease lease = StubLease.of("stock", "secret-42");

	@Test
	void itIsUpWhenNothingHappened() {
		assertThat(health().getStatus()).isEqualTo(Status.UP);
	}

	@Test
	void itIsDownWhileRenewalsFailAndSaysWhichStoreForHowLong() {
		this.indicator.onRenewals("redis", 3, 0, 0);
		this.indicator.onRenewals("jdbc", 0, 0, 3);
		this.ticker.advance(Duration.ofSeconds(10));
		this.indicator.onRenewals("jdbc", 0, 0, 3);
		assertThat(health().getStatus()).isEqualTo(Status.DOWN);
		assertThat(detail("renewals")).isEqualTo(Map.of("redis", "answered", "jdbc", "failing for 10s"));
	}

	@Test
	void itIsUpAgainWithTheFirstRenewalThatSucceeds() {
		this.indicator.onRenewals("redis", 0, 0, 3);
		this.indicator.onRenewals("redis", 3, 0, 0);
		assertThat(health().getStatus()).isEqualTo(Status.UP);
	}

	@Test
	void aStoreThatFailedWhenThereWasSomethingToRenewDoesNotCountForever() {
		this.indicator.onRenewals("redis", 0, 0, 3);
		this.ticker.advance(Duration.ofSeconds(61));
		assertThat(health().getStatus()).isEqualTo(Status.UP);
		assertThat(detail("renewals")).isEqualTo(Map.of("redis", "failed 61s ago, none since"));
	}

	@Test
	void thatThereIsNothingLeftToRenewIsNoAnswerOfTheStore() {
		this.indicator.onRenewals("redis", 0, 0, 3);
		this.indicator.onRenewals("redis", 0, 0, 0);
		assertThat(health().getStatus()).isEqualTo(Status.DOWN);
		assertThat(detail("renewals")).isEqualTo(Map.of("redis", "failing for 0s"));
	}

	@ParameterizedTest
	@EnumSource(value = LossReason.class, names = { "EXPIRED", "NOT_OWNER", "OWNER_GONE" })
	void aLeaseThatWasLostDegradesItForTheWindow(LossReason reason) {
		this.events.lost(this.lease, reason);
		this.ticker.advance(Duration.ofSeconds(59));
		assertThat(health().getStatus()).isEqualTo(LockHealthIndicator.DEGRADED);
		assertThat(detail("lost")).isEqualTo(Map.of(reason, 1));
		assertThat(detail("lostByName")).isEqualTo(Map.of("stock", 1));
		this.ticker.advance(Duration.ofSeconds(2));
		assertThat(health().getStatus()).isEqualTo(Status.UP);
	}

	@ParameterizedTest
	@EnumSource(value = LossReason.class, names = { "FORCE_RELEASED", "MAX_HOLD" })
	void aLeaseThatWasTakenAwayOnPurposeIsShownButDoesNotDegradeIt(LossReason reason) {
		this.events.lost(this.lease, reason);
		assertThat(health().getStatus()).isEqualTo(Status.UP);
		assertThat(detail("lost")).isEqualTo(Map.of(reason, 1));
	}

	@Test
	void failingRenewalsCountMoreThanALostLease() {
		this.events.lost(this.lease, LossReason.EXPIRED);
		this.indicator.onRenewals("redis", 0, 0, 3);
		assertThat(health().getStatus()).isEqualTo(Status.DOWN);
		this.indicator.onRenewals("redis", 3, 0, 0);
		assertThat(health().getStatus()).isEqualTo(LockHealthIndicator.DEGRADED);
	}

	@Test
	void detailsNameNoKey() {
		this.events.all(() -> this.lease);
		assertThat(health().getDetails().toString()).contains("stock").doesNotContain("secret");
	}

	@Test
	void manyLossesDoNotFillTheMemory() {
		for (int i = 0; i < 5000; i++) {
			this.events.lost(this.lease, LossReason.EXPIRED);
		}
		assertThat(detail("lostByName")).isEqualTo(Map.of("stock", 1000));
	}

	private Health health() {
		return this.indicator.health();
	}

	private Object detail(String name) {
		return health().getDetails().get(name);
	}

}
