package io.distributedlock.test;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.MessagingLockStore;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.SharedLockStore;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import org.awaitility.Awaitility;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * One JVM of a contract test: sends commands to its store, waits for the replies, and
 * remembers the signals.
 */
public final class StoreClient {

	/** Ttl of grants that should outlast their test. */
	public static final Duration LONG_TTL = Duration.ofSeconds(60);

	static final Duration TIMEOUT = Duration.ofSeconds(5);

	/** What a JVM sends to itself to learn whether it can send and hear. */
	private static final String HELLO = "hello, me";

	/** How late a busy machine may bring an answer. */
	private static final Duration PATIENCE = Duration.ofSeconds(5);

	private final String instance;

	private final LockStore store;

	private final List<Signal> signals = new CopyOnWriteArrayList<>();

	private final List<String> hellos = new CopyOnWriteArrayList<>();

	private final List<String> messages = new CopyOnWriteArrayList<>();

	StoreClient(String instance, LockStore store) {
		this.instance = instance;
		this.store = store;
		if (store instanceof MessagingLockStore messaging) {
			messaging.receiveMessages((message) -> (message.equals(HELLO) ? this.hellos : this.messages).add(message));
		}
		if (store instanceof SignallingLockStore signalling) {
			signalling.subscribe(new Recorder(this.signals));
		}
		if (store instanceof MessagingLockStore messaging) {
			messaging.expectMessages();
		}
	}

	/**
	 * Returns what this JVM is called.
	 * @return the name
	 */
	public String instance() {
		return this.instance;
	}

	/**
	 * Returns the store of this JVM.
	 * @return the store under test
	 */
	public LockStore store() {
		return this.store;
	}

	/**
	 * Returns the signals that came so far.
	 * @return a snapshot, oldest first
	 */
	public List<Signal> signals() {
		return List.copyOf(this.signals);
	}

	/**
	 * Returns the messages of other JVMs that came so far.
	 * @return a snapshot, oldest first
	 */
	public List<String> messages() {
		return List.copyOf(this.messages);
	}

	/**
	 * Returns once this JVM can send and hear messages: stores connect and begin to
	 * listen in the background.
	 */
	StoreClient listen() {
		MessagingLockStore messaging = (MessagingLockStore) this.store;
		Awaitility.await().pollInterval(Duration.ofMillis(20)).until(() -> {
			messaging.send(messaging.instanceId(), HELLO);
			return !this.hellos.isEmpty();
		});
		return this;
	}

	/**
	 * Asks for the lock once, with a long ttl.
	 */
	AcquireReply acquire(LockKey key, AttemptId attempt) {
		return acquire(key, attempt, LONG_TTL, 1);
	}

	AcquireReply acquire(LockKey key, AttemptId attempt, Duration ttl, int tokens) {
		return reply(this.store.acquire(new AcquireCommand(key, attempt, ttl, tokens, false, TIMEOUT)));
	}

	AcquireReply acquireAgain(LockKey key, AttemptId attempt, Duration ttl, int tokens) {
		return reply(this.store.acquire(new AcquireCommand(key, attempt, ttl, tokens, true, TIMEOUT)));
	}

	/**
	 * Gets the lock, which must be free.
	 */
	AttemptId hold(LockKey key) {
		return hold(key, LONG_TTL);
	}

	AttemptId hold(LockKey key, Duration ttl) {
		AttemptId attempt = AttemptId.random();
		assertThat(acquire(key, attempt, ttl, 1)).as("%s asks for a free lock", this).isInstanceOf(Granted.class);
		return attempt;
	}

	/**
	 * Asks for the lock, or for a place in the queue. Also the re-check.
	 */
	AcquireReply queue(LockKey key, AttemptId attempt) {
		return reply(queueing().acquireOrEnqueue(new AcquireCommand(key, attempt, LONG_TTL, 1, false, TIMEOUT)));
	}

	AcquireReply queueAgain(LockKey key, AttemptId attempt) {
		return reply(queueing().acquireOrEnqueue(new AcquireCommand(key, attempt, LONG_TTL, 1, true, TIMEOUT)));
	}

	/**
	 * Takes a place in the queue of a lock that is taken.
	 */
	AttemptId enqueue(LockKey key) {
		AttemptId attempt = AttemptId.random();
		AcquireReply reply = queue(key, attempt);
		assertThat(reply).as("%s queues for a lock that is taken", this).isInstanceOf(Refused.class);
		if (this.store instanceof SignallingLockStore) {
			assertThat(((Refused) reply).queued()).as("%s has a place in the queue", this).isTrue();
		}
		return attempt;
	}

