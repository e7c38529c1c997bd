package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;
import java.util.function.BiConsumer;

import org.apache.curator.utils.ZookeeperFactory;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.jspecify.annotations.Nullable;

/**
 * Makes the handles for Curator, and hears their events before Curator does.
 */
final class Handles implements ZookeeperFactory {

	private final BiConsumer<ZooKeeper, WatchedEvent> receiver;

	Handles(BiConsumer<ZooKeeper, WatchedEvent> receiver) {
		this.receiver = receiver;
	}

	@Override
	public ZooKeeper newZooKeeper(String connectString, int sessionTimeout, Watcher watcher, boolean canBeReadOnly)
			throws Exception {
		Events events = new Events(watcher);
		ZooKeeper handle = new ZooKeeper(connectString, sessionTimeout, events, canBeReadOnly);
		events.from(handle);
		return handle;
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
			this.early.forEach((event) -> Handles.this.receiver.accept(zk, event));
			this.early.clear();
		}

		@Override
		public void process(WatchedEvent event) {
			synchronized (this) {
				if (this.zk == null) {
					this.early.add(event);
				}
				else {
					Handles.this.receiver.accept(this.zk, event);
				}
			}
			this.next.process(event);
		}

	}

}
