package io.distributedlock.store.zookeeper;

import java.util.List;
import java.util.function.Consumer;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException.Code;
import org.apache.zookeeper.Op;

/**
 * Prepares a new session: makes the nodes that all need, and its own two.
 */
final class Preparation {

	private final StoreContext context;

	private final Link opened;

	private final Consumer<Link> prepared;

	private final Consumer<Code> failed;

	Preparation(StoreContext context, Link opened, Consumer<Link> prepared, Consumer<Code> failed) {
		this.context = context;
		this.opened = opened;
		this.prepared = prepared;
		this.failed = failed;
	}

	void run() {
		createParents(0);
	}

	private void createParents(int index) {
		List<String> parents = this.context.layout().parents();
		if (index == parents.size()) {
			createOwn();
			return;
		}
		this.opened.zk()
			.create(parents.get(index), Link.NOTHING, this.context.acl(), CreateMode.PERSISTENT,
					(int rc, String path, Object context, String created) -> {
						Code code = Code.get(rc);
						// Without the permission to create it, it may be there all the
						// same.
						if (code == Code.OK || code == Code.NODEEXISTS || code == Code.NOAUTH) {
							createParents(index + 1);
						}
						else {
							this.failed.accept((code != null) ? code : Code.SYSTEMERROR);
						}
					}, null);
	}

	private void createOwn() {
		List<Op> operations = List.of(
				Op.create(this.context.layout().inbox(this.opened.name()), Link.NOTHING, this.context.acl(),
						CreateMode.EPHEMERAL),
				Op.create(this.context.layout().proof(this.opened.name()), Link.NOTHING, this.context.acl(),
						CreateMode.EPHEMERAL));
		this.opened.send(operations, (outcome) -> {
			if (outcome.succeeded()) {
				this.prepared.accept(this.opened);
			}
			else {
				this.failed.accept(outcome.code());
			}
		});
	}

}
