package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Lock;

import io.distributedlock.Lease;
import io.distributedlock.LockCallback;
import io.distributedlock.LockInspector;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockTemplate;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.Ticker;
import org.jspecify.annotations.Nullable;

/**
 * Takes and holds locks of one or several stores: the implementation of
 * {@link LockTemplate} and {@link LockInspector}. Make one per application with
 * {@link #builder()}; it starts at once.
 */
public final class LockEngine implements LockTemplate, LockInspector, AutoCloseable {

	private LockEngine(Builder builder) {
	}

	/**
	 * Begins to configure an engine.
	 * @return a builder with the defaults
	 */
	public static Builder builder() {
		return new Builder();
	}

	/**
	 * Admits callers again after {@link #stop}. Does nothing if the engine runs.
	 */
	public void start() {
		throw new UnsupportedOperationException();
	}

	/**
	 * Stops admitting callers, refuses those that wait, and goes on renewing what is held
	 * until it is released or the time is up. What is still held then is left to its ttl,
	 * since the code under it may still run. Blocks.
	 * @param timeout how long to wait for holders
	 * @return true if nothing is held any more
	 */
	public boolean stop(Duration timeout) {
		throw new UnsupportedOperationException();
	}

	/**
	 * Tells whether callers are admitted.
	 * @return false after {@link #stop} and {@link #close}
	 */
	public boolean isRunning() {
		throw new UnsupportedOperationException();
	}

	/**
	 * Returns the settings that hold for a lock name where the code says nothing.
	 * @param name what the lock protects
	 * @return the settings, all given but perhaps the store
	 */
	public LockSettings settings(String name) {
		throw new UnsupportedOperationException();
	}

	/**
	 * Stops at once, without waiting for holders, and ends the engine's threads. The
	 * stores are closed as well.
	 */
	@Override
	public void close() {
		throw new UnsupportedOperationException();
	}

	@Override
	public Lease acquire(LockRequest request) {
		throw new UnsupportedOperationException();
	}

	@Override
	public Optional<Lease> tryAcquire(LockRequest request) {
		throw new UnsupportedOperationException();
	}

	@Override
	public CompletableFuture<Lease> acquireAsync(LockRequest request) {
		throw new UnsupportedOperationException();
	}

	@Override
	public <T, E extends Exception> T execute(LockRequest request, LockCallback<T, E> work) throws E {
		throw new UnsupportedOperationException();
	}

	@Override
	public Lock asLock(LockRequest request) {
		throw new UnsupportedOperationException();
	}

	@Override
	public List<String> stores() {
		throw new UnsupportedOperationException();
	}

	@Override
	public List<HeldLock> held() {
		throw new UnsupportedOperationException();
	}

	@Override
	public List<WaitedLock> waiting() {
		throw new UnsupportedOperationException();
	}

	@Override
	public List<LockStatistics> statistics() {
		throw new UnsupportedOperationException();
	}

	@Override
	public Optional<StoredLock> find(LockKey key, @Nullable String store) {
		throw new UnsupportedOperationException();
	}

	@Override
	public boolean forceRelease(LockKey key, @Nullable String store, long fencingToken) {
		throw new UnsupportedOperationException();
	}

	/**
	 * Configures a {@link LockEngine}.
	 */
	public static final class Builder {

		private Builder() {
		}

		/**
		 * Adds a store. The first one is the default unless {@link #defaultStore} says
		 * otherwise.
		 * @param store the store; the engine closes it
		 * @return this builder
		 * @throws IllegalArgumentException if there is a store of that name already
		 */
		public Builder store(LockStore store) {
			return this;
		}

		/**
		 * Chooses the store of requests that name none.
		 * @param name name of a store
		 * @return this builder
		 */
		public Builder defaultStore(String name) {
			return this;
		}

		/**
		 * Sets what holds where neither code nor name says anything.
		 * @param settings the settings; what is open there is filled from
		 * {@link LockSettings#DEFAULTS}
		 * @return this builder
		 */
		public Builder defaults(LockSettings settings) {
			return this;
		}

		/**
		 * Sets what holds for single lock names.
		 * @param settings settings by lock name
		 * @return this builder
		 */
		public Builder locks(Map<String, LockSettings> settings) {
			return this;
		}

		/**
		 * Adds a listener.
		 * @param listener called outside all locks
		 * @return this builder
		 */
		public Builder listener(LockListener listener) {
			return this;
		}

		/**
		 * Sets how many leases in a row callers of this JVM may hand to each other, and
		 * for how long, before other JVMs get their turn.
		 * @param leases one or more; one switches local handoff off (default 64)
		 * @param time above zero (default 50 ms)
		 * @return this builder
		 */
		public Builder handoff(int leases, Duration time) {
			return this;
		}

		/**
		 * Sets how often a waiting JVM asks the store again, with jitter.
		 * @param interval above zero (default 400 ms); at most half of the store's
		 * reservation
		 * @return this builder
		 */
		public Builder recheck(Duration interval) {
			return this;
		}

		/**
		 * Sets how long a store command may take at most; it is never more than a sixth
		 * of the ttl.
		 * @param timeout above zero (default 1 s)
		 * @return this builder
		 */
		public Builder commandTimeout(Duration timeout) {
			return this;
		}

		/**
		 * Sets the clock that deadlines are compared with.
		 * @param ticker the clock (default {@link Ticker#SYSTEM})
		 * @return this builder
		 */
		public Builder ticker(Ticker ticker) {
			return this;
		}

		/**
		 * Makes the engine, running.
		 * @return the engine
		 * @throws IllegalStateException if there is no store, or no store of the chosen
		 * name
		 */
		public LockEngine build() {
			return new LockEngine(this);
		}

	}

}
