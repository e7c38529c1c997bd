package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.Lock;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.function.Function;
import java.util.stream.Collectors;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockCallback;
import io.distributedlock.LockInspector;
import io.distributedlock.LockKey;
import io.distributedlock.LockContext;
import io.distributedlock.LockListener;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockOwner;
import io.distributedlock.LockPolicy;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockStoreException;
import io.distributedlock.LockTemplate;
import io.distributedlock.MultiLease;
import io.distributedlock.MultiLockCallback;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.StoreException;
import io.distributedlock.spi.Ticker;
import org.jspecify.annotations.Nullable;

/**
 * Takes and holds locks of one or several stores: the implementation of
 * {@link LockTemplate} and {@link LockInspector}. Make one per application with
 * {@link #builder()}; it starts at once.
 */
public final class LockEngine implements LockTemplate, LockInspector, AutoCloseable {

	private static final AtomicInteger INSTANCES = new AtomicInteger();

	/** Beyond its limit a caller still waits this long for the store's own words. */
	static final long GRACE = 50_000_000;

	private static final long DRAIN_PAUSE = 5_000_000;

	private final EngineOptions options;

	private final Clock clock;

	private final Map<String, StoreRuntime> runtimes = new LinkedHashMap<>();

	private final Targets targets;

	private final Listeners listeners;

	private final Statistics statistics = new Statistics();

	private final HotKeys hotKeys;

	private final Policies policies;

	private final Timers timers;

	private final DeadlockDetector deadlocks;

	private final Watchdog watchdog;

	private final ThreadPoolExecutor callbackExecutor;

	private final ThreadPoolExecutor lossExecutor;

	private volatile boolean running = true;

	private LockEngine(Builder builder) {
		String name = "lock-engine-" + INSTANCES.incrementAndGet();
		this.options = new EngineOptions(builder.handoffLeases, builder.handoffTime.toNanos(),
				builder.recheck.toNanos(), builder.commandTimeout.toNanos(),
				builder.deadlockDetection ? builder.deadlockThreshold.toNanos() : DeadlockDetector.NEVER);
		this.clock = new Clock(builder.ticker);
		this.hotKeys = new HotKeys(this.clock);
		LockSettings defaults = builder.defaults.orElse(LockSettings.DEFAULTS);
		Map<String, LockSettings> locks = Targets.resolve(builder.locks, defaults);
		List<LockListener> all = new ArrayList<>(builder.listeners);
		all.add(this.statistics);
		this.policies = new Policies(builder.policies);
		if (!this.policies.isEmpty()) {
			all.add(this.policies);
		}
		this.listeners = new Listeners(all);
		this.timers = new Timers(name + "-timer");
		this.deadlocks = new DeadlockDetector(this, this.options.deadlockThreshold());
		this.watchdog = new Watchdog(this, this.clock, name + "-watchdog");
		this.callbackExecutor = executor(16, name + "-callback");
		this.lossExecutor = executor(8, name + "-loss");
		for (LockStore store : builder.stores) {
			this.runtimes.put(store.name(), new StoreRuntime(this, store));
		}
		String defaultStore = (builder.defaultStore != null) ? builder.defaultStore
				: this.runtimes.keySet().iterator().next();
		this.targets = new Targets(defaults, locks, this.policies, this.runtimes, defaultStore);
		this.runtimes.values().forEach(this.deadlocks::listen);
		this.runtimes.values().forEach(StoreRuntime::subscribe);
		this.watchdog.start();
	}

