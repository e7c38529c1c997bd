package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.test.EngineRaceTests.Weather;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Readers, writers, callers in strict order and holders of permits of several engines
 * compete over one server and a network that fails at random. Some writers go on as
 * readers. Whatever fails: a writer is alone, no more than there are permits hold the
 * lock, every caller ends in time, and nothing is left behind. {@code -Drace.seed}
 * repeats the faults of a failed run.
 */
class SharingRaceTests {

	private static final Logger logger = LoggerFactory.getLogger(SharingRaceTests.class);

	private static final Duration TTL = Duration.ofMillis(600);

	private static final Duration COMMAND_TIMEOUT = Duration.ofMillis(80);

	private static final Duration SLACK = Duration.ofSeconds(1);

	private static final int PERMITS = 3;

	private static final int JVMS = 3;

	private static final int THREADS = 5;

	private final Hiccups hiccups = Hiccups.start();

	private final ScheduledExecutorService network = Executors.newScheduledThreadPool(2);

	private final ExecutorService callers = Executors.newCachedThreadPool();

	private final InMemoryLockServer server = InMemoryLockServer.builder()
		.reservation(Duration.ofMillis(200))
		.queueEntryTtl(Duration.ofMillis(300))
		.build();

	private final List<FaultyLockStore> stores = new ArrayList<>();

	private final List<LockEngine> engines = new ArrayList<>();

	private final Queue<Held> history = new ConcurrentLinkedQueue<>();

	private final Queue<Duration> late = new ConcurrentLinkedQueue<>();

	@AfterEach
	void stop() {
		this.engines.forEach(LockEngine::close);
		this.callers.shutdownNow();
		this.network.shutdownNow();
		this.hiccups.close();
	}

