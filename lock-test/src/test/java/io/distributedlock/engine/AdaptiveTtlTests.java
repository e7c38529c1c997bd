package io.distributedlock.engine;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.TimeUnit;

import io.distributedlock.AdaptiveTtl;
import io.distributedlock.Lease;
import io.distributedlock.LockInspector.ObservedHoldTime;
import io.distributedlock.LockLostException;
import io.distributedlock.LockPolicy;
import io.distributedlock.LockRequest;
import io.distributedlock.OnOutage;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * The ttl of leases without renewal follows the hold times.
 */
class AdaptiveTtlTests extends EngineFixture {

	private static final Duration CONFIGURED = Duration.ofSeconds(30);

	private final ManualTicker ticker = new ManualTicker();

	private final LockEngine adapting = engine((builder) -> builder.store(this.server.connect("adapting"))
		.ticker(this.ticker)
		.policies((name) -> name.equals("stock")
				? new LockPolicy(new AdaptiveTtl(Duration.ofSeconds(1), Duration.ofMinutes(1), 2), OnOutage.FAIL)
				: LockPolicy.DEFAULT));

	private static LockRequest request() {
		return stock().withRenew(false);
	}

	/** The deadline of a lease lies a little before the end of its ttl. */
	private Duration ttl() {
		try (Lease lease = this.adapting.acquire(request())) {
			return lease.remaining();
		}
	}

	private void hold(int times, Duration each) {
		for (int i = 0; i < times; i++) {
			Lease lease = this.adapting.acquire(request());
			this.ticker.advance(each);
			lease.close();
		}
	}

	private ObservedHoldTime observed() {
		return this.adapting.observedHoldTimes().get(0);
	}

	@Test
	void theConfiguredTtlCountsUntilEnoughIsKnown() {
		hold(ObservedTtl.ENOUGH - 2, Duration.ofSeconds(4));
		assertThat(ttl()).isBetween(Duration.ofSeconds(29), CONFIGURED);
		assertThat(observed().ttl()).isNull();
		hold(1, Duration.ofSeconds(4));
		assertThat(ttl()).isBetween(Duration.ofMillis(7800), Duration.ofMillis(8800));
		assertThat(observed().ttl()).isBetween(Duration.ofSeconds(8), Duration.ofMillis(8800));
		assertThat(observed().quantile()).isBetween(Duration.ofSeconds(4), Duration.ofMillis(4400));
		assertThat(observed().holds()).isGreaterThanOrEqualTo(ObservedTtl.ENOUGH);
	}

	@Test
	void aTtlThatTheCodeInsistsOnIsNotReplaced() {
		hold(150, Duration.ofSeconds(4));
		try (Lease lease = this.adapting.acquire(request().withTtl(Duration.ofSeconds(3)))) {
			assertThat(lease.remaining()).isBetween(Duration.ofMillis(2900), Duration.ofSeconds(3));
		}
		try (Lease lease = this.adapting.acquire(stock().withTtl(Duration.ofSeconds(3)).withRenew(true))) {
			assertThat(lease.remaining()).isBetween(Duration.ofMillis(2900), Duration.ofSeconds(3));
		}
		assertThat(ttl()).isGreaterThan(Duration.ofMillis(7800));
	}

	@Test
	void aDeclaredTtlIsReplaced() {
		LockRequest declared = request().withTtl(Duration.ofSeconds(3)).asDeclared();
		try (Lease lease = this.adapting.acquire(declared)) {
			assertThat(lease.remaining()).isBetween(Duration.ofMillis(2900), Duration.ofSeconds(3));
		}
		hold(150, Duration.ofSeconds(4));
		try (Lease lease = this.adapting.acquire(declared)) {
			assertThat(lease.remaining()).isBetween(Duration.ofMillis(7800), Duration.ofMillis(8800));
		}
	}

	@Test
	void theTtlStaysWithinItsBounds() {
		hold(150, Duration.ofMillis(2));
		assertThat(ttl()).isBetween(Duration.ofMillis(980), Duration.ofSeconds(1));
		assertThat(observed().ttl()).isEqualTo(Duration.ofSeconds(1));
		for (int i = 0; i < 12; i++) {
			expire(Duration.ofMinutes(10));
		}
		assertThat(observed().ttl()).isEqualTo(Duration.ofMinutes(1));
	}

