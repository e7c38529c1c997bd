package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

import io.distributedlock.LockException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockOwner;
import io.distributedlock.LockStoreException;
import org.jspecify.annotations.Nullable;

/**
 * Tries each of many locks once, on the calling thread.
 */
final class EachAcquire {

	private final LockEngine engine;

	private final LockOwner owner;

	private final List<Target> targets;

	EachAcquire(LockEngine engine, LockOwner owner, List<Target> targets) {
		this.engine = engine;
		this.owner = owner;
		this.targets = targets;
	}

	List<LockOutcome> run() {
		if (Thread.currentThread().isInterrupted()) {
			throw interrupted();
		}
		BatchTry batch = new BatchTry(this.engine, this.owner, this.targets);
		batch.start();
		if (!batch.await()) {
			discard(batch);
			throw interrupted();
		}
		for (BatchTry.Part part : batch.parts()) {
			if (part.failure() instanceof RuntimeException ex && !(ex instanceof LockException)) {
				// Bad input: nothing is done of it.
				discard(batch);
				throw ex;
			}
		}
		List<@Nullable RuntimeException> failures = lengthen(batch);
		List<LockOutcome> outcomes = new ArrayList<>(this.targets.size());
		for (int i = 0; i < this.targets.size(); i++) {
			outcomes.add(outcome(batch.parts().get(i), failures.get(i)));
		}
		return outcomes;
	}

	/**
	 * Nested leases that want a longer ttl get it, or do not begin (rule E11).
	 */
	private List<@Nullable RuntimeException> lengthen(BatchTry batch) {
		List<@Nullable CompletableFuture<Void>> extensions = new ArrayList<>();
		for (BatchTry.Part part : batch.parts()) {
			LeaseHandle lease = part.lease();
			Profile profile = part.target.profile();
			extensions.add((lease != null && lease.isNested() && lease.wantsLonger(profile))
					? part.target.runtime().extend(lease, profile.storeTtl()) : null);
		}
		List<@Nullable RuntimeException> failures = new ArrayList<>();
		for (CompletableFuture<Void> extension : extensions) {
			RuntimeException failure = null;
			if (extension != null) {
				try {
					Waits.get(extension);
				}
				catch (RuntimeException ex) {
					failure = ex;
				}
			}
			failures.add(failure);
		}
		return failures;
	}

	private LockOutcome outcome(BatchTry.Part part, @Nullable RuntimeException failure) {
		LeaseHandle lease = part.lease();
		if (lease != null && failure != null) {
			Waits.get(lease.discard());
		}
		else if (lease != null) {
			this.owner.opened(lease);
			if (!lease.isNested()) {
				this.engine.listeners().notify((listener) -> listener.onAcquired(lease, part.waited()));
			}
			return new LockOutcome.Granted(lease);
		}
		Throwable why = (failure != null) ? failure : part.failure();
		String store = part.target.runtime().name();
		if (why instanceof LockException known) {
			this.engine.tellOfFailure(part.target.key(), store, known, part.waited());
		}
		if (why instanceof LockNotAcquiredException refused) {
			return new LockOutcome.Refused(part.target.key(), refused);
		}
		return new LockOutcome.Failed(part.target.key(), outage(part, why));
	}

	private static LockStoreException outage(BatchTry.Part part, @Nullable Throwable why) {
		return (why instanceof LockStoreException outage) ? outage
				: part.target.runtime()
					.outage(part.target.key(), "it could not be acquired, and nothing is held",
							part.target.runtime().failure((why != null) ? why : new IllegalStateException("No lease")));
	}

	private void discard(BatchTry batch) {
		List<CompletableFuture<Boolean>> discarded = new ArrayList<>();
		StoreBatch.collect(() -> {
			for (BatchTry.Part part : batch.parts()) {
				LeaseHandle lease = part.lease();
				if (lease != null) {
					discarded.add(lease.discard());
				}
			}
		});
		discarded.forEach(Waits::get);
	}

	private LockNotAcquiredException interrupted() {
		Target first = this.targets.get(0);
		LockNotAcquiredException refusal = new LockNotAcquiredException(first.key(), Reason.INTERRUPTED, Duration.ZERO,
				"");
		this.engine.tellOfFailure(first.key(), first.runtime().name(), refusal, Duration.ZERO);
		return refusal;
	}

}
