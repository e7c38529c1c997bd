package io.distributedlock.store.zookeeper;

import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.BiFunction;
import java.util.function.Consumer;

import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.OpResult;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.Stat;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * One session, from its first connection to its end. What is created in it goes with it,
 * and nothing that was sent in it is executed after its end.
 * <p>
 * Requests of one session are executed in the order in which they are sent, also over a
 * lost connection. None is ever sent twice.
 */
final class Link {

	static final byte[] NOTHING = {};

	private static final int READS = 256;

	private final ZooKeeper zk;

	private final String name;

	private final Layout layout;

	private final Failures failures;

	private final Duration timeout;

	private final Duration tick;

	private final Touches touches;

	private final Silence silence;

	private final Set<Grant> grants = ConcurrentHashMap.newKeySet();

	private final Lane lane;

	private volatile boolean connected;

	private volatile boolean ended;

	private volatile boolean inbox;

	private volatile long disconnectedAt;

	private volatile boolean robbed;

	Link(ZooKeeper zk, String name, Layout layout, Failures failures, Duration tick, long connectingSince) {
		this.zk = zk;
		this.name = name;
		this.layout = layout;
		this.failures = failures;
		this.timeout = Duration.ofMillis(zk.getSessionTimeout());
		this.touches = new Touches(tick, this.timeout);
		this.silence = new Silence(tick, this.timeout.minus(tick.multipliedBy(2)));
		this.lane = new Lane(this);
		this.touches.connected(connectingSince);
		this.tick = tick;
		this.disconnectedAt = connectingSince;
	}

	String name() {
		return this.name;
	}

	ZooKeeper zk() {
		return this.zk;
	}

	Duration timeout() {
		return this.timeout;
	}

	Lane lane() {
		return this.lane;
	}

	Set<Grant> grants() {
		return this.grants;
	}

	boolean isConnected() {
		return this.connected && !this.ended;
	}

	boolean hasEnded() {
		return this.ended;
	}

	/** Tells whether somebody has deleted the session's own nodes. */
	boolean isRobbed() {
		return this.robbed;
	}

	boolean canBeSignalled() {
		return this.inbox && isConnected();
	}

	void inbox(boolean watched) {
		this.inbox = watched;
	}

	void disconnected() {
		if (this.connected) {
			this.disconnectedAt = System.nanoTime();
			this.connected = false;
		}
	}

	/**
	 * The same session has a connection again.
	 */
	void reconnected() {
		this.touches.connected(this.disconnectedAt);
		this.silence.broken();
		touch();
	}

	/**
	 * Returns how long to wait until it can be known that the session lives for a useful
	 * time: not at all, unless the connection took long.
	 */
	Duration settling() {
		long now = System.nanoTime();
		return (this.touches.livesUntil(now) - now >= this.timeout.minus(this.tick).toNanos()) ? Duration.ZERO
				: this.tick.multipliedBy(4).dividedBy(5);
	}

	/** Lets commands through. */
	void use() {
		if (!this.ended) {
			this.connected = true;
		}
	}

	void end() {
		this.ended = true;
		this.connected = false;
	}

	/**
	 * Gives the connection up without ending the session: to the server, this is a client
	 * that has died.
	 */
	void cut() {
		// Curator must not hear of it, or it closes the session properly.
		this.zk.register((event) -> {
		});
		this.zk.getTestable().injectSessionExpiration();
	}

	/** Shows the server that the session is in use. */
	void touch() {
		long sent = System.nanoTime();
		this.zk.exists(this.layout.proof(this.name), false, (rc, path, context, stat) -> {
			if (rc == Code.OK.intValue()) {
				this.touches.answered(sent, System.nanoTime());
			}
			else if (rc == Code.NONODE.intValue()) {
				this.robbed = true;
			}
			this.silence.broken();
		}, null);
	}

	/**
	 * Touches the session, which is to be called every half tick. If the server has not
	 * answered for long, the connection is given up; the client then connects to the next
	 * server, with the same session.
	 */
	void watch() {
		boolean silent = this.silence.sent(System.nanoTime());
		if (silent && this.zk.getState().isConnected()) {
			ZooKeeperLockStore.logger.warn("ZooKeeper has not answered for {} ms or more; trying another server",
					this.silence.longest().toMillis());
			this.silence.broken();
			// With TLS this may wait for the server that does not answer.
			new Threads("lock-zookeeper-silence").newThread(this::giveUpConnection).start();
		}
		else {
			touch();
		}
	}

