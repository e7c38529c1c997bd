package io.distributedlock.engine;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.DeadlockDetectedException.Participant;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockInspector.StoredShare;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.MessagingLockStore;
import io.distributedlock.spi.MessagingLockStore.MessageReceiver;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds callers, of one JVM or of many, that wait for each other in a circle, and makes
 * the youngest of them give up (rule S6).
 *
 * <h2>The idea</h2> Edge chasing, after K. M. Chandy, J. Misra and L. M. Haas,
 * <i>Distributed Deadlock Detection</i>, ACM TOCS 1(2), 1983. Nobody knows the whole
 * graph of who waits for whom. A probe begins at a caller that has waited for too long
 * and goes from each caller to those that are in its way, if they wait as well; the path
 * it took travels with it. A probe that comes to a caller on its own path has found a
 * cycle.
 *
 * <h2>The life of a wait</h2> <pre>
 * (short) --threshold passed, owner holds something--> LONG --granted, refused, left--> (gone)
 *                                                       |
 *                                                       +--last checked of a cycle--> victim (gone)
 * </pre>
 * <ul>
 * <li>A short wait costs nothing here, and neither does one whose owner holds nothing:
 * nobody can wait for it.</li>
 * <li>A {@link LongWait} is listed in {@link LongWaits} and starts a probe at once, and
 * again after pauses that double while it lasts, since messages may get lost. The one
 * that closes a cycle passes its threshold last, as a rule, when all others are listed,
 * so that its first probe finds the cycle.</li>
 * </ul>
 *
 * <h2>Which edges there are</h2>
 * <ul>
 * <li>From a caller that has been refused a lock to each owner that holds it, in this JVM
 * as the leases tell, in others as those say themselves. Who holds a lock the store is
 * asked, once per step; that answer only says whom to ask.</li>
 * <li>Not from reader to reader: what keeps a reader out then is a writer that waits
 * before it. Not from one that wants a permit to one that has one: any other holder's
 * will do. Such waits end with their wait time if nobody resolves them (no cycle is
 * reported that may not be one).</li>
 * <li>Not to those that wait before it for the same lock: they wait for the same
 * holders.</li>
 * </ul>
 * So all edges are of the "and" kind: a caller goes on only when each one it points to
 * has let go. A cycle of such edges is a deadlock.
 *
 * <h2>Why a cycle that is reported was one</h2> A path is collected over time, and a
 * holder seen early may have let go before the last one was seen. So a cycle that a probe
 * has found is checked once more, by a message that goes round it: each wait must still
 * be <i>the same wait</i> (its id is never used again), and its owner must still hold the
 * lock that the one before waits for by <i>the same hold</i>. What was there before the
 * probe's end and is there after it was there all the time between. So at the moment in
 * which the probe came round, all waits and holds of the cycle stood at once. The round
 * ends at the victim's JVM, which checks its own caller last and refuses it, in one step
 * under the mutex of its key, if it still waits.
 * <p>
 * The victim is the one that began to wait last, by the wall clocks of the JVMs, which
 * travel with the path; so several probes that find the same cycle at once agree, and the
 * second one finds a caller that waits no longer. Clocks that differ make it a less
 * obvious choice, never a second victim.
 *
 * <h2>Threads and bounds</h2> All steps run on the engine's timer thread, one after the
 * other, and never block; messages are only read on the threads on which they come. A
 * path has at most {@value DeadlockMessage#MAX_STEPS} steps. There are at most
 * {@value #RATE} steps out of this JVM per second, and as many messages into it; what is
 * above that is dropped, like a message that was lost. Nothing is stored between two
 * steps: what has to be known travels in the message.
 * <p>
 * Where hundreds wait for one hot lock while they hold others, that is no deadlock, and
 * must neither load the store nor use up the steps that a real one needs. So they share
 * {@linkplain Looks what the store says} of the lock, and the more waits are listed, the
 * more seldom each of them is probed again: all together {@value #PROBES_AGAIN} times per
 * second. Only the first probe, which finds nearly all cycles, is never put off.
 */
final class DeadlockDetector {

	private static final Logger logger = LoggerFactory.getLogger(DeadlockDetector.class);

	/** Stands for no moment at all. */
	static final long NEVER = Long.MAX_VALUE;

	static final int RATE = 1000;

	private static final int MOST_READINGS = 4;

	private static final long CLOSE = 20_000;

	private static final long FIRST_PAUSE = 50_000_000;

	private static final long LAST_PAUSE = 2_000_000_000;

	private static final int PROBES_AGAIN = 200;

	/** How much longer the pauses of all are for each wait that is listed. */
	private static final long PAUSE_PER_WAIT = 1_000_000_000 / PROBES_AGAIN;

	/** How many JVMs are asked in one step, of those that share a lock. */
	private static final int MOST_HOLDERS = 64;

	private final LockEngine engine;

	private final long threshold;

	private final InstantSource wallClock = InstantSource.system();

	private final LongWaits waits = new LongWaits();

	/** Used by the timer thread alone. */
	private final Looks looks = new Looks();

	/** A cycle may go over several stores, so that a message may come from any. */
	private final List<MessagingLockStore> stores = new CopyOnWriteArrayList<>();

	private final RateLimit outgoing;

	private final RateLimit incoming;

	private final AtomicLong ignored = new AtomicLong();

	/**
	 * Makes a detector.
	 * @param engine whose callers it looks after
	 * @param threshold in nanoseconds, {@link #NEVER} to look for nothing
	 */
	DeadlockDetector(LockEngine engine, long threshold) {
		this.engine = engine;
		this.threshold = threshold;
		this.outgoing = new RateLimit(engine.clock(), RATE);
		this.incoming = new RateLimit(engine.clock(), RATE);
	}

	/** Receives the messages of a store, if it has any. */
	void listen(StoreRuntime runtime) {
		if (this.threshold != NEVER && runtime.store instanceof MessagingLockStore messaging) {
			this.stores.add(messaging);
			messaging.receiveMessages(new MessageReceiver() {
				@Override
				public void message(String text) {
					received(runtime, text);
				}

				@Override
				public boolean expectsMessages() {
					return DeadlockDetector.this.waits.size() > 0;
				}
			});
		}
	}

	/** Somebody may be looking for a wait that was just listed. */
	private void expectMessages() {
		for (MessagingLockStore store : this.stores) {
			try {
				store.expectMessages();
			}
			catch (RuntimeException ex) {
				logger.debug("The store '{}' could not begin to listen for messages", store.name(), ex);
			}
		}
	}

	// ---- What callers do

	/**
	 * Tells when a wait becomes suspicious.
	 * @return the moment, {@link #NEVER} for one that ends before or is in nobody's way
	 */
	long suspiciousAt(Waiter waiter) {
		if (this.threshold >= waiter.profile.waitTime() || (!waiter.sharesOwner && waiter.owner.leases().isEmpty())) {
			return NEVER;
		}
		return Clock.plus(waiter.enteredAt, this.threshold);
	}

	/**
	 * A wait has become suspicious.
	 * @return what to {@linkplain #ended end} when the caller waits no longer
	 */
	LongWait suspect(StoreRuntime runtime, KeyGate gate, Waiter waiter) {
		LongWait wait = new LongWait(runtime, gate, waiter, began(waiter));
		// Now, so that the probes of others find it.
		if (this.waits.list(wait)) {
			expectMessages();
		}
		later(() -> probe(wait));
		return wait;
	}

	void ended(LongWait wait) {
		wait.end();
		this.waits.remove(wait);
	}

	/** Returns how many waits or locks are looked at. */
	int size() {
		return this.waits.size();
	}

	/** Returns how many messages were no messages. */
	long ignored() {
		return this.ignored.get();
	}

	/** Called on the thread of the caller that gave up. */
	static void log(DeadlockDetectedException deadlock) {
		logger.atWarn().addKeyValue("lock.key", String.valueOf(deadlock.key())).log("{}", deadlock.getMessage());
	}

	/** Only to tell which of several waits began last: no deadline depends on it. */
	private long micros() {
		return ChronoUnit.MICROS.between(Instant.EPOCH, this.wallClock.instant());
	}

	/**
	 * Tells by the wall clock when a caller began to wait. The two clocks cannot be read
	 * at once, so the closest of a few readings counts.
	 */
	private long began(Waiter waiter) {
		long closest = Long.MAX_VALUE;
		long began = 0;
		for (int i = 0; i < MOST_READINGS && closest > CLOSE; i++) {
			long before = this.engine.clock().now();
			long wall = micros();
			long took = this.engine.clock().now() - before;
			if (took < closest) {
				closest = took;
				began = wall - (before + took / 2 - waiter.enteredAt) / 1_000;
			}
		}
		return began;
	}

	// ---- Probes

	private void probe(LongWait wait) {
		if (wait.isOver()) {
			return;
		}
		// An owner that several tasks share may hold more than before.
		if (this.waits.list(wait)) {
			expectMessages();
			if (wait.isBlocked()) {
				search(wait, List.of(wait.step("", 0)), new HashSet<>(Set.of(wait.id)));
			}
		}
		long pause = Math.max(Math.min(LAST_PAUSE, FIRST_PAUSE << Math.min(wait.probes++, 10)),
				this.waits.size() * PAUSE_PER_WAIT);
		wait.timer(this.engine.timers().schedule(() -> probe(wait), Clock.jitter(pause)));
	}

	/**
	 * Goes on to those that are in the way of a caller.
	 * @param wait the last caller on the path
	 * @param path ends with its step
	 * @param seen waits of this JVM that were searched already
	 */
	private void search(LongWait wait, List<WaitStep> path, Set<String> seen) {
		toHoldersHere(wait.runtime, path, seen);
		if (wait.runtime.store instanceof MessagingLockStore messages
				&& wait.runtime.store instanceof InspectableLockStore answers && mayBeHeldElsewhere(wait)
				&& this.outgoing.admits()) {
			this.looks.at(wait, () -> look(wait, answers))
				.whenComplete((found, thrown) -> later(() -> toOtherJvms(wait, path, messages, found, thrown)));
		}
	}

	private CompletionStage<Optional<StoredLock>> look(LongWait wait, InspectableLockStore store) {
		Duration timeout = Duration.ofNanos(this.engine.options().commandTimeout(wait.waiter.profile.ttl()));
		return wait.runtime.call(() -> store.inspect(wait.gate.key, timeout));
	}

	private static boolean mayBeHeldElsewhere(LongWait wait) {
		Gate alone = wait.runtime.gate(wait.keyId());
		return alone == null || alone.held().isEmpty();
	}

	private void toHoldersHere(StoreRuntime runtime, List<WaitStep> path, Set<String> seen) {
		WaitStep last = path.get(path.size() - 1);
		for (LongWait holder : this.waits.ofHolders(runtime, last.key())) {
			long hold = holder.holdInTheWay(runtime, last.key(), last.kind());
			if (hold == 0 || !holder.isBlocked()) {
				continue;
			}
			int before = indexOf(holder, path);
			if (before >= 0) {
				found(path, before, instanceId(runtime), hold);
			}
			else if (path.size() < DeadlockMessage.MAX_STEPS && seen.add(holder.id)) {
				List<WaitStep> longer = new ArrayList<>(path);
				longer.add(holder.step(instanceId(runtime), hold));
				search(holder, longer, seen);
			}
		}
	}

	private static int indexOf(LongWait wait, List<WaitStep> path) {
		for (int i = 0; i < path.size(); i++) {
			if (path.get(i).waitId().equals(wait.id)) {
				return i;
			}
		}
		return -1;
	}

	private static String instanceId(StoreRuntime runtime) {
		return (runtime.store instanceof MessagingLockStore messaging) ? messaging.instanceId() : "";
	}

	private void toOtherJvms(LongWait wait, List<WaitStep> path, MessagingLockStore messages,
			@Nullable Optional<StoredLock> found, @Nullable Throwable thrown) {
		if (found == null) {
			logger.debug("A probe for a deadlock ended, since the store '{}' could not tell of lock '{}'",
					wait.runtime.name(), wait.keyId(), thrown);
			return;
		}
		if (found.isPresent() && wait.isBlocked()) {
			String text = DeadlockMessage.probe(path).text();
			holders(found.get()).filter((instance) -> !instance.equals(messages.instanceId()))
				.distinct()
				.limit(MOST_HOLDERS)
				.forEach((instance) -> send(messages, instance, text));
		}
	}

	private static Stream<String> holders(StoredLock lock) {
		if (lock.state() == State.HELD) {
			return Stream.ofNullable(lock.instance());
		}
		return lock.shares()
			.stream()
			.filter((share) -> share.state() == State.HELD)
			.map(StoredShare::instance)
			.flatMap(Stream::ofNullable);
	}

	private static void send(MessagingLockStore messages, String instance, String text) {
		if (text.length() > messages.longestMessage()) {
			logger.debug("A search for a deadlock ended: its message of {} characters is too long for the store '{}'",
					text.length(), messages.name());
			return;
		}
		try {
			messages.send(instance, text);
		}
		catch (RuntimeException ex) {
			logger.debug("A message to {} could not be sent", instance, ex);
		}
	}

	// ---- Messages

	private void received(StoreRuntime via, String text) {
		if (!this.incoming.admits()) {
			return;
		}
		DeadlockMessage message = DeadlockMessage.parse(text);
		if (message == null) {
			this.ignored.incrementAndGet();
			logger.debug("Ignored a message that this version does not know, from the store '{}'", via.name());
		}
		else if (message.isProbe()) {
			later(() -> toHoldersHere(via, message.steps(), new HashSet<>()));
		}
		else {
			later(() -> check(message.steps(), message.at(), message.left()));
		}
	}

	private void later(Runnable step) {
		this.engine.timers().schedule(step, 0);
	}

	// ---- Cycles

	/**
	 * The last caller of a path waits for one that is on it, in this JVM.
	 */
	private void found(List<WaitStep> path, int from, String address, long hold) {
		List<WaitStep> cycle = new ArrayList<>(path.subList(from, path.size()));
		cycle.set(0, cycle.get(0).reachedAt(address, hold));
		int victim = youngest(cycle);
		// Once round, and on to the victim.
		int checks = (victim == cycle.size() - 1) ? cycle.size() : cycle.size() + victim + 1;
		check(cycle, 0, checks);
	}

	private static int youngest(List<WaitStep> cycle) {
		int youngest = 0;
		for (int i = 1; i < cycle.size(); i++) {
			if (cycle.get(i).isYoungerThan(cycle.get(youngest))) {
				youngest = i;
			}
		}
		return youngest;
	}

	/**
	 * Checks the callers of a cycle that are in this JVM, and sends the rest to the JVM
	 * of the next one.
	 */
	private void check(List<WaitStep> cycle, int first, int checks) {
		int at = first;
		for (int left = checks; left > 0; left--) {
			WaitStep step = cycle.get(at);
			LongWait wait = this.waits.find(step.waitId());
			if (wait == null || !stands(wait, step, cycle.get((at + cycle.size() - 1) % cycle.size()))) {
				return;
			}
			if (left == 1) {
				if (at == youngest(cycle)) {
					wait.fail(exception(wait, cycle, at));
				}
				return;
			}
			at = (at + 1) % cycle.size();
			WaitStep next = cycle.get(at);
			if (this.waits.find(next.waitId()) == null) {
				if (wait.runtime.store instanceof MessagingLockStore messages && this.outgoing.admits()) {
					send(messages, next.address(), new DeadlockMessage(at, left - 1, cycle).text());
				}
				return;
			}
		}
	}

	/**
	 * Tells whether a caller waits as the probe has seen it, and still holds what the one
	 * before it waits for.
	 */
	private static boolean stands(LongWait wait, WaitStep step, WaitStep before) {
		return wait.isBlocked() && step.key().equals(wait.keyId()) && wait.held().stream().anyMatch((lease) -> {
			KeyGate gate = lease.hold.grant.gate;
			return LongWait.idOf(lease.hold) == step.hold() && gate.key.id().equals(before.key())
					&& before.kind().waitsFor(WaitStep.Kind.heldAt(gate));
		});
	}

	private DeadlockDetectedException exception(LongWait victim, List<WaitStep> cycle, int at) {
		long now = micros();
		List<Participant> callers = new ArrayList<>(cycle.size());
		for (int i = 0; i < cycle.size(); i++) {
			WaitStep step = cycle.get((at + i) % cycle.size());
			WaitStep before = cycle.get((at + i + cycle.size() - 1) % cycle.size());
			callers.add(new Participant(step.address(), step.owner(), before.key(), step.key(),
					Duration.of(Math.max(0, now - step.since()), ChronoUnit.MICROS)));
		}
		return new DeadlockDetectedException(victim.gate.key, callers);
	}

}
