package io.distributedlock.boot.autoconfigure.metrics;

import java.util.EnumMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;

import io.distributedlock.LossReason;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;

/**
 * The meters of one lock name in one store.
 * <p>
 * What alerts watch is registered at zero from the start: a counter that appears with its
 * first increment shows no increase to Prometheus. Timers of refusals are registered when
 * they are needed, since most locks never see most of them.
 */
final class NameMeters {

	private final MeterRegistry registry;

	private final Tags tags;

	final LongAdder held = new LongAdder();

	final LongAdder waiting = new LongAdder();

	final Timer holdReleased;

	final Timer holdLost;

	final Counter releaseUnconfirmed;

	final Counter deadlocks;

	final Counter degraded;

	final Counter localHandoffs;

	final Counter remoteHandoffs;

	private final AtomicReferenceArray<Timer> acquire = new AtomicReferenceArray<>(AcquireOutcome.values().length);

	private final Map<LossReason, Counter> lost = new EnumMap<>(LossReason.class);

	NameMeters(MeterRegistry registry, String store, String name) {
		this.registry = registry;
		this.tags = Tags.of("lock.name", name, "store", store);
		this.holdReleased = hold("released");
		this.holdLost = hold("lost");
		this.releaseUnconfirmed = Counter.builder("lock.release.unconfirmed")
			.description("Releases that the store did not confirm in time")
			.tags(this.tags)
			.register(registry);
		this.deadlocks = Counter.builder("lock.deadlocks")
			.description("Callers that gave up since they and others waited for each other")
			.tags(this.tags)
			.register(registry);
		this.degraded = Counter.builder("lock.degraded")
			.description("Leases of this instance only, taken because the store was out")
			.tags(this.tags)
			.register(registry);
		this.localHandoffs = handoffs("local");
		this.remoteHandoffs = handoffs("remote");
		for (LossReason reason : LossReason.values()) {
			this.lost.put(reason,
					Counter.builder("lock.lost")
						.description("Leases that were gone before their holder gave them back")
						.tags(this.tags)
						.tag("reason", reason.name().toLowerCase(Locale.ROOT))
						.register(registry));
		}
		gauge("lock.held", "Locks that this instance holds", this.held);
		gauge("lock.waiting", "Callers of this instance that wait for a lock", this.waiting);
		acquire(AcquireOutcome.ACQUIRED);
		acquire(AcquireOutcome.ERROR);
	}

	private Timer hold(String outcome) {
		return Timer.builder("lock.hold")
			.description("Time that locks were held")
			.tags(this.tags)
			.tag("outcome", outcome)
			.register(this.registry);
	}

	private Counter handoffs(String type) {
		return Counter.builder("lock.handoffs")
			.description("Locks that went to the next waiter without being free between")
			.tags(this.tags)
			.tag("type", type)
			.register(this.registry);
	}

	private void gauge(String name, String description, LongAdder value) {
		// A sum that is read while others write may be off by a few for a moment, but
		// never should a graph show fewer than none.
		Gauge.builder(name, value, (adder) -> Math.max(0, adder.sum()))
			.description(description)
			.tags(this.tags)
			.strongReference(true)
			.register(this.registry);
	}

	Timer acquire(AcquireOutcome outcome) {
		Timer timer = this.acquire.get(outcome.ordinal());
		if (timer == null) {
			timer = Timer.builder("lock.acquire")
				.description("Time from the call for a lock to its outcome")
				.tags(this.tags)
				.tag("outcome", outcome.tag())
				.register(this.registry);
			this.acquire.set(outcome.ordinal(), timer);
		}
		return timer;
	}

	Counter lost(LossReason reason) {
		Counter counter = this.lost.get(reason);
		if (counter == null) {
			throw new IllegalStateException("Every reason has a counter, but not " + reason);
		}
		return counter;
	}

}
