package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.LossReason;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * Renews grants at a third of their ttl, in batches, and reports those whose deadline has
 * passed (rule E6). One thread, which never waits for the store or for a listener:
 * answers are handled where they arrive.
 * <p>
 * The watchdog decides nothing about "held". It moves deadlines when the store says so,
 * and tells the gate of losses; every check compares the deadline itself. If this thread
 * is late, leases end earlier than they could, never later.
 * <p>
 * A renewal without an answer is tried again after a short pause until the deadline, then
 * the lease is lost. After a pause of the JVM, each grant is looked at once.
 */
final class Watchdog implements Runnable {

	private static final long TICK = 20_000_000;

	/** A new grant is due after a third of the shortest ttl, so this is soon enough. */
	private static final long LONGEST_SLEEP = 100_000_000;

	private static final int BATCH = 512;

	private final LockEngine engine;

	private final Clock clock;

	private final TimerWheel wheel;

	private final Thread thread;

	private volatile boolean closed;

	private volatile boolean renewing = true;

	Watchdog(LockEngine engine, Clock clock, String name) {
		this.engine = engine;
		this.clock = clock;
		this.wheel = new TimerWheel(TICK, clock.now());
		this.thread = LockEngine.daemon(this, name);
	}

	void start() {
		this.thread.start();
	}

	/** Goes on renewing, or only watches deadlines. */
	void renewing(boolean renewing) {
		this.renewing = renewing;
	}

	void close() {
		this.closed = true;
		LockSupport.unpark(this.thread);
	}

	/**
	 * A third of the time that the store keeps the grant for certain, less what the wheel
	 * may be late.
	 */
	private static long interval(Grant grant, long ttl) {
		return grant.certain(ttl) / 3 - 2 * TICK;
	}

	/**
	 * Watches a grant from now on. Called once for each grant.
	 */
	void add(Grant grant) {
		long now = this.clock.now();
		grant.renewDue = now + interval(grant, grant.ttl);
		this.wheel.schedule(grant, Math.min(grant.renewDue, grant.deadline()));
	}

	/**
	 * Watches a grant no longer.
	 */
	void remove(Grant grant) {
		this.wheel.remove(grant);
	}

	/**
	 * The ttl of a grant has changed.
	 */
	void touch(Grant grant) {
		grant.renewDue = this.clock.now() + interval(grant, grant.ttl);
		if (this.wheel.remove(grant)) {
			this.wheel.schedule(grant, Math.min(grant.renewDue, grant.deadline()));
		}
	}

	@Override
	public void run() {
		List<TimerWheel.Entry> due = new ArrayList<>();
		while (!this.closed) {
			try {
				look(due);
			}
			catch (Throwable ex) {
				// Also an Error: without this thread every lease of the JVM would be
				// lost.
				StoreRuntime.logger.error("The watchdog of the lock engine failed and goes on", ex);
			}
			LockSupport.parkNanos(this.clock.park(this.wheel.quietFor(this.clock.now(), LONGEST_SLEEP)));
		}
	}

	private void look(List<TimerWheel.Entry> due) {
		due.clear();
		this.wheel.drain(this.clock.now(), due);
		if (due.isEmpty()) {
			return;
		}
		Map<Batch, List<Grant>> renewals = new LinkedHashMap<>();
		for (TimerWheel.Entry entry : due) {
			Grant grant = (Grant) entry;
			if (look(grant)) {
				if (grant.local) {
					renewLocally(grant);
					continue;
				}
				long timeout = this.engine.options().commandTimeout(grant.ttl);
				renewals
					.computeIfAbsent(new Batch(grant.gate.runtime(), timeout, grant.gate.isShared()),
							(batch) -> new ArrayList<>())
					.add(grant);
			}
		}
		renewals.forEach((batch, grants) -> {
			for (int from = 0; from < grants.size(); from += BATCH) {
				renew(batch, grants.subList(from, Math.min(from + BATCH, grants.size())));
			}
		});
	}

	/**
	 * Looks at one grant and puts it back into the wheel, unless it has ended.
	 * @return true if it is to be renewed now; it is {@linkplain Grant#tryArm armed} then
	 */
	private boolean look(Grant grant) {
		long now = this.clock.now();
		if (!grant.isAlive(now)) {
			grant.gate.lost(grant, LossReason.EXPIRED);
			return false;
		}
		if (grant.ended) {
			return false;
		}
		long ttl = grant.ttl;
		long shortest = ttl;
		boolean renew = false;
		// The hold is read after the arming was taken: from then on the ttl cannot change
		// without this renewal having been answered.
		if (now >= grant.renewDue && grant.tryArm()) {
			grant.gate.tend(grant);
			Hold hold = grant.hold;
			if (hold != null) {
				renew = wantsRenewal(hold, now);
				if (hold.state == Hold.State.HELD) {
					reportOddHolder(hold, now);
				}
				shortest = Math.min(ttl, hold.terms().ttl());
			}
			if (!renew) {
				grant.armed();
			}
		}
		long pause = Math.min(shortest / 9, 500_000_000);
		long next = (now < grant.renewDue) ? grant.renewDue : now + pause;
		this.wheel.schedule(grant, Math.min(next, grant.deadline()));
		if (grant.ttl != ttl) {
			touch(grant);
		}
		if (grant.ended) {
			this.wheel.remove(grant);
		}
		return renew;
	}

