package io.distributedlock.boot.autoconfigure.health;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.Lease;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LossReason;
import io.distributedlock.spi.Ticker;

import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.Status;

/**
 * Tells whether this instance can rely on the locks that it holds. It is down while
 * renewals of a store go without an answer, and {@link #DEGRADED degraded} if leases were
 * lost within the window because they expired, the store forgot them or their thread
 * ended without giving them back. Leases that ended by force or by their max-hold are
 * shown, but change nothing.
 * <p>
 * It asks no store: Redis and databases have indicators of their own. Details name locks,
 * never keys.
 */
public final class LockHealthIndicator extends AbstractHealthIndicator implements LockListener {

	/**
	 * Leases were lost a short while ago, which somebody should look at. It takes no
	 * instance out of service: by default Boot answers it with HTTP 200 and leaves it out
	 * of the status of the whole application.
	 */
	public static final Status DEGRADED = new Status("DEGRADED", "Leases were lost within the window");

	// Losses come in masses when a store goes away; the details need not list them all.
	private static final int MAX_LOSSES = 1000;

	private final long window;

	private final Ticker ticker;

	private final Map<String, Renewals> renewals = new ConcurrentHashMap<>();

	private final ReentrantLock mutex = new ReentrantLock();

	// Oldest first. Guarded by mutex.
	private final Deque<Loss> losses = new ArrayDeque<>();

	/**
	 * Makes the indicator.
	 * @param window how long lost leases and failing renewals count
	 * @param ticker the clock that the window is measured with
	 */
	public LockHealthIndicator(Duration window, Ticker ticker) {
		super("Lock health check failed");
		this.window = window.toNanos();
		this.ticker = ticker;
	}

	@Override
	public void onRenewals(String store, int renewed, int refused, int failed) {
		Renewals before = this.renewals.get(store);
		if (failed == 0) {
			if (renewed == 0 && refused == 0) {
				return;
			}
			// The usual case, once per batch: nothing to write.
			if (before == null || before.failing) {
				this.renewals.put(store, new Renewals(false, 0, 0));
			}
			return;
		}
		long now = this.ticker.nanoTime();
		long since = (before != null && before.failing) ? before.since : now;
		this.renewals.put(store, new Renewals(true, since, now));
	}

	@Override
	public void onLost(Lease lease, LockLostException exception, Duration held) {
		Loss loss = new Loss(this.ticker.nanoTime(), lease.key().name(), exception.reason());
		this.mutex.lock();
		try {
			if (this.losses.size() == MAX_LOSSES) {
				this.losses.removeFirst();
			}
			this.losses.addLast(loss);
		}
		finally {
			this.mutex.unlock();
		}
	}

	@Override
	protected void doHealthCheck(Health.Builder builder) {
		long now = this.ticker.nanoTime();
		boolean down = false;
		Map<String, Object> stores = new LinkedHashMap<>();
		for (Map.Entry<String, Renewals> store : new TreeMap<>(this.renewals).entrySet()) {
			Renewals state = store.getValue();
			boolean failing = state.failing && now - state.latest <= this.window;
			down |= failing;
			stores.put(store.getKey(), text(state, failing, now));
		}
		Map<String, Integer> byName = new TreeMap<>();
		Map<LossReason, Integer> byReason = new EnumMap<>(LossReason.class);
		countLosses(now, byName, byReason);
		boolean lost = byReason.containsKey(LossReason.EXPIRED) || byReason.containsKey(LossReason.NOT_OWNER)
				|| byReason.containsKey(LossReason.OWNER_GONE);
		builder.status(down ? Status.DOWN : lost ? DEGRADED : Status.UP);
		builder.withDetail("window", Duration.ofNanos(this.window).toString());
		builder.withDetail("renewals", stores);
		builder.withDetail("lost", byReason);
		builder.withDetail("lostByName", byName);
	}

	// Without a lease there is nothing to renew, so that a failure may stay the last
	// answer.
	private static String text(Renewals state, boolean failing, long now) {
		if (failing) {
			return "failing for " + Duration.ofNanos(now - state.since).toSeconds() + "s";
		}
		return state.failing ? "failed " + Duration.ofNanos(now - state.latest).toSeconds() + "s ago, none since"
				: "answered";
	}

	private void countLosses(long now, Map<String, Integer> byName, Map<LossReason, Integer> byReason) {
		this.mutex.lock();
		try {
			this.losses.removeIf((loss) -> now - loss.at > this.window);
			for (Loss loss : this.losses) {
				byName.merge(loss.name, 1, Integer::sum);
				byReason.merge(loss.reason, 1, Integer::sum);
			}
		}
		finally {
			this.mutex.unlock();
		}
	}

	private record Renewals(boolean failing, long since, long latest) {
	}

	private record Loss(long at, String name, LossReason reason) {
	}

}
