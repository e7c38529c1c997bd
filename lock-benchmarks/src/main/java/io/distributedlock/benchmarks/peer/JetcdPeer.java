package io.distributedlock.benchmarks.peer;

import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.lease.LeaseKeepAliveResponse;
import io.grpc.stub.StreamObserver;
import org.jspecify.annotations.Nullable;

/**
 * The lock service of etcd through jetcd:
 * {@code client.getLockClient().lock(name, lease)}, as the service's API reference
 * describes it.
 * <p>
 * Its locks belong to leases. Two threads with one lease would both get the lock, so
 * there is a lease for each thread, which jetcd keeps alive; to make one for each lock
 * would add two writes to every cycle.
 */
final class JetcdPeer implements PeerClient {

	private static final long TTL_SECONDS = 30;

	private final Client client;

	private final String prefix;

	private final ThreadLocal<Long> lease = new ThreadLocal<>();

	JetcdPeer(Address server, String prefix) throws InterruptedException, ExecutionException {
		this.client = Client.builder().endpoints("http://" + server).build();
		this.prefix = prefix;
		// Connects.
		this.client.getKVClient().get(bytes(prefix)).get();
	}

	@Override
	public HeldLock lock(String key) throws InterruptedException, ExecutionException {
		ByteSequence held = this.client.getLockClient().lock(bytes(this.prefix + key), lease()).get().getKey();
		return () -> this.client.getLockClient().unlock(held).get();
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		throw new UnsupportedOperationException("The lock service of etcd can only be waited for");
	}

	private long lease() throws InterruptedException, ExecutionException {
		Long mine = this.lease.get();
		if (mine == null) {
			mine = this.client.getLeaseClient().grant(TTL_SECONDS).get().getID();
			KeptAlive kept = new KeptAlive();
			this.client.getLeaseClient().keepAlive(mine, kept);
			kept.first.await();
			this.lease.set(mine);
		}
		return mine;
	}

	private static ByteSequence bytes(String text) {
		return ByteSequence.from(text, StandardCharsets.UTF_8);
	}

	@Override
	public void close() {
		this.client.close();
	}

	private static final class KeptAlive implements StreamObserver<LeaseKeepAliveResponse> {

		final CountDownLatch first = new CountDownLatch(1);

		@Override
		public void onNext(LeaseKeepAliveResponse value) {
			this.first.countDown();
		}

		@Override
		public void onError(Throwable ex) {
			// A lock that ends too early shows as a violation.
			ex.printStackTrace();
		}

		@Override
		public void onCompleted() {
			// Nothing to do.
		}

	}

}
