package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.BiFunction;
import java.util.function.Function;

import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.RaceCaller.Race;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Several engines compete over one server and a network that fails at random. Whatever
 * fails: holders never overlap, tokens rise, every caller ends in time, and nothing is
 * left behind. Set {@code -Drace.seed} to repeat the faults of a failed run, and
 * {@code -Drace.seconds} and {@code -Drace.threads} for more of it.
 */
class EngineRaceTests {

	private static final Logger logger = LoggerFactory.getLogger(EngineRaceTests.class);

	private static final Duration COMMAND_TIMEOUT = Duration.ofMillis(80);

	// What the engine and the scheduler may add; more than a thread's turn on a busy
	// machine is measured as a hiccup.
	private static final Duration SLACK = Duration.ofSeconds(1);

	private static final int JVMS = 3;

	private static final int THREADS = Integer.getInteger("race.threads", 4);

	private final Hiccups hiccups = Hiccups.start();

	private final ScheduledExecutorService network = Executors.newScheduledThreadPool(2);

	private final ExecutorService callers = Executors.newCachedThreadPool();

	private final InMemoryLockServer server = InMemoryLockServer.builder()
		.reservation(Duration.ofMillis(200))
		.queueEntryTtl(Duration.ofMillis(300))
		.build();

	private final List<FaultyLockStore> stores = new ArrayList<>();

	private final List<LockEngine> engines = new ArrayList<>();

	@AfterEach
	void stop() {
		this.engines.forEach(LockEngine::close);
		this.callers.shutdownNow();
		this.network.shutdownNow();
		this.hiccups.close();
	}

	@ParameterizedTest
	@EnumSource
	void holdersNeverOverlapAndNothingIsLeftBehind(Weather weather) throws Exception {
		long seed = Long.getLong("race.seed", System.nanoTime());
		Race race = run(weather, seed, Integer.getInteger("race.seconds", 3), (good) -> good);
		String run = weather + ", seed " + seed;
		Duration hiccup = this.hiccups.longest();
		logger.info("{}: {} leases, {} refused, {} failed, {} lost, at most {} late with a hiccup of {}", run,
				race.history().size(), race.refused(), race.failed(), race.lost(), race.latest(), hiccup);
		assertThat(race.history().violations()).as(run).isEmpty();
		assertThat(race.problems()).as(run).isEmpty();
		assertThat(race.latest().get()).as("how late a caller came back, %s", run)
			.isLessThan(COMMAND_TIMEOUT.plus(SLACK).plus(hiccup.multipliedBy(3)));
		assertThat(race.history().size()).as("leases, %s", run).isGreaterThan(50);
		assertNothingIsLeft(run);
	}

	@ParameterizedTest
	@EnumSource(names = { "GRANTS_EVERYBODY", "GIVES_THE_SAME_TOKENS_TO_EVERYBODY" })
	void aRaceNotices(PlantedGrantBug bug) throws Exception {
		Race race = run(Weather.CALM, 1, 1, bug::store);
		assertThat(race.history().violations()).isNotEmpty();
	}

	private Race run(Weather weather, long seed, int seconds, Function<InMemoryLockStore, LockStore> spoil)
			throws Exception {
		Random random = new Random(seed);
		for (int i = 0; i < JVMS; i++) {
			connect(i, weather, random, spoil);
		}
		long start = System.nanoTime();
		Race race = new Race(start, start + TimeUnit.SECONDS.toNanos(seconds), new History(), this.network,
				new LongAdder(), new LongAdder(), new LongAdder(), new ConcurrentLinkedQueue<>(),
				new AtomicReference<>(Duration.ZERO));
		List<Future<?>> results = new ArrayList<>();
		for (int i = 0; i < JVMS * THREADS; i++) {
			String name = "jvm-" + (i % JVMS) + "/" + i;
			results.add(this.callers.submit(new RaceCaller(name, this.engines.get(i % JVMS), race, random.nextLong())));
		}
		for (Future<?> result : results) {
			result.get(60, TimeUnit.SECONDS);
		}
		return race;
	}

	private void connect(int jvm, Weather weather, Random random, Function<InMemoryLockStore, LockStore> spoil) {
		InMemoryLockStore good = this.server.connect("jvm-" + jvm, this.network,
				() -> Duration.ofNanos(random.nextInt(500_000)));
		FaultyLockStore store = FaultyLockStore.around(spoil.apply(good));
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

	private void assertNothingIsLeft(String run) {
		this.stores.forEach(FaultyLockStore::heal);
		Awaitility.await(run)
			.atMost(Race.TTL.multipliedBy(2).plusSeconds(10))
			.untilAsserted(() -> assertThat(this.server.size()).as("keys that the server remembers").isZero());
		assertThat(this.engines).allSatisfy((engine) -> {
			assertThat(engine.held()).as("held").isEmpty();
			assertThat(engine.waiting()).as("waiting").isEmpty();
		});
	}

	/**
	 * How the network behaves.
	 */
	enum Weather {

		CALM(0, (jvm, random) -> Fault.none()),

		SIGNALS_ARE_LOST(60, (jvm, random) -> Fault.none()),

		MESSAGES_ARE_LOST(10, (jvm, random) -> {
			int dice = random.nextInt(100);
			return (dice < 4) ? Fault.dropRequest() : (dice < 8) ? Fault.dropReply() : Fault.none();
		}),

		REQUESTS_COME_LATE(10,
				(jvm, random) -> (random.nextInt(100) < 10) ? Fault.delay(Duration.ofMillis(random.nextInt(250)))
						: Fault.none()),

		COMMANDS_FAIL(10, (jvm, random) -> {
			int dice = random.nextInt(100);
			return (dice < 8) ? Fault.failBefore(new StoreException("refused", false, true, null)) : (dice < 16)
					? Fault.failAfter(new StoreException("connection lost", true, true, null)) : Fault.none();
		}),

		/** One JVM after the other loses the server for longer than its leases live. */
		PARTITIONS(0, (jvm, random) -> {
			long period = System.nanoTime() / TimeUnit.MILLISECONDS.toNanos(700);
			if (period % (JVMS + 1) != jvm) {
				return Fault.none();
			}
			return ((period / (JVMS + 1)) % 2 == 0) ? Fault.dropRequest() : Fault.dropReply();
		}),

		STORM(30, (jvm, random) -> {
			int dice = random.nextInt(100);
			return (dice < 10) ? Fault.dropRequest() : (dice < 20) ? Fault.dropReply()
					: (dice < 35) ? Fault.delay(Duration.ofMillis(random.nextInt(250))) : Fault.none();
		});

		final int lostSignals;

		final BiFunction<Integer, Random, Fault> faults;

		Weather(int lostSignals, BiFunction<Integer, Random, Fault> faults) {
			this.lostSignals = lostSignals;
			this.faults = faults;
		}

	}

}
