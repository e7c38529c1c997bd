package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * The sessions of one store: one for each ttl, roughly.
 * <p>
 * When a JVM dies, its locks end with their session. So a grant is made in a session that
 * lives a little longer than the grant's ttl: two ticks longer, because of what
 * {@link Touches} explains, and up to a sixteenth, so that ttls which differ little share
 * a session. Servers allow timeouts within limits only: what is shorter than their
 * shortest lives as long as that after a crash; what is longer than their longest is
 * refused, since the server would free the lock before its holder gives it up.
 */
final class Sessions {

	private static final int MOST = 8;

	private static final Duration IDLE = Duration.ofMinutes(10);

	private final StoreContext context;

	private final List<SessionKeeper> keepers = new CopyOnWriteArrayList<>();

	private final ReentrantLock mutex = new ReentrantLock();

	private volatile boolean closed;

	Sessions(StoreContext context) {
		this.context = context;
		context.timer().scheduleWithFixedDelay(this::tidy, 1, 1, TimeUnit.MINUTES);
	}

	private static Duration margin(StoreContext context) {
		return context.settings().tickTime.multipliedBy(2);
	}

	static void requireLongEnough(StoreContext context, Link link, Duration ttl) {
		Duration longest = link.timeout().minus(margin(context));
		if (ttl.compareTo(longest) > 0) {
			throw context.failures().ttlTooLong(ttl.toMillis() + " ms", longest.toMillis() + " ms");
		}
	}

	boolean suffices(Link link, Duration ttl) {
		return link.timeout().compareTo(ttl.plus(margin(this.context))) >= 0;
	}

	/**
	 * Returns the session for grants of a ttl; it is opened if there is none.
	 * @throws StoreException if the servers allow no session that is long enough
	 */
	SessionKeeper forTtl(Duration ttl) {
		Duration needed = ttl.plus(margin(this.context));
		SessionKeeper found = find(needed);
		if (found != null && found.use()) {
			return found;
		}
		this.mutex.lock();
		try {
			found = find(needed);
			return (found != null && found.use()) ? found : open(ttl, needed);
		}
		finally {
			this.mutex.unlock();
		}
	}

	private @Nullable SessionKeeper find(Duration needed) {
		SessionKeeper best = null;
		boolean full = this.keepers.size() >= MOST;
		for (SessionKeeper keeper : this.keepers) {
			boolean longEnough = timeout(keeper).compareTo(needed) >= 0;
			boolean notTooLong = full || keeper.asked().compareTo(rounded(needed)) <= 0 || isShortest(keeper);
			if (longEnough && notTooLong && (best == null || timeout(keeper).compareTo(timeout(best)) < 0)) {
				best = keeper;
			}
		}
		return best;
	}

	/** A session that the server has made longer than asked is its shortest. */
	private static boolean isShortest(SessionKeeper keeper) {
		Duration negotiated = keeper.negotiated();
		return negotiated != null && negotiated.compareTo(keeper.asked()) > 0;
	}

	private static Duration timeout(SessionKeeper keeper) {
		Duration negotiated = keeper.negotiated();
		return (negotiated != null) ? negotiated : keeper.asked();
	}

	static Duration rounded(Duration needed) {
		long millis = needed.toMillis();
		long step = Math.max(1, Long.highestOneBit(millis) / 16);
		return Duration.ofMillis((millis + step - 1) / step * step);
	}

	private SessionKeeper open(Duration ttl, Duration needed) {
		if (this.closed) {
			throw this.context.failures().closed(false);
		}
		for (SessionKeeper keeper : this.keepers) {
			Duration negotiated = keeper.negotiated();
			if (negotiated != null && negotiated.compareTo(keeper.asked()) < 0 && needed.compareTo(negotiated) > 0) {
				throw this.context.failures()
					.ttlTooLong(ttl.toMillis() + " ms", negotiated.minus(margin(this.context)).toMillis() + " ms");
			}
		}
		SessionKeeper keeper = new SessionKeeper(this.context, rounded(needed));
		this.keepers.add(keeper);
		keeper.start();
		return keeper;
	}

	/**
	 * Lets what many commands send at once meet in few transactions, which are all sent
	 * together.
	 */
	<T> T together(Supplier<T> commands) {
		List<Lane> held = new ArrayList<>();
		for (SessionKeeper keeper : this.keepers) {
			Link link = keeper.current();
			if (link != null) {
				link.lane().hold();
				held.add(link.lane());
			}
		}
		try {
			return commands.get();
		}
		finally {
			held.forEach(Lane::letGo);
		}
	}

	/** The session that is opened first, and stays. */
	SessionKeeper main() {
		return this.keepers.get(0);
	}

	private void tidy() {
		Link link = main().current();
		if (link != null && link.isConnected()) {
			this.context.sweep(link);
		}
		closeIdle(IDLE);
	}

	/** Closes sessions, other than the first one, that nobody has used for a time. */
	void closeIdle(Duration idle) {
		SessionKeeper main = main();
		this.keepers.removeIf((keeper) -> keeper != main && keeper.retire(idle, main));
	}

	void close() {
		this.mutex.lock();
		try {
			this.closed = true;
		}
		finally {
			this.mutex.unlock();
		}
		this.keepers.forEach(SessionKeeper::close);
	}

}
