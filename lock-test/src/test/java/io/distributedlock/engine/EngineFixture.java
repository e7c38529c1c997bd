package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockKey;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.InMemoryLockStore;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;

/**
 * A server, engines over it that count as JVMs, and threads that call them.
 */
abstract class EngineFixture {

	static final Duration SHORT_TTL = Duration.ofSeconds(1);

	final InMemoryLockServer server = InMemoryLockServer.create();

	final FaultyLockStore faults = FaultyLockStore.around(this.server.connect("jvm-1"));

	private final List<LockEngine> engines = new ArrayList<>();

	/** A new thread for each task, since a thread is an owner. */
	final ExecutorService threads = new ThreadPoolExecutor(0, Integer.MAX_VALUE, 0, TimeUnit.NANOSECONDS,
			new SynchronousQueue<>());

	final LockEngine engine = engine((builder) -> builder.store(this.faults.store()));

	LockEngine engine(Consumer<LockEngine.Builder> customizer) {
		LockEngine.Builder builder = LockEngine.builder();
		customizer.accept(builder);
		LockEngine made = builder.build();
		this.engines.add(made);
		return made;
	}

	LockEngine otherJvm(String instance) {
		InMemoryLockStore store = this.server.connect(instance);
		return engine((builder) -> builder.store(store));
	}

	@AfterEach
	void closeAll() {
		this.threads.shutdownNow();
		LockContext.leases().forEach(Lease::release);
		this.engines.forEach(LockEngine::close);
	}

	static LockRequest stock() {
		return LockRequest.of("stock", 42);
	}

	static LockKey key() {
		return stock().key();
	}

	<T> Future<T> onThread(Callable<T> work) {
		return this.threads.submit(work);
	}

	/** Acquires for an owner of its own, which no thread has to stay alive for. */
	Lease heldByAnother(LockEngine engine, LockRequest request) throws Exception {
		return onThread(() -> engine.acquire(owned(request))).get();
	}

	Future<Lease> waitingThread(LockEngine engine, LockRequest request) {
		int before = waiters(engine);
		Future<Lease> waiting = onThread(() -> engine.acquire(owned(request)));
		eventually().until(() -> waiting.isDone() || waiters(engine) > before);
		return waiting;
	}

	private static LockRequest owned(LockRequest request) {
		return (request.owner() != null) ? request : request.withOwner(LockOwner.create("thread"));
	}

	static int waiters(LockEngine engine) {
		return engine.waiting().stream().mapToInt((waited) -> waited.waiters()).sum();
	}

	static ConditionFactory eventually() {
		return Awaitility.await().pollInterval(Duration.ofMillis(2)).atMost(Duration.ofSeconds(10));
	}

	/** Returns what is left of the key in the store. */
	boolean storeIsEmpty() {
		return this.server.size() == 0;
	}

}
