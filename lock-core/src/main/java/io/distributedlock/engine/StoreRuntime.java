package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockStoreException;
import io.distributedlock.LossReason;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SharedLockStore;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One store as the engine uses it: its gates, its signals, and the repetitions in the
 * background of what got no answer.
 */
final class StoreRuntime implements SignalReceiver {

	static final Logger logger = LoggerFactory.getLogger(LockEngine.class);

	/** A power of two. */
	private static final int MUTEXES = 1024;

	private static final long FIRST_RETRY = 100_000_000;

	private static final long LAST_RETRY = 1_000_000_000;

	private static final long ARMING_PAUSE = 1_000_000;

	private static final long WARNING_PAUSE = 1_000_000_000;

	final LockEngine engine;

	final LockStore store;

	/** The store's queue, or null if it has none and callers have to poll. */
	final @Nullable QueueingLockStore queue;

	/** How often a waiting gate asks again: twice while a reservation lasts. */
	final long recheck;

	/** For callers that wait for an answer of the store. */
	final AnswerWait answerWait = new AnswerWait();

	/** For names that go on within this JVM while the store is out. */
	final LocalFallback fallback = new LocalFallback(this);

	private final ReentrantLock[] mutexes = new ReentrantLock[MUTEXES];

	/**
	 * Paces without a gate. As many as there are mutexes: of keys that share one, the
	 * last one used keeps its pace.
	 */
	private final AtomicReferenceArray<@Nullable PollPace> paces;

	private final LongAdder unconfirmed = new LongAdder();

	private final AtomicLong nextWarning = new AtomicLong();

	private final ConcurrentHashMap<String, Gate> gates = new ConcurrentHashMap<>();

	/** Gates of readers, of callers in strict order, and of holders of permits. */
	private final ConcurrentHashMap<Way, KeyGate> sideGates = new ConcurrentHashMap<>();

	/** What those have or may have in the store. */
	private final ConcurrentHashMap<AttemptId, KeyGate> attempts = new ConcurrentHashMap<>();

	StoreRuntime(LockEngine engine, LockStore store) {
		this.engine = engine;
		this.store = store;
		this.queue = (store instanceof QueueingLockStore queueing) ? queueing : null;
		this.paces = new AtomicReferenceArray<>((this.queue == null) ? MUTEXES : 0);
		for (int i = 0; i < MUTEXES; i++) {
			this.mutexes[i] = new ReentrantLock();
		}
		long recheck = engine.options().recheck();
		this.recheck = (this.queue != null) ? Math.min(recheck, this.queue.reservation().toNanos() / 2) : recheck;
	}

	/**
	 * For a new gate, if the store has no queue: what the last gate of the key has left,
	 * if that was a moment ago.
	 */
	PollPace pace(LockKey key) {
		int slot = slot(key);
		PollPace kept = this.paces.get(slot);
		long now = now();
		if (kept != null && kept.key().equals(key.id()) && this.paces.compareAndSet(slot, kept, null)
				&& kept.isFresh(now)) {
			return kept;
		}
		return new PollPace(key.id(), Math.min(this.recheck, this.engine.options().handoffTime()), now);
	}

	/** The gate ends, and the next one of the key may go on with its pace. */
	void keep(LockKey key, PollPace pace) {
		pace.rest(now());
		this.paces.set(slot(key), pace);
	}

	void subscribe() {
		if (this.store instanceof SignallingLockStore signalling) {
			signalling.subscribe(this);
		}
	}

	String name() {
		return this.store.name();
	}

	long now() {
		return this.engine.clock().now();
	}

	Listeners listeners() {
		return this.engine.listeners();
	}

	/** Returns all gates that there are at the moment. */
	List<KeyGate> gates() {
		List<KeyGate> all = new ArrayList<>(this.gates.values());
		all.addAll(this.sideGates.values());
		return all;
	}

	@Nullable Gate gate(String keyId) {
		return this.gates.get(keyId);
	}

	/**
	 * Returns the mutex of a key's gates. Keys may share it, so nobody may hold two.
	 */
	ReentrantLock mutex(LockKey key) {
		return this.mutexes[slot(key)];
	}

	private static int slot(LockKey key) {
		int hash = key.hashCode();
		return (hash ^ (hash >>> 16)) & (MUTEXES - 1);
	}

	/**
	 * Brings a caller to the gate of its key, or into a hold that its owner has already.
	 * A gate that has just closed for good turns the caller away, and a new one takes its
	 * place.
	 * @throws IllegalStateException if the owner reads and wants to write, or has a
	 * permit and wants more
	 */
	KeyGate enter(LockKey key, Waiter waiter) {
		boolean alone = waiter.profile.isAlone();
		if (!alone || !this.sideGates.isEmpty()) {
			KeyGate entered = reenter(key, waiter);
			if (entered != null) {
				return entered;
			}
		}
		return alone ? enterAlone(key, waiter) : enterSideGate(key, waiter);
	}

