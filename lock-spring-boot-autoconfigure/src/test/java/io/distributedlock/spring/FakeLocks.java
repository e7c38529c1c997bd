package io.distributedlock.spring;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.function.Consumer;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockCallback;
import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.LossReason;
import io.distributedlock.MultiLease;
import io.distributedlock.MultiLockCallback;

/**
 * Grants every request at once, or fails as it is told; leases can be lost by hand.
 */
public final class FakeLocks implements LockTemplate {

	public final List<LockRequest> requests = new CopyOnWriteArrayList<>();

	public final List<FakeLease> leases = new CopyOnWriteArrayList<>();

	public final List<String> journal = new CopyOnWriteArrayList<>();

	private final AtomicLong tokens = new AtomicLong();

	private volatile LockException failure;

	public void failWith(LockException failure) {
		this.failure = failure;
	}

	public FakeLease lease() {
		return this.leases.get(this.leases.size() - 1);
	}

	public LockRequest request() {
		return this.requests.get(this.requests.size() - 1);
	}

	@Override
	public Lease acquire(LockRequest request) {
		this.requests.add(request);
		if (this.failure != null) {
			throw this.failure;
		}
		FakeLease lease = new FakeLease(request.key(), LockContext.owner(), this.tokens.incrementAndGet());
		lease.owner().opened(lease);
		this.leases.add(lease);
		this.journal.add("acquired " + lease.key());
		return lease;
	}

	@Override
	public Optional<Lease> tryAcquire(LockRequest request) {
		return Optional.of(acquire(request));
	}

	@Override
	public CompletableFuture<Lease> acquireAsync(LockRequest request) {
		return CompletableFuture.completedFuture(acquire(request));
	}

	@Override
	public <T, E extends Exception> T execute(LockRequest request, LockCallback<T, E> work) throws E {
		Lease lease = acquire(request);
		try {
			return work.call(lease);
		}
		finally {
			lease.release();
		}
	}

	@Override
	public MultiLease acquireAll(Collection<LockRequest> requests) {
		List<Lease> taken = requests.stream().map(this::acquire).toList();
		return new FakeMultiLease(taken);
	}

	@Override
	public CompletableFuture<MultiLease> acquireAllAsync(Collection<LockRequest> requests) {
		return CompletableFuture.completedFuture(acquireAll(requests));
	}

	@Override
	public <T, E extends Exception> T executeAll(Collection<LockRequest> requests, MultiLockCallback<T, E> work)
			throws E {
		MultiLease taken = acquireAll(requests);
		try {
			return work.call(taken);
		}
		finally {
			taken.release();
		}
	}

	@Override
	public List<LockOutcome> tryAcquireEach(Collection<LockRequest> requests) {
		return requests.stream().<LockOutcome>map((request) -> new LockOutcome.Granted(acquire(request))).toList();
	}

	@Override
	public boolean releaseAll(Collection<? extends Lease> taken) {
		boolean held = true;
		for (Lease lease : taken) {
			held &= lease.release();
		}
		return held;
	}

	@Override
	public Lock asLock(LockRequest request) {
		throw new UnsupportedOperationException("These tests use no java.util.concurrent locks");
	}

	private record FakeMultiLease(List<Lease> leases) implements MultiLease {

		@Override
		public boolean release() {
			boolean held = true;
			for (Lease lease : this.leases) {
				held &= lease.release();
			}
			return held;
		}

		@Override
		public CompletionStage<Boolean> releaseAsync() {
			return CompletableFuture.completedFuture(release());
		}

		@Override
		public void close() {
			release();
			assertHeldBefore();
		}

		private void assertHeldBefore() {
			for (Lease lease : this.leases) {
				if (lease.state() == LeaseState.LOST) {
					lease.assertHeld();
				}
			}
		}

	}

	@Override
	public ReadWriteLock asReadWriteLock(LockRequest request) {
		throw new UnsupportedOperationException("These tests use no java.util.concurrent locks");
	}

	@Override
	public void check(LockRequest request) {
	}

	public final class FakeLease implements Lease {

		private final LockKey key;

		private final LockOwner owner;

		private final long token;

		private final List<Consumer<LockLostException>> callbacks = new ArrayList<>();

		private LeaseState state = LeaseState.HELD;

		private LockLostException loss;

		private Duration remaining = Duration.ofSeconds(20);

		FakeLease(LockKey key, LockOwner owner, long token) {
			this.key = key;
			this.owner = owner;
			this.token = token;
		}

		public synchronized void lose() {
			this.loss = new LockLostException(this.key, LossReason.NOT_OWNER, this.token, "Fake.");
			this.state = LeaseState.LOST;
			this.callbacks.forEach((callback) -> callback.accept(this.loss));
		}

		public synchronized void setRemaining(Duration remaining) {
			this.remaining = remaining;
		}

		@Override
		public LockKey key() {
			return this.key;
		}

		@Override
		public String store() {
			return "fake";
		}

		@Override
		public LockMode mode() {
			return LockMode.WRITE;
		}

		@Override
		public LockOwner owner() {
			return this.owner;
		}

		@Override
		public long fencingToken() {
			return this.token;
		}

		@Override
		public synchronized LeaseState state() {
			return this.state;
		}

		@Override
		public synchronized boolean isHeld() {
			return this.state == LeaseState.HELD;
		}

		@Override
		public synchronized Duration remaining() {
			return isHeld() ? this.remaining : Duration.ZERO;
		}

		@Override
		public synchronized void assertHeld() {
			if (this.loss != null) {
				throw this.loss;
			}
		}

		@Override
		public synchronized void onLost(Consumer<LockLostException> callback) {
			this.callbacks.add(callback);
		}

		@Override
		public void extend(Duration duration) {
			setRemaining(duration);
		}

		@Override
		public synchronized void keep() {
			FakeLocks.this.journal.add("kept " + this.key);
		}

		@Override
		public synchronized boolean release() {
			this.owner.closed(this);
			FakeLocks.this.journal.add("released " + this.key);
			boolean held = this.state == LeaseState.HELD;
			if (held) {
				this.state = LeaseState.RELEASED;
			}
			return held;
		}

		@Override
		public CompletionStage<Boolean> releaseAsync() {
			return CompletableFuture.completedFuture(release());
		}

		@Override
		public synchronized void close() {
			release();
			assertHeld();
		}

	}

}