	ReleaseReply release(LockKey key, AttemptId attempt) {
		return release(key, attempt, Duration.ZERO);
	}

	ReleaseReply release(LockKey key, AttemptId attempt, Duration keepFor) {
		return reply(this.store.release(new ReleaseCommand(key, attempt, keepFor, TIMEOUT)));
	}

	ReleaseReply releaseAndQueue(LockKey key, AttemptId attempt, AttemptId successor) {
		return reply(queueing().releaseAndEnqueue(new ReleaseCommand(key, attempt, Duration.ZERO, TIMEOUT),
				new Successor(successor, LONG_TTL, 3)));
	}

	RenewReply renew(LockKey key, AttemptId attempt, Duration ttl) {
		return renew(List.of(new RenewCommand(key, attempt, ttl, TIMEOUT))).get(0);
	}

	static RenewCommand renewal(LockKey key, AttemptId attempt) {
		return new RenewCommand(key, attempt, LONG_TTL, TIMEOUT);
	}

	List<RenewReply> renew(List<RenewCommand> commands) {
		return reply(this.store.renew(commands));
	}

	ExtendReply extend(LockKey key, AttemptId attempt, Duration ttl, int tokens) {
		return reply(this.store.extend(new ExtendCommand(key, attempt, ttl, tokens, TIMEOUT)));
	}

	void abandon(LockKey key, AttemptId attempt) {
		reply(this.store.abandon(new AbandonCommand(key, attempt, TIMEOUT)));
	}

	/**
	 * Asks for a share once, without a place in the queue.
	 */
	AcquireReply share(LockKey key, AttemptId attempt, Share share, Duration ttl) {
		return reply(sharing().acquireShared(new SharedAcquireCommand(key, attempt, share, ttl, false, TIMEOUT)));
	}

	/**
	 * Asks for a share, or for a place in the queue. Also the re-check.
	 */
	AcquireReply queueForShare(LockKey key, AttemptId attempt, Share share) {
		return reply(sharing().acquireShared(new SharedAcquireCommand(key, attempt, share, LONG_TTL, true, TIMEOUT)));
	}

	/**
	 * Gets a share, for which there must be room.
	 */
	AttemptId holdShare(LockKey key, Share share) {
		return holdShare(key, share, LONG_TTL);
	}

	AttemptId holdShare(LockKey key, Share share, Duration ttl) {
		AttemptId attempt = AttemptId.random();
		assertThat(share(key, attempt, share, ttl)).as("%s asks for a share that is free", this)
			.isInstanceOf(Granted.class);
		return attempt;
	}

	AttemptId enqueueForShare(LockKey key, Share share) {
		AttemptId attempt = AttemptId.random();
		assertThat(queueForShare(key, attempt, share)).as("%s queues for a share that is taken", this)
			.isInstanceOf(Refused.class);
		return attempt;
	}

	ReleaseReply releaseShare(LockKey key, AttemptId attempt) {
		return releaseShare(key, attempt, Duration.ZERO);
	}

	ReleaseReply releaseShare(LockKey key, AttemptId attempt, Duration keepFor) {
		return reply(sharing().releaseShared(new ReleaseCommand(key, attempt, keepFor, TIMEOUT)));
	}

	RenewReply renewShare(LockKey key, AttemptId attempt, Duration ttl) {
		return reply(sharing().renewShared(List.of(new RenewCommand(key, attempt, ttl, TIMEOUT)))).get(0);
	}

	ExtendReply extendShare(LockKey key, AttemptId attempt, Duration ttl) {
		return reply(sharing().extendShared(new ExtendCommand(key, attempt, ttl, 1, TIMEOUT)));
	}

	DowngradeReply downgrade(LockKey key, AttemptId attempt, AttemptId reader, Duration ttl) {
		return reply(sharing().downgrade(new DowngradeCommand(key, attempt, reader, ttl, TIMEOUT)));
	}

	void abandonShare(LockKey key, AttemptId attempt) {
		reply(sharing().abandonShared(new AbandonCommand(key, attempt, TIMEOUT)));
	}

	void assertHoldsShare(LockKey key, AttemptId attempt) {
		assertThat(renewShare(key, attempt, LONG_TTL)).as("%s still holds its share", this)
			.isEqualTo(RenewReply.RENEWED);
	}

	void assertHoldsNoShare(LockKey key, AttemptId attempt) {
		assertThat(renewShare(key, attempt, LONG_TTL)).as("%s holds no share", this).isEqualTo(RenewReply.NOT_OWNER);
	}

