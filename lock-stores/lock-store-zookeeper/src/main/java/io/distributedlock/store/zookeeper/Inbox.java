package io.distributedlock.store.zookeeper;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * Reads the signals that other JVMs write to the inbox node of a session. Each write
 * replaces the one before; the node's version tells whether one was missed, and then all
 * that waits asks again.
 */
final class Inbox {

	private final StoreContext context;

	private volatile @Nullable Reader reader;

	Inbox(StoreContext context) {
		this.context = context;
	}

	static byte[] reserved(String keyId, List<AttemptId> attempts) {
		return message("reserved", keyId, attempts);
	}

	static byte[] revoked(String keyId, List<AttemptId> attempts) {
		return message("revoked", keyId, attempts);
	}

	/**
	 * A message about several attempts is not understood by versions without shares; then
	 * all that waits asks again.
	 */
	private static byte[] message(String kind, String keyId, List<AttemptId> attempts) {
		StringBuilder text = new StringBuilder("1 ").append(kind).append(' ').append(keyId);
		attempts.forEach((attempt) -> text.append(' ').append(attempt));
		return text.toString().getBytes(StandardCharsets.US_ASCII);
	}

	void read(Link link) {
		Reader current = this.reader;
		if (current == null || current.link != link) {
			current = new Reader(link);
			this.reader = current;
		}
		current.read();
	}

	/**
	 * Reads and watches the inbox in turn.
	 */
	private final class Reader implements Watcher {

		private final Link link;

		private final AtomicInteger seen = new AtomicInteger();

		Reader(Link link) {
			this.link = link;
		}

		void read() {
			String path = Inbox.this.context.layout().inbox(this.link.name());
			this.link.zk().getData(path, this, (rc, asked, ctx, data, stat) -> {
				boolean ok = rc == Code.OK.intValue();
				this.link.inbox(ok);
				if (ok) {
					int before = this.seen.getAndSet(stat.getVersion());
					boolean understood = stat.getVersion() <= before || deliver(data);
					if (!understood || stat.getVersion() > before + 1) {
						Inbox.this.context.resumed();
					}
				}
			}, null);
		}

		/**
		 * Delivers a signal.
		 * @return false if it is not known what it says, such as that of a newer version
		 */
		private boolean deliver(byte[] data) {
			String keyId;
			List<AttemptId> attempts;
			String kind;
			try {
				String text = Text.of(data);
				String[] fields = Text.fields(text, Math.max(4, text.split(" ", -1).length));
				kind = fields[1];
				keyId = fields[2];
				attempts = Arrays.stream(fields).skip(3).map(AttemptId::parse).toList();
			}
			catch (StoreException | IllegalArgumentException ex) {
				return false;
			}
			if (kind.equals("reserved")) {
				attempts.forEach((attempt) -> Inbox.this.context.reserved(keyId, attempt));
			}
			else if (kind.equals("revoked")) {
				attempts.forEach((attempt) -> Inbox.this.context.revoked(keyId, attempt));
			}
			else {
				return false;
			}
			return true;
		}

		@Override
		public void process(WatchedEvent event) {
			if (event.getType() == Event.EventType.NodeDataChanged) {
				read();
			}
			else if (event.getType() == Event.EventType.NodeDeleted) {
				this.link.inbox(false);
			}
		}

	}

}
