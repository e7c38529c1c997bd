package io.distributedlock.boot.autoconfigure.metrics;

import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tag;
import io.micrometer.core.instrument.Timer;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;

import static org.assertj.core.api.Assertions.assertThat;

@ExtendWith(OutputCaptureExtension.class)
class LockMetricsTests {

	private final MeterRegistry registry = new SimpleMeterRegistry();

	private final LockMetrics metrics = new LockMetrics(this.registry, 200);

	private final LockEvents events = new LockEvents(this.metrics);

	private final StubLease lease = StubLease.of("stock", 42);

	@Test
	void anAcquireIsTimedWithItsOutcome() {
		this.events.acquired(this.lease);
		this.events.refused(this.lease.key(), Reason.BUSY);
		this.events.refused(this.lease.key(), Reason.TIMED_OUT);
		this.events.refused(this.lease.key(), Reason.TIMED_OUT);
		this.events.refused(this.lease.key(), Reason.PREDICTED_TIMEOUT);
		this.events.refused(this.lease.key(), Reason.INTERRUPTED);
		this.events.refused(this.lease.key(), Reason.SHUTTING_DOWN);
		this.events.failed(this.lease.key());
		assertThat(acquire("acquired").count()).isEqualTo(1);
		assertThat(acquire("acquired").totalTime(TimeUnit.MILLISECONDS)).isEqualTo(20);
		assertThat(acquire("busy").count()).isEqualTo(1);
		assertThat(acquire("timed_out").count()).isEqualTo(2);
		assertThat(acquire("predicted_timeout").count()).isEqualTo(1);
		assertThat(acquire("interrupted").count()).isEqualTo(1);
		assertThat(acquire("shutting_down").count()).isEqualTo(1);
		assertThat(acquire("error").count()).isEqualTo(1);
	}

	@Test
	void heldGoesUpWithAnAcquireAndDownWithARelease() {
		this.events.acquired(this.lease);
		this.events.acquired(StubLease.of("stock", 43));
		assertThat(value("lock.held")).isEqualTo(2);
		this.events.released(this.lease);
		assertThat(value("lock.held")).isEqualTo(1);
		assertThat(hold("released").count()).isEqualTo(1);
		assertThat(hold("released").totalTime(TimeUnit.MILLISECONDS)).isEqualTo(300);
	}

	@Test
	void aLostLeaseIsNoLongerHeldAndIsCountedByReason() {
		this.events.acquired(this.lease);
		this.events.lost(this.lease, LossReason.NOT_OWNER);
		assertThat(value("lock.held")).isZero();
		assertThat(hold("lost").count()).isEqualTo(1);
		assertThat(counter("lock.lost", "reason", "not_owner")).isEqualTo(1);
		assertThat(counter("lock.lost", "reason", "expired")).isZero();
	}

	@Test
	void waitingIsTheNumberOfThoseThatWaitNow() {
		this.metrics.onWaiting(this.lease.key(), "redis");
		this.metrics.onWaiting(this.lease.key(), "redis");
		this.metrics.onWaitingEnded(this.lease.key(), "redis");
		assertThat(value("lock.waiting")).isEqualTo(1);
	}

	@Test
	void handoffsRenewalsAndUnconfirmedReleasesAreCounted() {
		this.metrics.onLocalHandoff(this.lease.key(), "redis");
		this.metrics.onLocalHandoff(this.lease.key(), "redis");
		this.metrics.onRemoteHandoff(this.lease.key(), "redis");
		this.metrics.onReleaseUnconfirmed(this.lease, new IllegalStateException());
		this.metrics.onRenewals("redis", 30, 2, 1);
		assertThat(counter("lock.handoffs", "type", "local")).isEqualTo(2);
		assertThat(counter("lock.handoffs", "type", "remote")).isEqualTo(1);
		assertThat(this.registry.get("lock.release.unconfirmed").counter().count()).isEqualTo(1);
		assertThat(counter("lock.renewals", "outcome", "renewed")).isEqualTo(30);
		assertThat(counter("lock.renewals", "outcome", "refused")).isEqualTo(2);
		assertThat(counter("lock.renewals", "outcome", "failed")).isEqualTo(1);
	}