	@ParameterizedTest
	@EnumSource
	void whoIsAloneIsAloneAndNothingIsLeftBehind(Weather weather) throws Exception {
		long seed = Long.getLong("race.seed", System.nanoTime());
		String run = weather + ", seed " + seed;
		Random random = new Random(seed);
		for (int i = 0; i < JVMS; i++) {
			connect(i, weather, random);
		}
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Integer.getInteger("race.seconds", 3));
		List<Future<?>> results = new ArrayList<>();
		for (int i = 0; i < JVMS * THREADS; i++) {
			LockEngine engine = this.engines.get(i % JVMS);
			Random dice = new Random(random.nextLong());
			results.add(this.callers.submit(() -> call(engine, dice, end)));
		}
		for (Future<?> result : results) {
			result.get(60, TimeUnit.SECONDS);
		}
		Duration hiccup = this.hiccups.longest();
		Duration latest = this.late.stream().max(Comparator.naturalOrder()).orElse(Duration.ZERO);
		logger.info("{}: {} leases, at most {} late with a hiccup of {}", run, this.history.size(), latest, hiccup);
		assertThat(violations()).as(run).isEmpty();
		// How many depends on the machine: in a storm, one that stands still for a second
		// lets few come to an end.
		assertThat(this.history.size()).as("leases, %s", run).isPositive();
		if (weather == Weather.CALM) {
			assertThat(this.history).as(run).extracting(Held::kind).contains(Kind.values());
			assertThat(this.stores).as(run).anyMatch((store) -> store.count(CommandKind.DOWNGRADE) > 0);
		}
		assertThat(latest).as("how late a caller came back, %s", run)
			.isLessThan(COMMAND_TIMEOUT.plus(SLACK).plus(hiccup.multipliedBy(3)));
		this.stores.forEach(FaultyLockStore::heal);
		Awaitility.await(run)
			.atMost(TTL.multipliedBy(2).plusSeconds(10))
			.untilAsserted(() -> assertThat(this.server.size()).as("keys that the server remembers").isZero());
		assertThat(this.engines).allSatisfy((engine) -> {
			assertThat(engine.held()).as("held").isEmpty();
			assertThat(engine.waiting()).as("waiting").isEmpty();
		});
	}

	private void connect(int jvm, Weather weather, Random random) {
		InMemoryLockStore good = this.server.connect("jvm-" + jvm, this.network,
				() -> Duration.ofNanos(random.nextInt(500_000)));
		FaultyLockStore store = FaultyLockStore.around(good);
		Random faults = new Random(random.nextLong());
		store.otherwise((kind) -> weather.faults.apply(jvm, faults));
		store.loseSignals(() -> faults.nextInt(100) < weather.lostSignals);
		this.stores.add(store);
		this.engines.add(LockEngine.builder()
			.store(store.store())
			.recheck(Duration.ofMillis(80))
			.commandTimeout(COMMAND_TIMEOUT)
			.build());
	}

	private void call(LockEngine engine, Random random, long end) {
		while (System.nanoTime() - end < 0) {
			Kind kind = Kind.values()[random.nextInt(Kind.values().length)];
			boolean patient = random.nextInt(100) < 75;
			LockRequest request = kind.request(random.nextInt(100) < 85)
				.withTtl(TTL)
				.withWaitTime(patient ? Duration.ofMillis(random.nextInt(800)) : Duration.ZERO);
			ScheduledFuture<?> interrupt = (random.nextInt(100) < 5) ? this.network
				.schedule(Thread.currentThread()::interrupt, random.nextInt(20_000), TimeUnit.MICROSECONDS) : null;
			long invoked = System.nanoTime();
			try {
				if (kind == Kind.WRITE && random.nextInt(100) < 50) {
					writeThenRead(engine, request, random, invoked);
				}
				else if (random.nextInt(100) < 15) {
					callAsync(engine, request, kind, random);
				}
				else {
					try (Lease lease = engine.acquire(request)) {
						checkPromptness(request, invoked);
						use(lease, kind, random);
					}
				}
			}
			catch (LockLostException ex) {
				// The history knows until when it was held.
			}
			catch (LockNotAcquiredException | LockStoreException ex) {
				checkPromptness(request, invoked);
			}
			if (interrupt != null && !interrupt.cancel(false)) {
				Awaitility.await().until(interrupt::isDone);
			}
			Thread.interrupted();
		}
	}

	/**
	 * From the moment when it stops writing others may read as well.
	 */
	private void writeThenRead(LockEngine engine, LockRequest request, Random random, long invoked) {
		LockRequest owned = request.withOwner(LockOwner.create("downgrading"));
		Lease writer = engine.acquire(owned);
		try {
			checkPromptness(request, invoked);
			try (Lease reader = engine.acquire(owned.withMode(LockMode.READ))) {
				use(writer, Kind.WRITE, random);
				if (random.nextInt(100) < 70) {
					writer.close();
				}
				else {
					writer.releaseAsync();
				}
				use(reader, Kind.READ, random);
			}
		}
		finally {
			writer.release();
		}
	}

	private void callAsync(LockEngine engine, LockRequest request, Kind kind, Random random) {
		CompletableFuture<Lease> future = engine.acquireAsync(request);
		if (random.nextBoolean()) {
			pause(random.nextInt(2000));
			future.cancel(true);
		}
		try {
			Lease lease = future.join();
			use(lease, kind, random);
			lease.releaseAsync();
		}
		catch (CancellationException ex) {
			// It was meant to be.
		}
		catch (CompletionException ex) {
			assertThat(ex.getCause()).isInstanceOfAny(LockNotAcquiredException.class, LockStoreException.class);
		}
	}

	private void use(Lease lease, Kind kind, Random random) {
		long returned = System.nanoTime();
		if (!lease.isHeld()) {
			return;
		}
		long heldUntil = returned;
		int steps = random.nextInt(3);
		for (int i = 0; i < steps; i++) {
			// Now and then longer than the ttl: only renewal keeps the lock.
			pause((random.nextInt(500) == 0) ? 750_000 : random.nextInt(1500));
			long now = System.nanoTime();
			if (!lease.isHeld()) {
				break;
			}
			heldUntil = now;
		}
		this.history.add(new Held(kind, returned, heldUntil));
	}

	private void checkPromptness(LockRequest request, long invoked) {
		Duration waitTime = request.settings().waitTime();
		this.late
			.add(Duration.ofNanos(System.nanoTime() - invoked).minus((waitTime != null) ? waitTime : Duration.ZERO));
	}

	private static void pause(int micros) {
		LockSupport.parkNanos(TimeUnit.MICROSECONDS.toNanos(micros));
	}

	/**
	 * Two that both knew for certain that they held the lock, though they may not.
	 */
	private List<String> violations() {
		List<String> violations = new ArrayList<>();
		List<Held> present = new ArrayList<>();
		for (Held next : this.history.stream().sorted(Comparator.comparingLong(Held::returned)).toList()) {
			present.removeIf((held) -> held.heldUntil - next.returned <= 0);
			for (Held held : present) {
				if (held.kind.excludes(next.kind)) {
					violations.add(next + " began within " + held);
				}
			}
			long permits = present.stream().filter((held) -> held.kind == Kind.PERMIT).count();
			if (next.kind == Kind.PERMIT && permits >= PERMITS) {
				violations.add(next + " is one too many");
			}
			present.add(next);
		}
		return violations;
	}

	/**
	 * How a caller wants the one key.
	 */
	private enum Kind {

		READ, WRITE, FAIR, PERMIT;

		boolean excludes(Kind other) {
			return this != other || this == WRITE || this == FAIR;
		}

		LockRequest request(boolean renew) {
			LockRequest request = LockRequest.of("hot").withRenew(renew);
			return switch (this) {
				case READ -> request.withMode(LockMode.READ);
				case WRITE -> request;
				case FAIR -> request.withFair(true);
				case PERMIT -> request.withPermits(PERMITS);
			};
		}

	}

	/**
	 * A lease that was held for certain.
	 *
	 * @param kind how
	 * @param returned when the caller was told
	 * @param heldUntil the last time when it was sure
	 */
	private record Held(Kind kind, long returned, long heldUntil) {
	}

}
