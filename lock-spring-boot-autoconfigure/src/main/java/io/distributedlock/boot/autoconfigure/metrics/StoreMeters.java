package io.distributedlock.boot.autoconfigure.metrics;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import org.jspecify.annotations.Nullable;

/**
 * The meters of one store.
 */
final class StoreMeters {

	private final MeterRegistry registry;

	private final String store;

	final Counter renewed;

	final Counter refused;

	final Counter failed;

	private final Map<String, NameMeters> names = new ConcurrentHashMap<>();

	StoreMeters(MeterRegistry registry, String store) {
		this.registry = registry;
		this.store = store;
		this.renewed = renewals("renewed");
		this.refused = renewals("refused");
		this.failed = renewals("failed");
	}

	private Counter renewals(String outcome) {
		return Counter.builder("lock.renewals")
			.description("Renewals of grants, by the store's answer")
			.tag("store", this.store)
			.tag("outcome", outcome)
			.register(this.registry);
	}

	@Nullable NameMeters find(String name) {
		return this.names.get(name);
	}

	NameMeters of(String name) {
		return this.names.computeIfAbsent(name, (lock) -> new NameMeters(this.registry, this.store, lock));
	}

}
