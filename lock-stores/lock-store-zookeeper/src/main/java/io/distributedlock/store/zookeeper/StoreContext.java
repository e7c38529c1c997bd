package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Consumer;

import org.apache.jute.BinaryInputArchive;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.ZooDefs;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.zookeeper.View.Fence;
import io.distributedlock.store.zookeeper.WaitRecord.State;

/**
 * What the commands of one store share: what this JVM holds and waits for, what it knows
 * of the buckets, and how the two change together.
 */
final class StoreContext {

	private static final int SWEPT = 256;

	/**
	 * What a record may have, of what ZooKeeper takes in one request: it does not refuse
	 * a larger one, but ends the connection, and all that is under way with it. What is
	 * left is for what the next writer adds to each entry.
	 */
	private static final int MOST_BYTES = BinaryInputArchive.maxBuffer / 8 * 7;

	private static final long TAKE_BACK_SECONDS = 1;

	private final ZooKeeperLockStore.Builder settings;

	private final Layout layout;

	private final Failures failures;

	private final List<ACL> acl;

	private final ScheduledThreadPoolExecutor timer;

	private final Commands commands = new Commands(this);

	private final AtomicReferenceArray<@Nullable Fence> fences = new AtomicReferenceArray<>(Layout.BUCKETS);

	private final Observations observations = new Observations();

	private volatile @Nullable SignalReceiver receiver;

	private volatile boolean closed;

	StoreContext(ZooKeeperLockStore.Builder settings) {
		this.settings = settings;
		this.layout = new Layout(settings.namespace);
		this.failures = new Failures(settings.connectString);
		Id whose = (settings.scheme != null) ? new Id("auth", "") : new Id("world", "anyone");
		this.acl = List.of(new ACL(ZooDefs.Perms.ALL, whose));
		this.timer = new ScheduledThreadPoolExecutor(1, new Threads("lock-zookeeper-timer"));
		this.timer.setRemoveOnCancelPolicy(true);
		this.timer.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
		this.timer.setRejectedExecutionHandler((task, executor) -> {
			// The store is closed; what was to be done later is not done any more.
		});
		this.timer.scheduleWithFixedDelay(this.observations::sweep, 10, 10, TimeUnit.SECONDS);
	}

	ZooKeeperLockStore.Builder settings() {
		return this.settings;
	}

	Layout layout() {
		return this.layout;
	}

	Failures failures() {
		return this.failures;
	}

	List<ACL> acl() {
		return this.acl;
	}

	ScheduledThreadPoolExecutor timer() {
		return this.timer;
	}

	boolean isClosed() {
		return this.closed;
	}

	// Commands of one key

	@Nullable LocalKey local(String keyId) {
		return this.commands.local(keyId);
	}

	<R> CompletableFuture<R> submit(KeyTask<R> task) {
		return this.closed ? CompletableFuture.failedFuture(this.failures.closed(false)) : this.commands.submit(task);
	}

	Commands commands() {
		return this.commands;
	}

	/**
	 * What an attempt may have could not be taken back, and others are not to wait until
	 * it can be.
	 */
	void takeBackLater(LockKey key, KeyTask.TakeBack what) {
		this.timer.schedule(() -> submit(new TakeBackTask(this, key, what)), TAKE_BACK_SECONDS, TimeUnit.SECONDS);
	}

	void close() {
		this.closed = true;
		this.timer.shutdownNow();
		this.commands.close();
	}

	/**
	 * Returns the operations that delete a key's node. From another session than the
	 * node's own they also check that its session lives: without that, the node may have
	 * gone with it, and the one that is there be the next holder's.
	 */
	List<Op> delete(String keyId, HeldRecord held, Link link) {
		Op delete = Op.delete(this.layout.held(keyId), -1);
		return held.session().equals(link.name()) ? List.of(delete)
				: List.of(Op.check(this.layout.proof(held.session()), -1), delete);
	}

	// Grants of this JVM

	/**
	 * The grant is in ZooKeeper; from now on this JVM ends it when its ttl is over.
	 * @throws StoreException if its session has ended meanwhile
	 */
	void granted(LocalKey local, Grant grant) {
		local.add(grant);
		grant.link.grants().add(grant);
		if (grant.link.hasEnded()) {
			ended(grant);
			throw this.failures.of(Code.SESSIONEXPIRED);
		}
		watch(grant);
	}

	private void watch(Grant grant) {
		long delay = Math.max(0, grant.deadline() - System.nanoTime());
		grant.timer = this.timer.schedule(() -> expire(grant), delay, TimeUnit.NANOSECONDS);
	}

	private void expire(Grant grant) {
		if (grant.ended) {
			return;
		}
		if (grant.deadline() - System.nanoTime() > 0) {
			watch(grant);
		}
		else if (!grant.link.hasEnded()) {
			submit(new ExpireTask(this, grant));
		}
	}