	private void expire(Duration work) {
		Lease lease = this.adapting.acquire(request());
		this.ticker.advance(work);
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::close);
	}

	@Test
	void aLostLeaseRaisesTheTtlAtOnceAndItsRealLengthWhenItsWorkEnds() {
		hold(200, Duration.ofSeconds(1));
		assertThat(observed().ttl()).isLessThan(Duration.ofMillis(2300));
		Duration before = observed().ttl();
		Lease lease = this.adapting.acquire(request());
		this.ticker.advance(Duration.ofSeconds(3));
		assertThat(lease.isHeld()).isFalse();
		eventually().until(() -> this.adapting.held().isEmpty());
		eventually().untilAsserted(() -> assertThat(observed().ttl()).isGreaterThanOrEqualTo(before.multipliedBy(2)));
		this.ticker.advance(Duration.ofSeconds(7));
		assertThatExceptionOfType(LockLostException.class).isThrownBy(lease::close);
		// It took ten seconds; twice that is the margin.
		assertThat(observed().ttl()).isBetween(Duration.ofSeconds(20), Duration.ofSeconds(22));
	}

	@Test
	void aLostLeaseCountsAlsoBeforeEnoughIsKnown() {
		expire(Duration.ofSeconds(40));
		eventually().untilAsserted(() -> assertThat(ttl()).isGreaterThan(Duration.ofSeconds(58)));
	}

	@Test
	void theTtlFollowsWorkThatBecomesFasterAndSlower() {
		hold(300, Duration.ofSeconds(10));
		assertThat(observed().ttl()).isBetween(Duration.ofSeconds(20), Duration.ofSeconds(22));
		hold(30_000, Duration.ofMillis(900));
		assertThat(observed().ttl()).isLessThan(Duration.ofSeconds(2));
		hold(200, Duration.ofMillis(1500));
		assertThat(observed().ttl()).isGreaterThanOrEqualTo(Duration.ofSeconds(3));
	}

	@Test
	void otherNamesAreLeftAlone() {
		try (Lease lease = this.adapting.acquire(LockRequest.of("other").withRenew(true).withTtl(CONFIGURED))) {
			assertThat(lease.remaining()).isGreaterThan(Duration.ofSeconds(29));
		}
		assertThat(this.adapting.observedHoldTimes()).isEmpty();
	}

	@Test
	void renewalAndKeepAreRefused() {
		assertThatIllegalArgumentException().isThrownBy(() -> this.adapting.check(request().withRenew(true)))
			.withMessageContaining("Set renew = false");
		assertThatIllegalArgumentException().isThrownBy(() -> this.adapting.check(request().withKeep(true)))
			.withMessageContaining("keep = true and adaptive-ttl");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> new AdaptiveTtl(Duration.ofMillis(100), Duration.ofSeconds(1), 2))
			.withMessageContaining("adaptive-ttl.min");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> new AdaptiveTtl(Duration.ofSeconds(2), Duration.ofSeconds(1), 2))
			.withMessageContaining("adaptive-ttl.max");
		assertThatIllegalArgumentException()
			.isThrownBy(() -> new AdaptiveTtl(Duration.ofSeconds(1), Duration.ofSeconds(2), 1))
			.withMessageContaining("adaptive-ttl.margin");
	}

	@Test
	void quantilesAreNeverTooLowAndAtMostNinePercentTooHigh() {
		Random random = new Random(7);
		for (int round = 0; round < 200; round++) {
			HoldTimes times = new HoldTimes();
			long longest = 0;
			for (int i = 0; i < 500; i++) {
				long nanos = TimeUnit.MILLISECONDS.toNanos(1) + (long) (Math.pow(10, 6 + 5 * random.nextDouble()));
				longest = Math.max(longest, nanos);
				times.add(nanos);
			}
			assertThat(times.quantile(0.999)).isBetween(longest, (long) (longest * 1.0906));
		}
	}

}
