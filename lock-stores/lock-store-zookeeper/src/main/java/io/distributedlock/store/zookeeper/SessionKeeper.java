package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryNTimes;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * Keeps a session of one timeout open: Curator connects it, watches over it, and opens
 * the next one when it has expired.
 * <p>
 * States are taken from the events of each {@link ZooKeeper} handle, so that it is always
 * clear which session they are about. Disconnected (Curator's SUSPENDED) means that
 * nothing is known: commands wait for the connection until their time is up. Expired
 * (Curator's LOST, which Curator also declares when there was no connection for the
 * session's timeout) means that all grants of the session are lost.
 */
final class SessionKeeper {

	private static final long AUTHORIZE_SECONDS = 2;

	private final StoreContext context;

	private final Duration asked;

	private final CuratorFramework curator;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Set<Consumer<Link>> waiting = new LinkedHashSet<>();

	private final Inbox inbox;

	private volatile @Nullable Link link;

	private volatile @Nullable Duration negotiated;

	private volatile @Nullable StoreException trouble;

	private volatile long usedAt = System.nanoTime();

	private volatile long connectingSince = System.nanoTime();

	/** The session that is being prepared, or was prepared last. */
	private volatile @Nullable Link opening;

	/** Who has to do what was left to do when this one was closed since it was idle. */
	private volatile @Nullable SessionKeeper heir;

	private volatile boolean closed;

	private @Nullable ScheduledFuture<?> touching;

	SessionKeeper(StoreContext context, Duration timeout) {
		this.context = context;
		this.asked = timeout;
		this.inbox = new Inbox(context);
		CuratorFrameworkFactory.Builder builder = CuratorFrameworkFactory.builder()
			.connectString(context.settings().connectString)
			.sessionTimeoutMs(Math.toIntExact(timeout.toMillis()))
			.connectionTimeoutMs(Math.toIntExact(context.settings().connectionTimeout.toMillis()))
			.retryPolicy(new RetryNTimes(0, 0))
			.ensembleTracker(false)
			.threadFactory(new Threads("lock-zookeeper-curator"))
			.zookeeperFactory(new Handles(this::handle));
		if (context.settings().scheme != null) {
			builder.authorization(context.settings().scheme, context.settings().credentials);
		}
		this.curator = builder.build();
	}

	void start() {
		this.curator.start();
		long half = this.context.settings().tickTime.toNanos() / 2;
		this.touching = this.context.timer().scheduleAtFixedRate(() -> {
			Link current = this.link;
			if (current != null) {
				current.watch();
				if (current.isRobbed()) {
					robbed(current);
				}
			}
		}, half, half, TimeUnit.NANOSECONDS);
	}

	Duration asked() {
		return this.asked;
	}

	/** Returns the timeout that the server has agreed to, or null before it has. */
	@Nullable Duration negotiated() {
		return this.negotiated;
	}

	@Nullable StoreException trouble() {
		return this.trouble;
	}

	@Nullable Link current() {
		return this.link;
	}

	/**
	 * Notes that the session is about to be used.
	 * @return false if it is being closed, since nobody has used it for long
	 */
	boolean use() {
		this.usedAt = System.nanoTime();
		return this.heir == null;
	}

	/**
	 * Closes the session if it is idle.
	 * @param idle how long nobody has used it
	 * @param other does what may be left to do
	 * @return false if it is in use
	 */
	boolean retire(Duration idle, SessionKeeper other) {
		this.mutex.lock();
		try {
			Link current = this.link;
			boolean held = current != null && !current.grants().isEmpty();
			if (held || !this.waiting.isEmpty() || !isIdle(idle)) {
				return false;
			}
			this.heir = other;
			if (!isIdle(idle)) {
				// Somebody came in this very moment, and did not see the heir yet.
				this.heir = null;
				return false;
			}
		}
		finally {
			this.mutex.unlock();
		}
		// The server may not answer, and nothing else is to wait for that.
		new Threads("lock-zookeeper-close").newThread(this::close).start();
		return true;
	}

	private boolean isIdle(Duration idle) {
		return System.nanoTime() - this.usedAt > idle.toNanos();
	}

	/**
	 * Calls the action with a session that is connected, now or later; never if there is
	 * none until the store is closed, or until the action is withdrawn.
	 */
	void whenConnected(Consumer<Link> action) {
		boolean here = use();
		Link current = this.link;
		if (here && current != null && current.isConnected()) {
			action.accept(current);
			return;
		}
		SessionKeeper other;
		this.mutex.lock();
		try {
			other = this.heir;
			current = this.link;
			if (other == null && (current == null || !current.isConnected())) {
				this.waiting.add(action);
				return;
			}
		}
		finally {
			this.mutex.unlock();
		}
		if (other != null) {
			other.whenConnected(action);
		}
		else {
			action.accept(current);
		}
	}

	/**
	 * Forgets an action.
	 * @return false if it was called
	 */
	boolean withdraw(Consumer<Link> action) {
		this.mutex.lock();
		try {
			if (this.waiting.remove(action)) {
				return true;
			}
		}
		finally {
			this.mutex.unlock();
		}
		SessionKeeper other = this.heir;
		return other != null && other.withdraw(action);
	}

	private void connected(Link ready) {
		List<Consumer<Link>> actions;
		this.mutex.lock();
		try {
			actions = new ArrayList<>(this.waiting);
			this.waiting.clear();
		}
		finally {
			this.mutex.unlock();
		}
		for (Consumer<Link> action : actions) {
			try {
				action.accept(ready);
			}
			catch (RuntimeException ex) {
				// One that fails must not keep the others waiting.
				ZooKeeperLockStore.logger.error("A command could not go on with its session", ex);
			}
		}
	}

	private void handle(ZooKeeper zk, WatchedEvent event) {
		if (event.getType() != Watcher.Event.EventType.None || this.closed) {
			return;
		}
		Link current = this.link;
		boolean known = current != null && current.zk() == zk;
		switch (event.getState()) {
			case SyncConnected -> {
				if (known) {
					current.reconnected();
					settle(current);
				}
				else {
					open(zk);
				}
			}
			case Disconnected -> {
				if (known) {
					current.disconnected();
				}
			}
			case Expired -> {
				this.connectingSince = System.nanoTime();
				if (known) {
					lost(current);
				}
			}
			case AuthFailed -> {
				this.trouble = this.context.failures().of(Code.AUTHFAILED);
				this.connectingSince = System.nanoTime();
				if (known) {
					lost(current);
				}
				// The handle is of no use any more, and Curator keeps it.
				this.context.timer().schedule(this::replaceHandle, AUTHORIZE_SECONDS, TimeUnit.SECONDS);
			}
			default -> {
				// Closed by us, or read-only, which we never ask for.
			}
		}
	}

	private void lost(Link current) {
		current.end();
		this.mutex.lock();
		try {
			if (this.link == current) {
				this.link = null;
			}
		}
		finally {
			this.mutex.unlock();
		}
		this.context.lost(current);
	}

	/** The session's own nodes are gone, and it is of no use without them. */
	private void robbed(Link current) {
		if (this.link == current && !this.closed) {
			ZooKeeperLockStore.logger
				.error("Somebody has deleted nodes of the lock store in ZooKeeper. The locks of this JVM's session"
						+ " are given up, and a new session is opened.");
			this.connectingSince = System.nanoTime();
			lost(current);
			this.context.forget();
			replaceHandle();
		}
	}

	/**
	 * Prepares a new session: the nodes that all need, and its own two.
	 */
	private void open(ZooKeeper zk) {
		Link opened;
		this.mutex.lock();
		try {
			Link before = this.opening;
			if (this.closed || (before != null && before.zk() == zk)) {
				// It was disconnected for a moment; what is under way goes on, or fails.
				return;
			}
			String name = this.context.settings().instanceId + "." + AttemptId.random().toString().substring(0, 8);
			opened = new Link(zk, name, this.context.layout(), this.context.failures(),
					this.context.settings().tickTime, this.connectingSince);
			this.opening = opened;
		}
		finally {
			this.mutex.unlock();
		}
		Link old = this.link;
		if (old != null) {
			lost(old);
		}
		this.negotiated = opened.timeout();
		new Preparation(this.context, opened, this::prepared, (code) -> failed(opened, code)).run();
	}

	/** Makes a new handle, apart from the timer, since host names have to be found. */
	private void replaceHandle() {
		new Threads("lock-zookeeper-handle").newThread(() -> {
			try {
				if (!this.closed) {
					this.curator.getZookeeperClient().reset();
				}
			}
			catch (Exception ex) {
				ZooKeeperLockStore.logger.warn("No new session with ZooKeeper could be begun; it is tried again", ex);
				this.context.timer().schedule(this::replaceHandle, AUTHORIZE_SECONDS, TimeUnit.SECONDS);
			}
		}).start();
	}

	private void prepared(Link opened) {
		if (this.opening == opened && !this.closed) {
			this.trouble = null;
			this.link = opened;
			settle(opened);
		}
	}

	private void settle(Link current) {
		// Its answer comes before those of commands that are sent later.
		this.inbox.read(current);
		Duration settling = current.settling();
		if (settling.isZero()) {
			use(current);
		}
		else {
			current.touch();
			this.context.timer().schedule(() -> use(current), settling.toMillis(), TimeUnit.MILLISECONDS);
		}
	}

	private void use(Link current) {
		if (this.link == current && current.zk().getState().isConnected()) {
			current.use();
			connected(current);
			this.context.resumed();
		}
	}

	private void failed(Link opened, Code code) {
		StoreException failure = this.context.failures().of(code);
		this.trouble = failure;
		this.mutex.lock();
		try {
			if (this.opening == opened) {
				this.opening = null;
			}
		}
		finally {
			this.mutex.unlock();
		}
		if (code == Code.CONNECTIONLOSS || code == Code.SESSIONEXPIRED) {
			// A new event will come.
			return;
		}
		ZooKeeperLockStore.logger.error("A session with ZooKeeper cannot be used for locks; it is tried again. {}",
				failure.getMessage());
		this.context.timer().schedule(() -> {
			// If it is not connected now, it is tried when it is.
			if (opened.zk().getState().isConnected()) {
				open(opened.zk());
			}
		}, 1, TimeUnit.SECONDS);
	}

	/**
	 * Ends the session. If holders still count on it, the connection is only cut, so that
	 * the server keeps their locks until the session's timeout.
	 */
	void close() {
		this.closed = true;
		ScheduledFuture<?> timer = this.touching;
		if (timer != null) {
			timer.cancel(false);
		}
		Link current = this.link;
		this.link = null;
		if (current != null) {
			boolean held = current.grants().stream().anyMatch(Grant::isAlive);
			current.end();
			if (held) {
				current.cut();
			}
		}
		this.curator.close();
	}

	@Override
	public String toString() {
		return "Session of " + this.asked.toMillis() + " ms";
	}

}
