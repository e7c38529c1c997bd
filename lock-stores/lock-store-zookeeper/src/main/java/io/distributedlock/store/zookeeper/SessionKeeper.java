package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

import org.apache.curator.framework.CuratorFramework;
import org.apache.curator.framework.CuratorFrameworkFactory;
import org.apache.curator.retry.RetryNTimes;
import org.apache.curator.utils.ZookeeperFactory;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;
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

	private final StoreContext context;

	private final Duration asked;

	private final CuratorFramework curator;

	private final ReentrantLock mutex = new ReentrantLock();

	private final List<Consumer<Link>> waiting = new ArrayList<>();

	private final Inbox inbox;

	private volatile @Nullable Link link;

	private volatile @Nullable Duration negotiated;

	private volatile @Nullable StoreException trouble;

	private volatile long usedAt = System.nanoTime();

	private volatile long connectingSince = System.nanoTime();

	private volatile @Nullable ZooKeeper opening;

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
			.zookeeperFactory(new Handles());
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
				current.touch();
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

	long usedAt() {
		return this.usedAt;
	}

	/**
	 * Calls the action with a session that is connected, now or later; never if there is
	 * none until the store is closed.
	 */
	void whenConnected(Consumer<Link> action) {
		this.usedAt = System.nanoTime();
		Link current = this.link;
		if (current == null || !current.isConnected()) {
			this.mutex.lock();
			try {
				current = this.link;
				if (current == null || !current.isConnected()) {
					this.waiting.add(action);
					return;
				}
			}
			finally {
				this.mutex.unlock();
			}
		}
		action.accept(current);
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
			action.accept(ready);
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
			case AuthFailed -> this.trouble = this.context.failures().of(Code.AUTHFAILED);
			default -> {
				// Closed by us, or read-only, which we never ask for.
			}
		}
	}

	private void lost(Link current) {
		current.end();
		this.link = null;
		this.context.lost(current);
	}

	/**
	 * Prepares a new session: the nodes that all need, and its own two.
	 */
	private void open(ZooKeeper zk) {
		if (this.opening == zk) {
			// It was disconnected for a moment; what is under way goes on, or has failed.
			return;
		}
		this.opening = zk;
		Link old = this.link;
		if (old != null) {
			lost(old);
		}
		this.negotiated = Duration.ofMillis(zk.getSessionTimeout());
		String name = this.context.settings().instanceId + "." + AttemptId.random().toString().substring(0, 8);
		Link opened = new Link(zk, name, this.context.layout(), this.context.failures(),
				this.context.settings().tickTime, this.connectingSince);
		createParents(opened, 0);
	}

	private void createParents(Link opened, int index) {
		List<String> parents = this.context.layout().parents();
		if (index == parents.size()) {
			createOwn(opened);
			return;
		}
		opened.zk()
			.create(parents.get(index), Link.NOTHING, this.context.acl(), CreateMode.PERSISTENT,
					(int rc, String path, Object context, String created) -> {
						Code code = Code.get(rc);
						// Without the permission to create it, it may be there all the
						// same.
						if (code == Code.OK || code == Code.NODEEXISTS || code == Code.NOAUTH) {
							createParents(opened, index + 1);
						}
						else {
							failed(opened, code);
						}
					}, null);
	}

	private void createOwn(Link opened) {
		List<Op> operations = List.of(
				Op.create(this.context.layout().inbox(opened.name()), Link.NOTHING, this.context.acl(),
						CreateMode.EPHEMERAL),
				Op.create(this.context.layout().proof(opened.name()), Link.NOTHING, this.context.acl(),
						CreateMode.EPHEMERAL));
		opened.send(operations, (outcome) -> {
			if (!outcome.succeeded()) {
				failed(opened, outcome.code());
				return;
			}
			this.trouble = null;
			this.link = opened;
			settle(opened);
		});
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

	private void failed(Link opened, @Nullable Code code) {
		StoreException failure = this.context.failures().of((code != null) ? code : Code.SYSTEMERROR);
		this.trouble = failure;
		if (code == Code.CONNECTIONLOSS || code == Code.SESSIONEXPIRED) {
			// A new event will come.
			this.opening = null;
			return;
		}
		ZooKeeperLockStore.logger.error("A session with ZooKeeper cannot be used for locks; it is tried again. {}",
				failure.getMessage());
		this.context.timer().schedule(() -> {
			if (!this.closed && this.link == null && opened.zk().getState().isConnected()) {
				createParents(opened, 0);
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

	/**
	 * Makes the handles for Curator, and hears their events before Curator does.
	 */
	private final class Handles implements ZookeeperFactory {

		@Override
		public ZooKeeper newZooKeeper(String connectString, int sessionTimeout, Watcher watcher, boolean canBeReadOnly)
				throws Exception {
			Events events = new Events(watcher);
			ZooKeeper handle = new ZooKeeper(connectString, sessionTimeout, events, canBeReadOnly);
			events.from(handle);
			return handle;
		}

	}

	private final class Events implements Watcher {

		private final Watcher next;

		private final List<WatchedEvent> early = new ArrayList<>();

		private @Nullable ZooKeeper zk;

		Events(Watcher next) {
			this.next = next;
		}

		/** Events may come before the handle's constructor has returned. */
		synchronized void from(ZooKeeper zk) {
			this.zk = zk;
			this.early.forEach((event) -> handle(zk, event));
			this.early.clear();
		}

		@Override
		public void process(WatchedEvent event) {
			synchronized (this) {
				if (this.zk == null) {
					this.early.add(event);
				}
				else {
					handle(this.zk, event);
				}
			}
			this.next.process(event);
		}

	}

}
