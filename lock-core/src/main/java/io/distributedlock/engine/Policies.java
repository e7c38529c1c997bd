package io.distributedlock.engine;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.function.Function;

import io.distributedlock.AdaptiveTtl;
import io.distributedlock.Lease;
import io.distributedlock.LockInspector.ObservedHoldTime;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockPolicy;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LossReason;
import io.distributedlock.OnOutage;
import org.jspecify.annotations.Nullable;

/**
 * The policies of lock names: what they change in settings, and what is learnt for them.
 */
final class Policies implements LockListener {

	/** Names are meant to be few; further ones are looked up each time. */
	private static final int MAX_NAMES = 1000;

	private final @Nullable Function<String, LockPolicy> byName;

	private final ConcurrentMap<String, Entry> entries = new ConcurrentHashMap<>();

	Policies(@Nullable Function<String, LockPolicy> byName) {
		this.byName = byName;
	}

	/**
	 * A policy with what was learnt for it.
	 */
	private record Entry(LockPolicy policy, @Nullable ObservedTtl ttl) {

		private static final Entry DEFAULT = new Entry(LockPolicy.DEFAULT, null);

		static Entry of(LockPolicy policy) {
			AdaptiveTtl adaptive = policy.adaptiveTtl();
			return new Entry(policy, (adaptive != null) ? new ObservedTtl(adaptive) : null);
		}

	}

	private Entry of(String name) {
		if (this.byName == null) {
			return Entry.DEFAULT;
		}
		Entry entry = this.entries.get(name);
		if (entry != null) {
			return entry;
		}
		LockPolicy policy = Objects.requireNonNull(this.byName.apply(name), "A policy");
		if (policy.equals(LockPolicy.DEFAULT) && this.entries.size() >= MAX_NAMES) {
			return Entry.DEFAULT;
		}
		return this.entries.computeIfAbsent(name, (absent) -> Entry.of(policy));
	}

	/** Tells whether hold times have to be observed. */
	boolean isEmpty() {
		return this.byName == null;
	}

	/** Tells whether a lock goes on within this JVM while its store is out. */
	boolean degrades(LockKey key) {
		return of(key.name()).policy().onOutage() == OnOutage.LOCAL;
	}

	/**
	 * Changes the settings of a request as its policy says.
	 * @param settings those of the request, with what it leaves open filled in
	 * @throws IllegalArgumentException if the policy cannot be followed with them
	 */
	LockSettings apply(LockRequest request, LockSettings settings) {
		LockKey key = request.key();
		Entry entry = of(key.name());
		if (entry == Entry.DEFAULT) {
			return settings;
		}
		if (entry.policy().onOutage() == OnOutage.LOCAL) {
			refuseWhatCannotDegrade(key, request.mode(), settings);
		}
		// A ttl that the code insists on is nearer to it than what is configured.
		if (entry.ttl() == null || (request.settings().ttl() != null && !request.isDeclared())) {
			return settings;
		}
		if (Boolean.TRUE.equals(settings.renew())) {
			throw new IllegalArgumentException("Lock '" + key
					+ "': adaptive-ttl is for leases that are not renewed, and"
					+ " this one is. Set renew = false, or leave out adaptive-ttl: what is renewed needs no longer ttl,"
					+ " however long it is held.");
		}
		if (Boolean.TRUE.equals(settings.keep())) {
			throw new IllegalArgumentException(
					"Lock '" + key + "': keep = true and adaptive-ttl do not go together, since"
							+ " the ttl says for how long the key is kept. Leave one of them out.");
		}
		return settings.withTtl(entry.ttl().ttl(Objects.requireNonNull(settings.ttl(), "ttl")));
	}

	private static void refuseWhatCannotDegrade(LockKey key, LockMode mode, LockSettings settings) {
		String what = null;
		if (mode == LockMode.READ) {
			what = "mode = READ";
		}
		else if (Boolean.TRUE.equals(settings.fair())) {
			what = "fair = true";
		}
		else if (settings.permits() != null && settings.permits() > 1) {
			what = "permits = " + settings.permits();
		}
		else if (Boolean.TRUE.equals(settings.keep())) {
			what = "keep = true";
		}
		else if (settings.minHold() != null && !settings.minHold().isZero()) {
			what = "min-hold = " + settings.minHold().toMillis() + "ms";
		}
		if (what != null) {
			throw new IllegalArgumentException("Lock '" + key + "': on-outage = local does not go with " + what
					+ ", which needs the store. Leave one of them out.");
		}
	}

	// ---- What is learnt

	@Override
	public void onReleased(Lease lease, Duration held) {
		ObservedTtl ttl = of(lease.key().name()).ttl();
		if (ttl != null) {
			ttl.released(held.toNanos());
		}
	}

	@Override
	public void onLost(Lease lease, LockLostException exception, Duration held) {
		ObservedTtl ttl = of(lease.key().name()).ttl();
		if (ttl != null && exception.reason() == LossReason.EXPIRED && lease instanceof LeaseHandle handle) {
			ttl.expired(handle.hold.terms().ttl());
		}
	}

	/** A lease was given back after it had expired. */
	void endedLate(LeaseHandle lease, long heldFor) {
		ObservedTtl ttl = of(lease.key().name()).ttl();
		if (ttl != null && lease.hold.lossReason == LossReason.EXPIRED) {
			ttl.endedLate(heldFor);
		}
	}

	List<ObservedHoldTime> observed() {
		return this.entries.entrySet()
			.stream()
			.filter((entry) -> entry.getValue().ttl() != null)
			.map((entry) -> Objects.requireNonNull(entry.getValue().ttl()).show(entry.getKey()))
			.sorted(Comparator.comparing(ObservedHoldTime::name))
			.toList();
	}

}