	/**
	 * Tells whether a holder is one to be kept alive.
	 */
	boolean wantsRenewal(Hold hold, long now) {
		return hold.state == Hold.State.HELD && hold.terms().renew() && this.renewing && !hold.isOverMaxHold(now)
				&& !hold.owner.isGone();
	}

	private void reportOddHolder(Hold hold, long now) {
		if (!hold.longHoldReported && now - hold.startedAt >= hold.terms().maxHold() / 2) {
			hold.longHoldReported = true;
			report(hold, now);
		}
		if (hold.owner.isGone() && !hold.ownerGoneReported) {
			hold.ownerGoneReported = true;
			StoreRuntime.logger.atError()
				.addKeyValue("lock.key", hold.grant.gate.key.id())
				.log("Lock '{}' is held by thread '{}', which has ended without closing its lease. It is not"
						+ " renewed any more and ends after its ttl. Use try-with-resources or execute().",
						hold.grant.gate.key, hold.owner);
		}
	}

	private void report(Hold hold, long now) {
		LeaseHandle lease = hold.grant.gate.outermost(hold);
		if (lease != null) {
			Duration held = Duration.ofNanos(now - hold.startedAt);
			this.engine.callbackExecutor()
				.execute(() -> this.engine.listeners().notify((listener) -> listener.onLongHold(lease, held)));
		}
	}

	/** The store knows nothing of it. */
	private void renewLocally(Grant grant) {
		long now = this.clock.now();
		Hold hold = grant.hold;
		long ttl = (hold != null) ? hold.renewalTtl(now) : grant.ttl;
		grant.prolong(now, grant.deadlineOf(now, ttl));
		grant.ttl = ttl;
		grant.renewDue = now + interval(grant, ttl);
		grant.armed();
	}

	private void renew(Batch batch, List<Grant> grants) {
		StoreRuntime runtime = batch.runtime();
		Duration timeout = Duration.ofNanos(batch.timeout());
		long sentAt = this.clock.now();
		List<RenewCommand> commands = new ArrayList<>(grants.size());
		// Most grants have the same ttl, and thousands may be on their way.
		Duration asked = Duration.ZERO;
		for (Grant grant : grants) {
			Hold hold = grant.hold;
			long ttl = (hold != null) ? grant.renewalTtl(hold, sentAt) : grant.ttl;
			grant.sending(Clock.plus(sentAt, ttl - Profile.drift(ttl)));
			if (asked.toNanos() != ttl) {
				asked = Duration.ofNanos(ttl);
			}
			commands.add(new RenewCommand(grant.gate.key, grant.attempt(), asked, timeout));
		}
		List<Grant> renewing = List.copyOf(grants);
		runtime.renew(batch.shared(), commands)
			.whenComplete((replies, thrown) -> renewed(runtime, renewing, commands, sentAt,
					(replies != null && replies.size() == renewing.size()) ? replies : null,
					(thrown != null) ? runtime.failure(thrown) : null));
	}

	private void renewed(StoreRuntime runtime, List<Grant> asked, List<RenewCommand> commands, long sentAt,
			@Nullable List<RenewReply> replies, @Nullable StoreException failure) {
		int renewed = 0;
		int refused = 0;
		int failed = 0;
		for (int i = 0; i < asked.size(); i++) {
			Grant grant = asked.get(i);
			RenewReply reply = (replies != null) ? replies.get(i) : null;
			long ttl = commands.get(i).ttl().toNanos();
			if (reply instanceof RenewReply.Renewed) {
				// A renewal that comes after the deadline revives nothing.
				grant.prolong(this.clock.now(), grant.deadlineOf(sentAt, ttl));
				grant.ttl = ttl;
				grant.renewDue = sentAt + interval(grant, ttl);
			}
			else if (StoreRuntime.mayHaveExecuted(reply, failure)) {
				grant.unanswered(ttl);
			}
			grant.armed();
			if (grant.ended) {
				continue;
			}
			if (reply instanceof RenewReply.Renewed) {
				renewed++;
			}
			else if (reply instanceof RenewReply.NotOwner) {
				refused++;
				grant.gate.lost(grant, LossReason.NOT_OWNER);
			}
			else {
				failed++;
			}
		}
		if (failed > 0 && failure != null) {
			StoreRuntime.logger.debug("{} renewals got no answer and are tried again", failed, failure);
		}
		report(runtime.name(), renewed, refused, failed);
	}

	private void report(String store, int renewed, int refused, int failed) {
		if (renewed == 0 && refused == 0 && failed == 0) {
			// All had ended meanwhile: that says nothing about the store.
			return;
		}
		this.engine.callbackExecutor()
			.execute(() -> this.engine.listeners()
				.notify((listener) -> listener.onRenewals(store, renewed, refused, failed)));
	}

	/**
	 * What goes into one command: grants of short ttls do not wait for the answer as long
	 * as others may, or they had no second try.
	 *
	 * @param runtime their store
	 * @param timeout how long the command may take
	 * @param shared whether they are shared ones
	 */
	private record Batch(StoreRuntime runtime, long timeout, boolean shared) {
	}

}