	/** The grant was renewed after all. */
	void watchAgain(Grant grant) {
		if (!grant.ended) {
			watch(grant);
		}
	}

	/** The grant is not in ZooKeeper any more. */
	void ended(Grant grant) {
		grant.ended = true;
		if (grant.timer != null) {
			grant.timer.cancel(false);
		}
		grant.link.grants().remove(grant);
		grant.key.remove(grant);
	}

	/** The grant was found to be gone. */
	void gone(Grant grant) {
		ended(grant);
		this.commands.removeIfUnused(grant.key.id());
	}

	/** A session has ended, and all that it held is lost. */
	void lost(Link link) {
		for (Grant grant : Set.copyOf(link.grants())) {
			boolean counted = grant.isNotOver();
			ended(grant);
			this.commands.removeIfUnused(grant.key.id());
			if (counted) {
				signal((known) -> known.revoked(grant.key.id(), grant.attempt));
			}
		}
	}

	// What is known of ZooKeeper

	@Nullable Fence fence(String keyId) {
		return this.fences.get(Layout.bucket(keyId));
	}

	/** Remembers what was read. */
	void seen(String keyId, View view) {
		this.fences.accumulateAndGet(Layout.bucket(keyId), view.fence(), (known, read) -> {
			if (known == null || read == null) {
				return read;
			}
			return (read.version() - known.version() >= 0) ? read : known;
		});
	}

	/** Buckets may have been deleted, and count from the start again. */
	void forget() {
		for (int bucket = 0; bucket < Layout.BUCKETS; bucket++) {
			this.fences.set(bucket, null);
		}
	}

	/** Returns the operation that fails if the bucket has changed since it was read. */
	Op fence(String keyId, View view) {
		return Op.check(this.layout.waitBucket(Layout.bucket(keyId)), version(view));
	}

	private static int version(View view) {
		Fence fence = view.fence();
		if (fence == null) {
			throw new IllegalStateException("The bucket is not there yet");
		}
		return fence.version();
	}

	/**
	 * Returns the operations that bring a key's record from what was read to what it is
	 * to be. The node is there only as long as there is something to know. When it is
	 * made, the bucket's version rises.
	 * @throws StoreException if more wait for the key, or share it, than fit into a node
	 */
	List<Op> write(String keyId, View view, WaitRecord record) {
		String path = this.layout.wait(keyId);
		byte[] data = record.isEmpty() ? Link.NOTHING : record.bytes();
		if (data.length > MOST_BYTES && record.isLargerThan(view.waitingOrEmpty())) {
			throw this.failures.tooMany(keyId);
		}
		if (view.waiting() == null) {
			return record.isEmpty() ? List.of()
					: List.of(Op.setData(this.layout.waitBucket(Layout.bucket(keyId)), Link.NOTHING, -1),
							Op.create(path, data, this.acl, CreateMode.PERSISTENT));
		}
		return List.of(record.isEmpty() ? Op.delete(path, view.version()) : Op.setData(path, data, view.version()));
	}

	/** Remembers what {@link #write} has changed. */
	void written(String keyId, View view, WaitRecord record) {
		int version = version(view);
		boolean made = view.waiting() == null && !record.isEmpty();
		boolean removed = view.waiting() != null && record.isEmpty();
		if (!made && !removed) {
			return;
		}
		this.fences.updateAndGet(Layout.bucket(keyId), (known) -> {
			if (known == null || known.version() != version) {
				return known;
			}
			Set<String> names = new HashSet<>(known.keys());
			if (made) {
				names.add(Layout.node(keyId));
			}
			else {
				names.remove(Layout.node(keyId));
			}
			return new Fence(made ? version + 1 : version, Set.copyOf(names));
		});
	}

	/** Makes the nodes of a key's bucket. */
	CompletableFuture<Boolean> makeBucket(String keyId, Link link) {
		int bucket = Layout.bucket(keyId);
		return make(this.layout.heldBucket(bucket), link)
			.thenCompose((done) -> make(this.layout.waitBucket(bucket), link));
	}

	private CompletableFuture<Boolean> make(String path, Link link) {
		CompletableFuture<Boolean> result = new CompletableFuture<>();
		link.zk().create(path, Link.NOTHING, this.acl, CreateMode.PERSISTENT, (rc, asked, ctx, created) -> {
			Code code = Code.get(rc);
			if (code == Code.OK || code == Code.NODEEXISTS) {
				result.complete(true);
			}
			else {
				result.completeExceptionally(this.failures.of((code != null) ? code : Code.SYSTEMERROR));
			}
		}, null);
		return result;
	}

	/**
	 * Returns the record without the waiters that have not shown themselves for long, and
	 * without the shares whose time is over.
	 */
	WaitRecord living(String keyId, WaitRecord record) {
		Set<String> over = over(keyId, record);
		return record
			.withQueue(record.queue()
				.stream()
				.filter((entry) -> entry.instance().equals(this.settings.instanceId) || isAlive(keyId, entry))
				.toList())
			.keepShares((share) -> share.isHeld() || !over.contains(share.stamp()));
	}