	private Gate enterAlone(LockKey key, Waiter waiter) {
		while (true) {
			Gate gate = this.gates.get(key.id());
			if (gate == null) {
				gate = this.gates.computeIfAbsent(key.id(), (id) -> new Gate(this, key));
			}
			if (gate.enter(waiter)) {
				return gate;
			}
		}
	}

	private KeyGate enterSideGate(LockKey key, Waiter waiter) {
		Way way = Way.of(key, waiter.profile);
		while (true) {
			KeyGate gate = this.sideGates.computeIfAbsent(way, (absent) -> absent.newGate(this, key));
			if (gate.enter(waiter)) {
				return gate;
			}
		}
	}

	/**
	 * The owner may hold the lock in another way than it asks for now.
	 */
	private @Nullable KeyGate reenter(LockKey key, Waiter waiter) {
		for (Lease lease : waiter.owner.leases()) {
			if (lease instanceof LeaseHandle held && lease.key().equals(key) && lease.isHeld()
					&& held.hold.grant.gate.runtime == this) {
				KeyGate gate = held.hold.grant.gate;
				while (gate != null) {
					refuseOtherWay(key, held.hold, gate, waiter);
					if (gate.nest(held.hold, waiter)) {
						return gate;
					}
					// A writer may have become a reader meanwhile.
					KeyGate next = held.hold.grant.gate;
					gate = (next != gate || (next.onlyReads(held.hold) && lease.isHeld())) ? next : null;
				}
			}
		}
		return null;
	}

	private static void refuseOtherWay(LockKey key, Hold held, KeyGate gate, Waiter waiter) {
		if (gate.onlyReads(held) && !waiter.profile.reads()) {
			throw new IllegalStateException("Lock '" + key + "': " + waiter.owner
					+ " reads under it and wants to write. It would wait for its own reading to end, and two"
					+ " that do so for each other. Take the lock with mode = WRITE from the start; who has it"
					+ " so may read as well.");
		}
		if (gate.isShared() && !gate.isForReaders() && waiter.profile.permits() <= 1) {
			throw new IllegalStateException("Lock '" + key + "': " + waiter.owner
					+ " has one of its permits and asks for the lock without permits, which is free only when"
					+ " all permits are back, its own too. Ask with the same permits, or use another key.");
		}
	}

	/**
	 * Returns the gate of readers that a writer goes on in, a new one if there is none.
	 * Called under the mutex of the key, so that the gate is not dead.
	 */
	ReaderGate readerGate(LockKey key, long ttl) {
		Way way = new Way(Way.Kind.READERS, ttl, key.id());
		return (ReaderGate) this.sideGates.computeIfAbsent(way, (absent) -> absent.newGate(this, key));
	}

	void remove(Gate gate) {
		this.gates.remove(gate.key.id(), gate);
	}

	void remove(Way way, KeyGate gate) {
		this.sideGates.remove(way, gate);
	}

	/** Signals about this attempt are for this gate. */
	void register(AttemptId attempt, KeyGate gate) {
		this.attempts.put(attempt, gate);
	}

	void unregister(AttemptId attempt) {
		this.attempts.remove(attempt);
	}

	@Override
	public void reserved(String keyId, AttemptId attempt) {
		Gate gate = this.gates.get(keyId);
		if (gate != null) {
			gate.signalled(attempt);
		}
		KeyGate side = this.attempts.get(attempt);
		if (side != null) {
			side.signalled(attempt);
		}
	}

	@Override
	public void revoked(String keyId, AttemptId attempt) {
		Gate gate = this.gates.get(keyId);
		if (gate != null) {
			gate.revoked(attempt);
		}
		KeyGate side = this.attempts.get(attempt);
		if (side != null) {
			side.revoked(attempt);
		}
	}

	@Override
	public void resumed() {
		for (KeyGate gate : gates()) {
			gate.signalled(null);
		}
	}

	/** Returns the store as one whose locks can be shared. */
	SharedLockStore sharing() {
		return (SharedLockStore) this.store;
	}

	CompletionStage<List<RenewReply>> renew(boolean shared, List<RenewCommand> commands) {
		return call(() -> shared ? sharing().renewShared(commands) : this.store.renew(commands));
	}

	CompletionStage<ReleaseReply> release(boolean shared, ReleaseCommand command) {
		return call(() -> shared ? sharing().releaseShared(command) : this.store.release(command));
	}