	private void giveUpConnection() {
		try {
			this.zk.getTestable().closeSocket();
		}
		catch (IOException ex) {
			ZooKeeperLockStore.logger.debug("Could not close the connection", ex);
		}
		// This wakes the client up, which then notices that it has no connection.
		touch();
	}

	/**
	 * Tells whether a write that succeeded shows that the session outlives a ttl.
	 * @param sent when the write was sent, or earlier
	 */
	boolean outlives(long sent, Duration ttl) {
		return this.touches.livesUntil(sent) - (sent + ttl.toNanos()) >= 0;
	}

	Op proof() {
		return Op.setData(this.layout.proof(this.name), NOTHING, -1);
	}

	/**
	 * Sends a transaction.
	 * @return what came of it; fails with a {@link io.distributedlock.spi.StoreException}
	 * if that is not known, or not a matter of the nodes' state
	 */
	CompletableFuture<Outcome> commit(List<Op> operations) {
		CompletableFuture<Outcome> result = new CompletableFuture<>();
		send(operations, (outcome) -> {
			if (outcome.isAnswer()) {
				result.complete(outcome);
			}
			else {
				result.completeExceptionally(this.failures.of(outcome.code()));
			}
		});
		return result;
	}

	void send(List<Op> operations, Consumer<Outcome> receiver) {
		this.zk.multi(operations, (rc, path, context, results) -> {
			this.silence.broken();
			receiver.accept(Outcome.of(rc, results));
		}, null);
	}

	/**
	 * Reads all that there is about a key, no older than this call: the bucket's version
	 * is read before the rest, so that a transaction which finds it unchanged knows that
	 * the key did not begin to be waited for in between.
	 */
	CompletableFuture<View> load(String keyId) {
		CompletableFuture<View> result = new CompletableFuture<>();
		View.Reader reader = new View.Reader(keyId);
		String bucket = this.layout.waitBucket(Layout.bucket(keyId));
		this.zk.sync(bucket, (rc, path, context) -> reader.failed(rc), null);
		this.zk.getChildren(bucket, false, (AsyncCallback.Children2Callback) (rc, path, context, children,
				stat) -> reader.bucket(rc, children, stat), null);
		this.zk.getData(this.layout.wait(keyId), false,
				(rc, path, context, data, stat) -> reader.waiting(rc, data, stat), null);
		this.zk.getData(this.layout.held(keyId), false, (rc, path, context, data, stat) -> {
			try {
				reader.held(rc, data, stat);
				if (reader.failure() != Code.OK) {
					result.completeExceptionally(this.failures.of(reader.failure()));
				}
				else {
					result.complete(reader.view());
				}
			}
			catch (RuntimeException ex) {
				result.completeExceptionally(this.failures.unexpected(ex));
			}
		}, null);
		return result;
	}

	/**
	 * Reads the nodes of held keys, which come after a write that proves the session.
	 * @return one result for each key in order
	 */
	CompletableFuture<List<Found<HeldRecord>>> readHeld(List<String> keyIds) {
		return read(keyIds.stream().map(this.layout::held).toList(), HeldRecord::parse);
	}

	/** Reads the records of keys that are shared, like {@link #readHeld}. */
	CompletableFuture<List<Found<WaitRecord>>> readWaiting(List<String> keyIds) {
		return read(keyIds.stream().map(this.layout::wait).toList(), WaitRecord::parse);
	}

	/**
	 * Leaves out the shares of sessions that have ended. A session that was read of has
	 * made its nodes before, and makes them only once, so one without is gone for good.
	 */
	CompletableFuture<WaitRecord> survivors(WaitRecord record) {
		List<String> sessions = record.shares()
			.stream()
			.filter((share) -> share.isHeld() && !share.session().equals(this.name))
			.map(ShareRecord::session)
			.distinct()
			.toList();
		if (sessions.isEmpty()) {
			return CompletableFuture.completedFuture(record);
		}
		return read(sessions.stream().map(this.layout::proof).toList(), (data, stat) -> stat).thenApply((found) -> {
			Set<String> dead = new HashSet<>();
			for (int i = 0; i < sessions.size(); i++) {
				if (found.get(i).get() == null) {
					dead.add(sessions.get(i));
				}
			}
			return record.keepShares((share) -> !share.isHeld() || !dead.contains(share.session()));
		});
	}