	/**
	 * Asks for the lock in strict order, for several callers.
	 */
	List<AcquireReply> line(LockKey key, AttemptId... attempts) {
		return reply(fair().acquireInOrder(Arrays.stream(attempts)
			.map((attempt) -> new AcquireCommand(key, attempt, LONG_TTL, 1, false, TIMEOUT))
			.toList()));
	}

	ReleaseReply releaseInLine(LockKey key, AttemptId attempt) {
		return reply(fair().releaseInOrder(new ReleaseCommand(key, attempt, Duration.ZERO, TIMEOUT), LONG_TTL));
	}

	Optional<StoredLock> inspect(LockKey key) {
		return reply(inspectable().inspect(key, TIMEOUT));
	}

	boolean forceRelease(LockKey key, long token) {
		return reply(inspectable().forceRelease(key, token, TIMEOUT));
	}

	/**
	 * Waits until the store answers again. A command that was given too little time may
	 * have cost a connection, and until there is another one commands fail at once.
	 */
	void awaitAnswers(LockKey key) {
		long since = System.nanoTime();
		RenewReply reply = renew(key, AttemptId.random(), LONG_TTL);
		while (reply instanceof RenewReply.Failed failed) {
			assertThat(failed.cause()).as("what a command fails with after one that timed out")
				.matches(StoreException::isRetryable);
			assertThat(Duration.ofNanos(System.nanoTime() - since)).as("time without answers").isLessThan(PATIENCE);
			LockSupport.parkNanos(10_000_000);
			reply = renew(key, AttemptId.random(), LONG_TTL);
		}
		assertThat(reply).isEqualTo(RenewReply.NOT_OWNER);
	}

	/**
	 * Demands that the attempt holds the lock, by renewing it.
	 */
	void assertHolds(LockKey key, AttemptId attempt) {
		assertThat(renew(key, attempt, LONG_TTL)).as("%s still holds the lock", this).isEqualTo(RenewReply.RENEWED);
	}

	void assertHoldsNothing(LockKey key, AttemptId attempt) {
		assertThat(renew(key, attempt, LONG_TTL)).as("%s holds nothing", this).isEqualTo(RenewReply.NOT_OWNER);
	}

	/**
	 * Waits for a reply that may not come.
	 * @return what the store said, empty if it failed as a store may fail
	 */
	static <T> Optional<T> outcome(CompletionStage<T> stage, Duration timeout) {
		try {
			return Optional.ofNullable(
					stage.toCompletableFuture().get(timeout.toMillis() + PATIENCE.toMillis(), TimeUnit.MILLISECONDS));
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError("Interrupted while waiting for a reply", ex);
		}
		catch (ExecutionException ex) {
			assertThat(ex.getCause()).as("what a command fails with").isInstanceOf(StoreException.class);
			return Optional.empty();
		}
		catch (TimeoutException ex) {
			throw new AssertionError("The store neither answered nor failed within the command's timeout", ex);
		}
	}

	private QueueingLockStore queueing() {
		return (QueueingLockStore) this.store;
	}

	private SharedLockStore sharing() {
		return (SharedLockStore) this.store;
	}

	private FairLockStore fair() {
		return (FairLockStore) this.store;
	}

	private InspectableLockStore inspectable() {
		return (InspectableLockStore) this.store;
	}

	static <T> T reply(CompletionStage<T> stage) {
		try {
			return stage.toCompletableFuture().get(TIMEOUT.toMillis() + PATIENCE.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError("Interrupted while waiting for a reply", ex);
		}
		catch (ExecutionException ex) {
			throw new AssertionError("The store failed: " + ex.getCause(), ex.getCause());
		}
		catch (TimeoutException ex) {
			throw new AssertionError("The store neither answered nor failed within the command's timeout", ex);
		}
	}

	@Override
	public String toString() {
		return this.instance;
	}

	/**
	 * A signal that came.
	 *
	 * @param kind {@code reserved} or {@code revoked}
	 * @param keyId id of the lock
	 * @param attempt what it was about
	 */
	public record Signal(String kind, String keyId, AttemptId attempt) {

		static Signal reserved(LockKey key, AttemptId attempt) {
			return new Signal("reserved", key.id(), attempt);
		}

		static Signal revoked(LockKey key, AttemptId attempt) {
			return new Signal("revoked", key.id(), attempt);
		}

	}

	private record Recorder(List<Signal> signals) implements SignalReceiver {

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			this.signals.add(new Signal("reserved", keyId, attempt));
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			this.signals.add(new Signal("revoked", keyId, attempt));
		}

		@Override
		public void resumed() {
			// Says only that signals may have been lost, which these tests allow anyway.
		}

	}

}