	/**
	 * Gives back what a downgrade without an answer has left: the exclusive grant, or
	 * else the share. In this order, since there can be no share any more that is not
	 * there when the exclusive grant is gone.
	 */
	CompletionStage<ReleaseReply> releaseEither(CompletionStage<ReleaseReply> exclusive, ReleaseCommand ofShare) {
		return exclusive.thenCompose((reply) -> (reply instanceof ReleaseReply.NotOwner) ? release(true, ofShare)
				: CompletableFuture.completedFuture(reply));
	}

	CompletionStage<DowngradeReply> downgrade(DowngradeCommand command) {
		return call(() -> sharing().downgrade(command));
	}

	CompletionStage<Void> abandon(boolean shared, AbandonCommand command) {
		return call(() -> shared ? sharing().abandonShared(command) : this.store.abandon(command));
	}

	/**
	 * Calls the store, and turns what it throws instead of failing the stage into a
	 * failed stage.
	 */
	<T> CompletionStage<T> call(Supplier<CompletionStage<T>> command) {
		try {
			return Objects.requireNonNull(command.get(), "The store returned no stage");
		}
		catch (Throwable ex) {
			// Also an Error: a key whose command is never answered would be stuck.
			return CompletableFuture.failedFuture(ex);
		}
	}

	/**
	 * Returns what the store meant by a failure. What is not a {@link StoreException} is
	 * a bug of the store, and its outcome is unknown.
	 * @param thrown the failure, null if there was neither an answer nor a failure
	 */
	StoreException failure(@Nullable Throwable thrown) {
		Throwable cause = Waits
			.cause((thrown != null) ? thrown : new IllegalStateException("The store answered nothing"));
		return (cause instanceof StoreException known) ? known : new StoreException(
				"The store '" + name() + "' failed unexpectedly: " + cause + ".", true, false, cause);
	}

	LockStoreException outage(LockKey key, String doing, StoreException cause) {
		return new LockStoreException(key, "Lock '" + key + "': " + doing + ". " + cause.getMessage(), cause);
	}

	/**
	 * Warns of a release without an answer, at most once per second: in an outage there
	 * are many.
	 */
	void warnOfUnconfirmed(LockKey key, StoreException silence) {
		this.unconfirmed.increment();
		long now = now();
		long next = this.nextWarning.get();
		if (now < next || !this.nextWarning.compareAndSet(next, now + WARNING_PAUSE)) {
			return;
		}
		logger.atWarn()
			.addKeyValue("lock.key", key.id())
			.log("Lock '{}' was given back, but the store '{}' has not confirmed it ({} such releases since the last"
					+ " warning). It is tried again in the background; the key is free after its ttl at the latest. {}",
					key, name(), this.unconfirmed.sumThenReset(), silence.getMessage());
	}

	/**
	 * Makes sure that an attempt has nothing in the store, at the given moment and again
	 * until the store has confirmed it or its ttl is over (rule E13).
	 */
	void abandonLater(KeyGate gate, AttemptId attempt, long at, long until) {
		boolean shared = gate.isShared();
		this.engine.timers().schedule(() -> abandon(gate.key, shared, attempt, until, FIRST_RETRY), at - now());
	}

	private void abandon(LockKey key, boolean shared, AttemptId attempt, long until, long retry) {
		abandon(key, shared, attempt, null, until, retry);
	}

	/**
	 * The same for what a downgrade without an answer may have left: the exclusive grant,
	 * and then the share (see {@link #releaseEither}).
	 */
	void abandonEitherLater(KeyGate gate, AttemptId exclusive, AttemptId share, long until) {
		this.engine.timers().schedule(() -> abandon(gate.key, false, exclusive, share, until, FIRST_RETRY), 0);
	}

	private void abandon(LockKey key, boolean shared, AttemptId attempt, @Nullable AttemptId share, long until,
			long retry) {
		Duration timeout = Duration.ofNanos(this.engine.options().commandTimeout());
		abandon(shared, new AbandonCommand(key, attempt, timeout)).whenComplete((done, thrown) -> {
			if (thrown == null && share != null) {
				abandon(key, true, share, until, FIRST_RETRY);
			}
			else if (thrown != null && now() + retry < until) {
				this.engine.timers()
					.schedule(() -> abandon(key, shared, attempt, share, until, Math.min(2 * retry, LAST_RETRY)),
							Clock.jitter(retry));
			}
		});
	}

	/**
	 * Repeats a release that keeps the key taken until a moment. After that moment the
	 * key is freed, as long as the store may still have the grant.
	 */
	void keepLater(Grant grant, long until) {
		keepLater(grant, until, Clock.plus(now(), grant.ttl), FIRST_RETRY);
	}