	@Test
	void deadlocksAreCountedAndAreAnOutcomeOfTheirOwn() {
		this.events.acquired(this.lease);
		assertThat(this.registry.get("lock.deadlocks").counter().count()).isZero();
		this.metrics.onDeadlock(this.lease.key(), "redis",
				new DeadlockDetectedException(this.lease.key(), List
					.of(new DeadlockDetectedException.Participant("jvm-1", "main", "a", "b", Duration.ofMillis(60)))),
				Duration.ofMillis(60));
		assertThat(this.registry.get("lock.deadlocks").counter().count()).isEqualTo(1);
		assertThat(acquire("deadlock").count()).isEqualTo(1);
	}

	@Test
	void whatAlertsWatchIsThereAtZeroBeforeItHappens() {
		this.events.acquired(this.lease);
		for (LossReason reason : LossReason.values()) {
			assertThat(counter("lock.lost", "reason", reason.name().toLowerCase(Locale.ROOT))).isZero();
		}
		assertThat(this.registry.get("lock.release.unconfirmed").counter().count()).isZero();
		assertThat(acquire("error").count()).isZero();
	}

	@Test
	void noMeterIsTaggedByKey() {
		this.events.all(() -> StubLease.of("stock", "secret-42"));
		assertThat(this.registry.getMeters()).isNotEmpty();
		assertThat(this.registry.getMeters()).flatExtracting((meter) -> meter.getId().getTags())
			.extracting(Tag::getValue)
			.noneMatch((value) -> value.contains("secret"));
	}

	@Test
	void tenThousandKeysOfOneNameMakeNoMoreMetersThanOne() {
		this.events.all(() -> StubLease.of("stock", 0));
		int meters = this.registry.getMeters().size();
		for (int i = 1; i < 10_000; i++) {
			Lease next = StubLease.of("stock", i);
			this.events.acquired(next);
			this.events.released(next);
		}
		assertThat(this.registry.getMeters()).hasSize(meters);
	}

	@Test
	void namesBeyondTheLimitShareOneNameAndAWarningSaysSoOnce(CapturedOutput output) {
		LockMetrics few = new LockMetrics(this.registry, 2);
		LockEvents told = new LockEvents(few);
		for (int i = 0; i < 100; i++) {
			told.acquired(StubLease.of("name-" + i, 1));
		}
		assertThat(this.registry.get("lock.held").gauges()).extracting(Meter::getId)
			.extracting((id) -> id.getTag("lock.name"))
			.containsExactlyInAnyOrder("name-0", "name-1", "other");
		assertThat(this.registry.get("lock.acquire").tags("lock.name", "other", "outcome", "acquired").timer().count())
			.isEqualTo(98);
		assertThat(output).containsOnlyOnce("distributed-lock.metrics.max-names");
	}

	@Test
	void aNameThatWasAdmittedKeepsItsMetersInASecondStore() {
		LockMetrics few = new LockMetrics(this.registry, 1);
		few.onWaiting(LockKey.of("stock", 1), "redis");
		few.onWaiting(LockKey.of("order", 1), "redis");
		few.onWaiting(LockKey.of("stock", 1), "jdbc");
		assertThat(this.registry.get("lock.waiting").tags("lock.name", "stock", "store", "jdbc").gauge().value())
			.isEqualTo(1);
	}

	@Test
	void manyThreadsLoseNoCount() throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(8);
		CountDownLatch start = new CountDownLatch(1);
		for (int t = 0; t < 8; t++) {
			threads.submit(() -> {
				start.await();
				for (int i = 0; i < 1000; i++) {
					StubLease mine = StubLease.of("name-" + (i % 10), i);
					this.events.acquired(mine);
					this.events.released(mine);
				}
				return null;
			});
		}
		start.countDown();
		threads.shutdown();
		assertThat(threads.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
		assertThat(this.registry.get("lock.acquire").tag("outcome", "acquired").timers()).hasSize(10)
			.allSatisfy((timer) -> assertThat(timer.count()).isEqualTo(800));
		assertThat(this.registry.get("lock.held").gauges()).allSatisfy((gauge) -> assertThat(gauge.value()).isZero());
	}

	private Timer acquire(String outcome) {
		return this.registry.get("lock.acquire")
			.tags("lock.name", "stock", "store", "redis", "outcome", outcome)
			.timer();
	}

	private Timer hold(String outcome) {
		return this.registry.get("lock.hold").tags("lock.name", "stock", "store", "redis", "outcome", outcome).timer();
	}

	private double value(String gauge) {
		return this.registry.get(gauge).tags("lock.name", "stock", "store", "redis").gauge().value();
	}

	private double counter(String name, String tag, String value) {
		return this.registry.get(name).tags("store", "redis", tag, value).counter().count();
	}

}
