package io.distributedlock.store.zookeeper;

import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Supplier;

import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.MessagingLockStore.MessageReceiver;

/**
 * Messages of JVMs to each other, by which deadlocks are found.
 * <p>
 * A JVM that expects messages makes a mailbox, a container node, and watches its
 * children, each of which is a message. It puts a node of its own session into it, so
 * that the mailbox is empty when the JVM has died; servers remove a container that has
 * become empty, within about a minute. To a JVM without a mailbox nothing is sent: nobody
 * there waits for anything.
 * <p>
 * A message is read and deleted by its receiver. If that does not happen its sender
 * deletes it, and if that has died as well it goes with the sender's session.
 * <p>
 * What is lost is not missed: who looks for a deadlock sends again, and begins to listen
 * again if that is needed.
 */
final class Messages {

	/** Longest message. ZooKeeper would take much more. */
	static final int LONGEST = 16_000;

	private static final String HERE = "here";

	private static final long KEPT_SECONDS = 2;

	/** Messages that are not answered to; what is above that is dropped. */
	private static final int MOST = 64;

	private final StoreContext context;

	private final Supplier<@Nullable Link> link;

	private final AtomicInteger underWay = new AtomicInteger();

	private final AtomicReference<@Nullable Listening> listening = new AtomicReference<>();

	private volatile @Nullable MessageReceiver receiver;

	/**
	 * Makes the messages of a store.
	 * @param link gives the session in which they are sent and read, null if there is
	 * none at the moment
	 */
	Messages(StoreContext context, Supplier<@Nullable Link> link) {
		this.context = context;
		this.link = link;
	}

	void receiver(MessageReceiver receiver) {
		if (this.receiver != null) {
			throw new IllegalStateException("This store has a receiver of messages already");
		}
		this.receiver = receiver;
	}

	/** Begins to listen, if it does not. */
	void expect() {
		Link current = this.link.get();
		MessageReceiver known = this.receiver;
		if (current == null || known == null || !current.isConnected() || this.context.isClosed()) {
			return;
		}
		Listening before = this.listening.get();
		if (before == null || before.ended || before.link != current) {
			Listening next = new Listening(current, known);
			if (this.listening.compareAndSet(before, next)) {
				next.start();
			}
		}
	}

	void send(String instance, String message) {
		if (message.length() > LONGEST) {
			throw new IllegalArgumentException("A message of " + message.length() + " characters is too long");
		}
		Link current = this.link.get();
		if (current == null || !current.isConnected() || this.context.isClosed()) {
			return;
		}
		if (this.underWay.incrementAndGet() > MOST) {
			this.underWay.decrementAndGet();
			return;
		}
		try {
			create(current, instance, message);
		}
		catch (RuntimeException ex) {
			// Nobody answers to it then. Names come with messages, so that anybody may
			// have made them up, and ZooKeeper takes only some as part of a path.
			this.underWay.decrementAndGet();
			ZooKeeperLockStore.logger.debug("A message could not be sent to '{}'", instance, ex);
		}
	}

	private void create(Link current, String instance, String message) {
		String path = this.context.layout().mailbox(instance) + "/" + AttemptId.random();
		current.zk()
			.create(path, message.getBytes(StandardCharsets.US_ASCII), this.context.acl(), CreateMode.EPHEMERAL,
					(int rc, String asked, Object ctx, String made) -> {
						this.underWay.decrementAndGet();
						if (rc == Code.OK.intValue() || rc == Code.CONNECTIONLOSS.intValue()) {
							// Without an answer it may be there all the same.
							deleteLater(current, path);
						}
						if (rc != Code.OK.intValue() && rc != Code.NONODE.intValue()) {
							ZooKeeperLockStore.logger.debug(
									"A message to {} could not be sent ({}); if it searches for a deadlock it is sent"
											+ " again",
									instance, Code.get(rc));
						}
					}, null);
	}

	private void deleteLater(Link link, String path) {
		this.context.timer().schedule(() -> deleteUnread(link, path), KEPT_SECONDS, TimeUnit.SECONDS);
	}

	/**
	 * Deletes a message that may not have been read. As long as there is no connection it
	 * stays, and with it a mailbox of a JVM that has died, unless the session ends.
	 */
	private void deleteUnread(Link link, String path) {
		if (link.hasEnded() || this.context.isClosed()) {
			return;
		}
		link.zk().exists(path, false, (rc, asked, ctx, stat) -> {
			if (rc == Code.OK.intValue()) {
				delete(link, path);
			}
			if (rc != Code.NONODE.intValue()) {
				// Until it is seen to be gone.
				deleteLater(link, path);
			}
		}, null);
	}

	private static void delete(Link link, String path) {
		link.zk()
			.delete(path, -1, (rc, asked, ctx) -> ZooKeeperLockStore.logger.trace("Deleted {}: {}", path, Code.get(rc)),
					null);
	}

	/**
	 * Reads and watches the mailbox in turn, in one session. It ends when a message comes
	 * that nobody expects, or the mailbox is gone; then another one may begin.
	 */
	private final class Listening implements Watcher {

		private final Link link;

		private final MessageReceiver receiver;

		private final String mailbox;

		/** What was read and may not be deleted yet. On the session's thread alone. */
		private final Set<String> seen = new HashSet<>();

		private volatile boolean ended;

		Listening(Link link, MessageReceiver receiver) {
			this.link = link;
			this.receiver = receiver;
			this.mailbox = Messages.this.context.layout().mailbox(Messages.this.context.settings().instanceId);
		}

		/** Requests of a session are executed in order. */
		void start() {
			create(this.mailbox, CreateMode.CONTAINER);
			create(this.mailbox + "/" + HERE, CreateMode.EPHEMERAL);
			read();
		}

		private void create(String path, CreateMode mode) {
			this.link.zk()
				.create(path, Link.NOTHING, Messages.this.context.acl(), mode, (int rc, String asked, Object ctx,
						String made) -> ZooKeeperLockStore.logger.trace("Made {}: {}", asked, Code.get(rc)), null);
		}

		private void read() {
			this.link.zk().getChildren(this.mailbox, this, (AsyncCallback.ChildrenCallback) this::found, null);
		}

		private void found(int rc, String path, @Nullable Object ctx, @Nullable List<String> children) {
			if (rc != Code.OK.intValue() || children == null) {
				this.ended = true;
				return;
			}
			this.seen.retainAll(children);
			for (String child : children) {
				if (!child.equals(HERE) && this.seen.add(child)) {
					receive(this.mailbox + "/" + child);
				}
			}
		}

		private void receive(String path) {
			this.link.zk().getData(path, false, (rc, asked, ctx, data, stat) -> {
				if (rc == Code.OK.intValue()) {
					delete(this.link, path);
					deliver(new String(data, StandardCharsets.US_ASCII));
				}
			}, null);
		}

		private void deliver(String message) {
			try {
				this.receiver.message(message);
			}
			catch (RuntimeException ex) {
				ZooKeeperLockStore.logger.debug("A message of another JVM could not be handled", ex);
			}
		}

		@Override
		public void process(WatchedEvent event) {
			if (event.getType() == Event.EventType.NodeDeleted) {
				this.ended = true;
			}
			else if (event.getType() == Event.EventType.NodeChildrenChanged) {
				if (this.receiver.expectsMessages() && !Messages.this.context.isClosed()) {
					read();
				}
				else {
					this.ended = true;
					delete(this.link, this.mailbox + "/" + HERE);
				}
			}
		}

	}

}