	boolean isAlive(String keyId, WaitRecord.Entry entry) {
		return !this.observations.seenFor(keyId + ' ' + entry.place(), entry.version(), this.settings.queueEntryTtl);
	}

	/** Tells whether an attempt waits, and has shown itself a short time ago. */
	boolean isFresh(LocalKey local, AttemptId attempt, Link link, WaitRecord record) {
		WaitRecord.Entry own = record.entry(this.settings.instanceId, attempt);
		LocalKey.Place place = local.place(attempt);
		return own != null && place != null && own.session().equals(link.name())
				&& System.nanoTime() - place.refreshed() < this.settings.queueEntryTtl.toNanos() / 4;
	}

	/**
	 * Tells whether a reservation or a cooling time is over, as far as this JVM can see.
	 */
	boolean isOver(String keyId, WaitRecord record) {
		return record.state() == State.NONE || over(keyId, record).contains(record.stamp());
	}

	private Set<String> over(String keyId, WaitRecord record) {
		return this.observations.over(keyId, record.passing());
	}

	/**
	 * This JVM has made reservations or cooling times, and ends them when they are over.
	 */
	void statesMade(LockKey key, SessionKeeper keeper, WaitRecord before, WaitRecord after) {
		Map<String, Duration> known = before.passing();
		over(key.id(), after);
		after.passing().forEach((stamp, time) -> {
			if (!known.containsKey(stamp)) {
				this.timer.schedule(() -> submit(new EndStateTask(this, key, keeper, stamp)), time.toNanos(),
						TimeUnit.NANOSECONDS);
			}
		});
	}

	/** This JVM has a place in the queue, and leaves it if it does not ask again. */
	void placed(LockKey key, LocalKey local, LocalKey.Place place) {
		local.add(place);
		this.timer.schedule(() -> {
			if (local.place(place.attempt()) == place) {
				submit(new LeaveTask(this, key, place));
			}
		}, this.settings.queueEntryTtl.toNanos(), TimeUnit.NANOSECONDS);
	}

	/**
	 * Removes what JVMs that all died have left behind: records of waiters that nobody
	 * has changed for long, of keys that nobody holds.
	 */
	void sweep(Link link) {
		int looked = 0;
		for (int bucket = 0; bucket < Layout.BUCKETS && looked < SWEPT; bucket++) {
			Fence fence = this.fences.get(bucket);
			for (String node : (fence != null) ? fence.keys() : Set.<String>of()) {
				looked++;
				sweep(link, Layout.keyId(node));
			}
		}
	}

	private void sweep(Link link, String keyId) {
		link.load(keyId).thenCompose((view) -> {
			seen(keyId, view);
			WaitRecord waiting = view.waiting();
			if (view.fence() == null || waiting == null || view.held() != null || !isOver(keyId, waiting)
					|| !living(keyId, waiting).queue().isEmpty()) {
				return CompletableFuture.completedFuture(false);
			}
			return link.survivors(living(keyId, waiting)).thenCompose((rest) -> {
				if (!rest.shares().isEmpty()) {
					return CompletableFuture.completedFuture(false);
				}
				return link.commit(List.of(fence(keyId, view), Op.delete(this.layout.wait(keyId), view.version())))
					.thenApply(Link.Outcome::succeeded);
			});
		})
			.whenComplete((removed, failure) -> ZooKeeperLockStore.logger
				.debug("Looked for remains of lock '{}': removed {}", keyId, removed, failure));
	}

	// Signals

	void receiver(SignalReceiver receiver) {
		if (this.receiver != null) {
			throw new IllegalStateException("This store has a receiver of signals already");
		}
		this.receiver = receiver;
	}

	/** Tells whether this JVM can be told of its turn. */
	boolean canBeSignalled(Link link) {
		return this.receiver != null && link.canBeSignalled();
	}

	void reserved(String keyId, AttemptId attempt) {
		signal((known) -> known.reserved(keyId, attempt));
	}

	void revoked(String keyId, AttemptId attempt) {
		LocalKey local = local(keyId);
		Grant grant = (local != null) ? local.grant(attempt) : null;
		if (grant != null) {
			ended(grant);
			this.commands.removeIfUnused(keyId);
		}
		signal((known) -> known.revoked(keyId, attempt));
	}

	void resumed() {
		signal(SignalReceiver::resumed);
	}

	private void signal(Consumer<SignalReceiver> signal) {
		SignalReceiver known = this.receiver;
		if (known == null || this.closed) {
			return;
		}
		try {
			signal.accept(known);
		}
		catch (RuntimeException ex) {
			ZooKeeperLockStore.logger.warn("The receiver of signals failed; its waiters are served when they ask again",
					ex);
		}
	}

}