	private void keepLater(Grant grant, long until, long end, long retry) {
		this.engine.timers().schedule(() -> {
			LockKey key = grant.gate.key;
			long left = until - now();
			if (left <= 0) {
				abandonLater(grant.gate, grant.attempt(), now(), end);
				return;
			}
			Duration timeout = Duration.ofNanos(this.engine.options().commandTimeout());
			release(grant.gate.isShared(), new ReleaseCommand(key, grant.attempt(), Duration.ofNanos(left), timeout))
				.whenComplete((done, thrown) -> {
					if (thrown != null) {
						keepLater(grant, until, end, Math.min(2 * retry, LAST_RETRY));
					}
				});
		}, Clock.jitter(retry));
	}

	/**
	 * Makes the store keep a grant for at least the given time (rule E11).
	 * @return completes when that is certain, or with the reason why not
	 */
	CompletableFuture<Void> extend(LeaseHandle lease, long nanos) {
		Hold hold = lease.hold;
		long now = now();
		hold.raiseFloor(Clock.plus(now, nanos));
		if (hold.grant.remaining(now) >= nanos) {
			return CompletableFuture.completedFuture(null);
		}
		CompletableFuture<Void> result = new CompletableFuture<>();
		sendExtend(lease, result, now + this.engine.options().commandTimeout());
		return result;
	}

	private void sendExtend(LeaseHandle lease, CompletableFuture<Void> result, long giveUpAt) {
		Hold hold = lease.hold;
		Grant grant = hold.grant;
		long sentAt = now();
		if (!hold.isHeld(sentAt)) {
			refuseToExtend(lease, result);
			return;
		}
		if (!grant.tryArm()) {
			if (sentAt < giveUpAt && !this.engine.timers().isClosed()) {
				this.engine.timers().scheduleAwaited(() -> sendExtend(lease, result, giveUpAt), ARMING_PAUSE);
			}
			else {
				result.completeExceptionally(unextended(lease,
						new StoreException("The store '" + name() + "' has not answered in time.", true, true, null)));
			}
			return;
		}
		long ttl = grant.renewalTtl(hold, sentAt);
		RenewCommand command = new RenewCommand(grant.gate.key, grant.attempt(), Duration.ofNanos(ttl),
				Duration.ofNanos(this.engine.options().commandTimeout(hold.terms().ttl())));
		CompletionStage<List<RenewReply>> answer = grant.local
				? CompletableFuture.completedFuture(List.of(RenewReply.RENEWED))
				: renew(grant.gate.isShared(), List.of(command));
		answer.whenComplete((replies, thrown) -> {
			RenewReply reply = (replies != null && !replies.isEmpty()) ? replies.get(0)
					: new RenewReply.Failed(failure(thrown));
			boolean armed = reply instanceof RenewReply.Renewed && grant.gate.armed(grant, ttl, sentAt);
			boolean certain = grant.certain(ttl) == ttl;
			if (mayHaveExecuted(reply, null)) {
				grant.unanswered(ttl);
			}
			grant.armed();
			if (reply instanceof RenewReply.Failed failed) {
				result.completeExceptionally(unextended(lease, failed.cause()));
			}
			else if (armed && !certain) {
				result.completeExceptionally(
						unextended(lease,
								new StoreException(
										"An earlier renewal got no answer" + " from the store '" + name()
												+ "', and may still be executed after the extension.",
										true, false, null)));
			}
			else if (armed && hold.isHeld(now())) {
				result.complete(null);
			}
			else {
				if (reply instanceof RenewReply.NotOwner) {
					grant.gate.lost(grant, LossReason.NOT_OWNER);
				}
				refuseToExtend(lease, result);
			}
		});
	}

	/**
	 * Tells whether a renewal that was not confirmed may have been executed, or will be.
	 * @param reply the answer, null if there was none
	 * @param failure why there was none, null if that is not known
	 */
	static boolean mayHaveExecuted(@Nullable RenewReply reply, @Nullable StoreException failure) {
		if (reply instanceof RenewReply.Failed failed) {
			return failed.cause().mayHaveExecuted();
		}
		return reply == null && (failure == null || failure.mayHaveExecuted());
	}

	/**
	 * The lease was closed or lost meanwhile. The grant may live on and serve the next
	 * caller.
	 */
	private void refuseToExtend(LeaseHandle lease, CompletableFuture<Void> result) {
		Grant grant = lease.hold.grant;
		if (!grant.isAlive(now())) {
			grant.gate.lost(grant, LossReason.EXPIRED);
		}
		result.completeExceptionally((lease.hold.state == Hold.State.LOST) ? lease.lost() : lease.over());
	}

	private LockStoreException unextended(LeaseHandle lease, StoreException cause) {
		return outage(lease.key(), "it could not be extended, and is held until its old deadline at most", cause);
	}

}
