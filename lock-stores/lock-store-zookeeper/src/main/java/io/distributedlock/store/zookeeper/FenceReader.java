package io.distributedlock.store.zookeeper;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

import org.apache.zookeeper.AsyncCallback;
import org.apache.zookeeper.KeeperException.Code;

import io.distributedlock.store.zookeeper.View.Fence;

/**
 * Reads the buckets of a batch of keys of which nothing is known yet: each bucket once,
 * however many of its keys are asked for, while one key alone is read with all there is
 * about it. Without this, the first batch of a JVM would be thousands of requests.
 */
final class FenceReader {

	private final StoreContext context;

	private final Map<Integer, CompletableFuture<Fence>> underWay = new ConcurrentHashMap<>();

	FenceReader(StoreContext context) {
		this.context = context;
	}

	CompletableFuture<Fence> read(String keyId, Link link) {
		int bucket = Layout.bucket(keyId);
		CompletableFuture<Fence> mine = new CompletableFuture<>();
		CompletableFuture<Fence> other = this.underWay.putIfAbsent(bucket, mine);
		if (other != null) {
			return other;
		}
		mine.whenComplete((fence, failure) -> this.underWay.remove(bucket, mine));
		read(keyId, link, mine);
		return mine;
	}

	private void read(String keyId, Link link, CompletableFuture<Fence> result) {
		String path = this.context.layout().waitBucket(Layout.bucket(keyId));
		link.zk().getChildren(path, false, (AsyncCallback.Children2Callback) (rc, asked, ctx, children, stat) -> {
			Code code = Code.get(rc);
			if (code == Code.OK) {
				Fence fence = new Fence(stat.getVersion(), Set.copyOf(children));
				this.context.seen(keyId, new View(fence, null, -1, null));
				result.complete(fence);
			}
			else if (code == Code.NONODE) {
				this.context.makeBucket(keyId, link).whenComplete((made, failure) -> {
					if (failure != null) {
						result.completeExceptionally(failure);
					}
					else {
						read(keyId, link, result);
					}
				});
			}
			else {
				result.completeExceptionally(this.context.failures().of((code != null) ? code : Code.SYSTEMERROR));
			}
		}, null);
	}

}