	private static ThreadPoolExecutor executor(int threads, String name) {
		ThreadPoolExecutor executor = new ThreadPoolExecutor(threads, threads, 10, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), (task) -> daemon(task, name));
		executor.allowCoreThreadTimeOut(true);
		// After close() somebody may still wait for the end of an asynchronous call.
		executor.setRejectedExecutionHandler((task, closed) -> task.run());
		return executor;
	}

	static Thread daemon(Runnable task, String name) {
		Thread thread = new Thread(task, name);
		thread.setDaemon(true);
		return thread;
	}

	/**
	 * Begins to configure an engine.
	 * @return a builder with the defaults
	 */
	public static Builder builder() {
		return new Builder();
	}

	// ---- Life

	/**
	 * Admits callers again after {@link #stop}. Does nothing if the engine runs.
	 */
	public void start() {
		if (this.timers.isClosed()) {
			throw new IllegalStateException("This lock engine is closed. Make a new one.");
		}
		this.watchdog.renewing(true);
		this.running = true;
	}

	/**
	 * Stops admitting callers, refuses those that wait, and goes on renewing what is held
	 * until it is released or the time is up. What is still held then is left to its ttl,
	 * since the code under it may still run. Blocks.
	 * @param timeout how long to wait for holders
	 * @return true if nothing is held any more
	 */
	public boolean stop(Duration timeout) {
		this.running = false;
		// As much as there is, if it is meant to be for ever.
		long end = Clock.plus(this.clock.now(), TimeUnit.NANOSECONDS.convert(timeout));
		for (StoreRuntime runtime : this.runtimes.values()) {
			runtime.gates().forEach(KeyGate::shutDown);
		}
		boolean idle = isIdle();
		while (!idle && this.clock.now() < end && !Thread.currentThread().isInterrupted()) {
			LockSupport.parkNanos(this.clock.park(DRAIN_PAUSE));
			idle = isIdle();
		}
		if (!this.running) {
			this.watchdog.renewing(false);
		}
		return idle;
	}

	private boolean isIdle() {
		return this.runtimes.values()
			.stream()
			.flatMap((runtime) -> runtime.gates().stream())
			.noneMatch(KeyGate::isBusy);
	}

	/**
	 * Tells whether callers are admitted.
	 * @return false after {@link #stop} and {@link #close}
	 */
	public boolean isRunning() {
		return this.running;
	}

	/**
	 * Stops at once, without waiting for holders, and ends the engine's threads. The
	 * stores are closed as well.
	 */
	@Override
	public void close() {
		stop(Duration.ZERO);
		this.watchdog.close();
		this.timers.close();
		this.callbackExecutor.shutdown();
		this.lossExecutor.shutdown();
		for (StoreRuntime runtime : this.runtimes.values()) {
			try {
				runtime.store.close();
			}
			catch (RuntimeException ex) {
				StoreRuntime.logger.warn("The store '{}' could not be closed", runtime.name(), ex);
			}
		}
	}

	// ---- Settings

	/**
	 * Returns the settings that hold for a lock name where the code says nothing.
	 * @param name what the lock protects
	 * @return the settings, all given but perhaps the store
	 */
	public LockSettings settings(String name) {
		return this.targets.settings(name);
	}

	StoreRuntime runtime(@Nullable String store) {
		return this.targets.runtime(store);
	}

	// ---- Acquiring

	@Override
	public Lease acquire(LockRequest request) {
		LockSettings settings = this.targets.settings(request);
		StoreRuntime runtime = runtime(settings.store());
		Profile profile = this.targets.profile(request, settings, runtime);
		return new BlockingAcquire(this, runtime, request, profile).run();
	}

	@Override
	public Optional<Lease> tryAcquire(LockRequest request) {
		try {
			return Optional.of(acquire(request));
		}
		catch (LockNotAcquiredException ex) {
			if (ex.reason() == Reason.BUSY || ex.reason() == Reason.TIMED_OUT
					|| ex.reason() == Reason.PREDICTED_TIMEOUT) {
				return Optional.empty();
			}
			throw ex;
		}
	}

	/**
	 * Code that runs under a lock may re-enter it while this instance shuts down, since
	 * it could not finish otherwise.
	 */
	boolean reenters(StoreRuntime runtime, LockKey key, LockOwner owner) {
		return owner.leases()
			.stream()
			.anyMatch((lease) -> lease.isHeld() && lease.key().equals(key) && lease.store().equals(runtime.name()));
	}

	/** Tells listeners why a caller did not get a lock. */
	void tellOfFailure(LockKey key, String store, Throwable failure, Duration waited) {
		if (failure instanceof LockNotAcquiredException refused) {
			this.listeners.notify((listener) -> listener.onRefused(key, store, refused, waited));
		}
		else if (failure instanceof LockStoreException outage) {
			this.listeners.notify((listener) -> listener.onFailed(key, store, outage, waited));
		}
		else if (failure instanceof DeadlockDetectedException deadlock) {
			DeadlockDetector.log(deadlock);
			this.listeners.notify((listener) -> listener.onDeadlock(key, store, deadlock, waited));
		}
	}

	@Override
	public CompletableFuture<Lease> acquireAsync(LockRequest request) {
		LockSettings settings = this.targets.settings(request);
		StoreRuntime runtime = runtime(settings.store());
		Profile profile = this.targets.profile(request, settings, runtime);
		return new AsyncAcquire(this, runtime, request, profile).start();
	}

	@Override
	public <T, E extends Exception> T execute(LockRequest request, LockCallback<T, E> work) throws E {
		try (Lease lease = acquire(request)) {
			T result = work.call(lease);
			if (Boolean.TRUE.equals(this.targets.settings(request).keep()) && lease.isHeld()) {
				lease.keep();
			}
			return result;
		}
	}

	// ---- Several locks

	@Override
	public MultiLease acquireAll(Collection<LockRequest> requests) {
		List<Target> targets = this.targets.sorted(requests);
		return new MultiAcquire(this, Targets.ownerOf(targets, LockContext.owner()), targets).run();
	}

	@Override
	public CompletableFuture<MultiLease> acquireAllAsync(Collection<LockRequest> requests) {
		List<Target> targets = this.targets.sorted(requests);
		LockOwner bound = LockContext.boundOwner();
		LockOwner owner = Targets.ownerOf(targets, (bound != null) ? bound : LockOwner.create("async"));
		return new AsyncMultiAcquire(this, owner, targets).start();
	}

	@Override
	public <T, E extends Exception> T executeAll(Collection<LockRequest> requests, MultiLockCallback<T, E> work)
			throws E {
		List<LockRequest> asked = List.copyOf(requests);
		try (MultiLease leases = acquireAll(asked)) {
			T result = work.call(leases);
			Set<LockKey> kept = asked.stream()
				.filter((request) -> Boolean.TRUE.equals(this.targets.settings(request).keep()))
				.map(LockRequest::key)
				.collect(Collectors.toSet());
			leases.leases()
				.stream()
				.filter((lease) -> kept.contains(lease.key()) && lease.isHeld())
				.forEach(Lease::keep);
			return result;
		}
	}

	@Override
	public List<LockOutcome> tryAcquireEach(Collection<LockRequest> requests) {
		List<Target> targets = this.targets.each(requests);
		if (targets.isEmpty()) {
			return List.of();
		}
		return new EachAcquire(this, Targets.ownerOf(targets, LockContext.owner()), targets).run();
	}

	@Override
	public boolean releaseAll(Collection<? extends Lease> leases) {
		return LeaseGroup.releaseAll(leases);
	}

	@Override
	public Lock asLock(LockRequest request) {
		runtime(this.targets.settings(request).store());
		return new LockView(this, request);
	}

	@Override
	public ReadWriteLock asReadWriteLock(LockRequest request) {
		LockRequest reading = request.withMode(LockMode.READ);
		check(reading);
		return new ReadWriteLockView(asLock(reading), asLock(request.withMode(LockMode.WRITE)));
	}

	@Override
	public void check(LockRequest request) {
		this.targets.of(request);
	}

	/**
	 * A lock as {@link ReadWriteLock}.
	 */
	private record ReadWriteLockView(Lock readLock, Lock writeLock) implements ReadWriteLock {
	}

	/** Returns the name of the store that a request goes to. */
	String storeOf(LockRequest request) {
		return runtime(this.targets.settings(request).store()).name();
	}

	// ---- Inspecting

	@Override
	public List<String> stores() {
		List<String> names = new ArrayList<>(this.runtimes.keySet());
		names.remove(runtime(null).name());
		names.add(0, runtime(null).name());
		return List.copyOf(names);
	}

	@Override
	public List<HeldLock> held() {
		return this.runtimes.values()
			.stream()
			.flatMap((runtime) -> runtime.gates().stream())
			.flatMap((gate) -> gate.held().stream())
			.sorted(Comparator.comparing(HeldLock::held).reversed())
			.toList();
	}

	@Override
	public List<WaitedLock> waiting() {
		return this.runtimes.values()
			.stream()
			.flatMap((runtime) -> runtime.gates().stream())
			.map(KeyGate::waited)
			.filter(Objects::nonNull)
			.sorted(Comparator.comparingInt(WaitedLock::waiters).reversed())
			.toList();
	}

	@Override
	public List<LockStatistics> statistics() {
		return this.statistics.snapshot();
	}

	@Override
	public List<HotLock> hotKeys() {
		return this.hotKeys.snapshot();
	}

	@Override
	public List<ObservedHoldTime> observedHoldTimes() {
		return this.policies.observed();
	}

	@Override
	public Optional<StoredLock> find(LockKey key, @Nullable String store) {
		StoreRuntime runtime = runtime(store);
		return ask(runtime, key, "the store could not tell about it", inspectable(runtime).inspect(key, timeout()));
	}

	@Override
	public boolean forceRelease(LockKey key, @Nullable String store, long fencingToken) {
		StoreRuntime runtime = runtime(store);
		return ask(runtime, key, "it is not known whether it was released by force",
				inspectable(runtime).forceRelease(key, fencingToken, timeout()));
	}

	private <T> T ask(StoreRuntime runtime, LockKey key, String doing, CompletionStage<T> answer) {
		try {
			return Waits.get(answer.toCompletableFuture());
		}
		catch (StoreException ex) {
			throw runtime.outage(key, doing, ex);
		}
	}

	private Duration timeout() {
		return Duration.ofNanos(this.options.commandTimeout());
	}

	private static InspectableLockStore inspectable(StoreRuntime runtime) {
		if (runtime.store instanceof InspectableLockStore inspectable) {
			return inspectable;
		}
		throw new IllegalArgumentException("The lock store '" + runtime.name()
				+ "' can neither tell about a single lock nor release one by force.");
	}

	// ---- For the rest of the engine

	/** Returns how many keys this instance has anything to do with at this moment. */
	int gateCount() {
		return this.runtimes.values().stream().mapToInt((runtime) -> runtime.gates().size()).sum();
	}

	EngineOptions options() {
		return this.options;
	}

	Clock clock() {
		return this.clock;
	}

	Listeners listeners() {
		return this.listeners;
	}

	/** A caller had to wait for somebody else, and does so no longer. */
	void hasWaited(LockKey key, StoreRuntime runtime, long since) {
		this.hotKeys.waited(key, runtime.name(), this.clock.now() - since);
	}

	DeadlockDetector deadlocks() {
		return this.deadlocks;
	}

	Policies policies() {
		return this.policies;
	}

	Timers timers() {
		return this.timers;
	}

	Watchdog watchdog() {
		return this.watchdog;
	}

	Executor callbackExecutor() {
		return this.callbackExecutor;
	}

	Executor lossExecutor() {
		return this.lossExecutor;
	}

	/**
	 * Configures a {@link LockEngine}.
	 */
	public static final class Builder {

		private final List<LockStore> stores = new ArrayList<>();

		private final List<LockListener> listeners = new ArrayList<>();

		private @Nullable String defaultStore;

		private LockSettings defaults = LockSettings.DEFAULTS;

		private Map<String, LockSettings> locks = Map.of();

		private @Nullable Function<String, LockPolicy> policies;

		private int handoffLeases = 64;

		private Duration handoffTime = Duration.ofMillis(50);

		private Duration recheck = Duration.ofMillis(400);

		private Duration commandTimeout = Duration.ofSeconds(1);

		private boolean deadlockDetection = true;

		private Duration deadlockThreshold = Duration.ofMillis(50);

		private Ticker ticker = Ticker.SYSTEM;

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
			if (this.stores.stream().anyMatch((other) -> other.name().equals(store.name()))) {
				throw new IllegalArgumentException("There is a lock store '" + store.name() + "' already.");
			}
			this.stores.add(store);
			return this;
		}

		/**
		 * Chooses the store of requests that name none.
		 * @param name name of a store
		 * @return this builder
		 */
		public Builder defaultStore(String name) {
			this.defaultStore = name;
			return this;
		}

		/**
		 * Sets what holds where neither code nor name says anything.
		 * @param settings the settings; what is open there is filled from
		 * {@link LockSettings#DEFAULTS}
		 * @return this builder
		 */
		public Builder defaults(LockSettings settings) {
			this.defaults = settings;
			return this;
		}

		/**
		 * Sets what holds for single lock names.
		 * @param settings settings by lock name
		 * @return this builder
		 */
		public Builder locks(Map<String, LockSettings> settings) {
			this.locks = Map.copyOf(settings);
			return this;
		}

		/**
		 * Sets what operators decide about lock names.
		 * @param byName gives the policy of a name; asked once for each of the first
		 * thousand names
		 * @return this builder
		 */
		public Builder policies(Function<String, LockPolicy> byName) {
			this.policies = byName;
			return this;
		}

		/**
		 * Adds a listener.
		 * @param listener called outside all locks
		 * @return this builder
		 */
		public Builder listener(LockListener listener) {
			this.listeners.add(listener);
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
			if (leases < 1 || leases > 1024) {
				throw new IllegalArgumentException(
						"handoff leases are " + leases + ". Use 1 to 1024; the default is 64.");
			}
			this.handoffLeases = leases;
			this.handoffTime = positive("handoff time", time);
			return this;
		}

		/**
		 * Sets how often a waiting JVM asks the store again, with jitter.
		 * @param interval above zero (default 400 ms); at most half of the store's
		 * reservation
		 * @return this builder
		 */
		public Builder recheck(Duration interval) {
			this.recheck = positive("recheck", interval);
			return this;
		}

		/**
		 * Sets how long a store command may take at most; it is never more than a sixth
		 * of the ttl.
		 * @param timeout above zero (default 1 s)
		 * @return this builder
		 */
		public Builder commandTimeout(Duration timeout) {
			this.commandTimeout = positive("command timeout", timeout);
			return this;
		}

		/**
		 * Sets whether callers that wait for each other in a circle are looked for. The
		 * last one to wait then gets a {@link DeadlockDetectedException}.
		 * @param enabled false to let them wait until their wait time is over (default
		 * true)
		 * @return this builder
		 */
		public Builder deadlockDetection(boolean enabled) {
			this.deadlockDetection = enabled;
			return this;
		}

		/**
		 * Sets after which wait a caller that holds a lock begins to look for a deadlock.
		 * Shorter waits are never looked at.
		 * @param threshold 1 ms or more (default 50 ms)
		 * @return this builder
		 */
		public Builder deadlockThreshold(Duration threshold) {
			positive("deadlock threshold", threshold);
			if (threshold.toMillis() < 1) {
				throw new IllegalArgumentException(
						"The deadlock threshold is " + threshold + ". Use 1 ms or more; the default is 50 ms.");
			}
			this.deadlockThreshold = threshold;
			return this;
		}

		/**
		 * Sets the clock that deadlines are compared with.
		 * @param ticker the clock (default {@link Ticker#SYSTEM})
		 * @return this builder
		 */
		public Builder ticker(Ticker ticker) {
			this.ticker = ticker;
			return this;
		}

		/**
		 * Makes the engine, running.
		 * @return the engine
		 * @throws IllegalStateException if there is no store, or no store of the chosen
		 * name
		 */
		public LockEngine build() {
			if (this.stores.isEmpty()) {
				throw new IllegalStateException("There is no lock store. Add one with store(...).");
			}
			String chosen = this.defaultStore;
			if (chosen != null && this.stores.stream().noneMatch((store) -> store.name().equals(chosen))) {
				throw new IllegalStateException("The default lock store is '" + chosen + "', but there is only "
						+ String.join(", ", this.stores.stream().map(LockStore::name).toList()) + ".");
			}
			return new LockEngine(this);
		}

		private static Duration positive(String what, Duration value) {
			if (value.isNegative() || value.isZero() || value.compareTo(LockSettings.MAX_DURATION) > 0) {
				throw new IllegalArgumentException("The " + what + " is " + value + ". It must be above 0.");
			}
			return value;
		}

	}

}