	private <T> CompletableFuture<List<Found<T>>> read(List<String> paths, BiFunction<byte[], Stat, T> parser) {
		List<CompletableFuture<List<Found<T>>>> parts = new ArrayList<>();
		for (int from = 0; from < paths.size(); from += READS) {
			List<String> part = paths.subList(from, Math.min(from + READS, paths.size()));
			CompletableFuture<List<Found<T>>> result = new CompletableFuture<>();
			this.zk.multi(part.stream().map(Op::getData).toList(), (rc, path, context, results) -> {
				if (results == null || results.size() != part.size()) {
					result.completeExceptionally(this.failures.of(Code.get(rc)));
				}
				else {
					result.complete(results.stream().map((one) -> found(one, parser)).toList());
				}
			}, null);
			parts.add(result);
		}
		return CompletableFuture.allOf(parts.toArray(CompletableFuture<?>[]::new)).thenApply((done) -> {
			List<Found<T>> all = new ArrayList<>(paths.size());
			parts.forEach((part) -> all.addAll(part.join()));
			return all;
		});
	}

	private <T> Found<T> found(OpResult one, BiFunction<byte[], Stat, T> parser) {
		try {
			if (one instanceof OpResult.GetDataResult result) {
				return new Found<>(parser.apply(result.getData(), result.getStat()), null);
			}
			Code code = (one instanceof OpResult.ErrorResult error) ? Code.get(error.getErr()) : Code.SYSTEMERROR;
			return new Found<>(null, (code == Code.NONODE) ? null : this.failures.of(code));
		}
		catch (RuntimeException ex) {
			return new Found<>(null, this.failures.unexpected(ex));
		}
	}

	@Override
	public String toString() {
		return this.name;
	}

	/**
	 * What was read of a key.
	 *
	 * @param <T> what a node says
	 * @param record what its node says, or null if there is none
	 * @param failure why that is not known, or null
	 */
	record Found<T>(@Nullable T record, @Nullable StoreException failure) {

		@Nullable T get() {
			if (this.failure != null) {
				throw this.failure;
			}
			return this.record;
		}

	}

	/**
	 * What came of a transaction.
	 *
	 * @param code OK, or why it was refused as a whole
	 * @param failed index of the operation that was refused, or -1
	 * @param results what each operation gave
	 */
	record Outcome(Code code, int failed, List<OpResult> results) {

		static Outcome of(int rc, @Nullable List<OpResult> results) {
			Code code = Code.get(rc);
			List<OpResult> known = (results != null) ? results : List.of();
			int failed = -1;
			for (int i = 0; i < known.size() && failed < 0; i++) {
				if (known.get(i) instanceof OpResult.ErrorResult error && error.getErr() != Code.OK.intValue()) {
					failed = i;
				}
			}
			return new Outcome((code != null) ? code : Code.SYSTEMERROR, failed, known);
		}

		boolean succeeded() {
			return this.code == Code.OK;
		}

		/** Tells whether it was executed, or refused because of the nodes' state. */
		boolean isAnswer() {
			return succeeded() || (this.failed >= 0
					&& (this.code == Code.NONODE || this.code == Code.NODEEXISTS || this.code == Code.BADVERSION));
		}

		/**
		 * Tells whether one operation was refused, so that without it the others could
		 * have been executed.
		 */
		boolean isAboutOne() {
			return !succeeded() && this.failed >= 0 && (isAnswer() || this.code == Code.NOAUTH
					|| this.code == Code.BADARGUMENTS || this.code == Code.QUOTAEXCEEDED);
		}

		/** Returns the id of the transaction, which must have written data last. */
		long zxid() {
			return stat(this.results.size() - 1).getMzxid();
		}

		Stat stat(int index) {
			return ((OpResult.SetDataResult) this.results.get(index)).getStat();
		}

	}

}
