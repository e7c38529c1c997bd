package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.DeadlockDetectedException.Participant;
import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.test.FaultyLockStore;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Threads of three JVMs take locks in random order, so that deadlocks happen all the
 * time. Each that is reported is compared with what the threads themselves know, while
 * the victim still holds what it held: then all others of the cycle must still wait. And
 * where only ordinary locks are taken, none may be missed.
 */
class DeadlockRaceTests extends DeadlockFixture {

	private static final Logger logger = LoggerFactory.getLogger("race.DeadlockRaceTests");

	private static final int JVMS = 3;

	private static final int THREADS = 15;

	private static final int LOCKS = 8;

	private final ScheduledExecutorService network = Executors.newScheduledThreadPool(2);

	private final Map<String, Set<String>> holding = new ConcurrentHashMap<>();

	private final Map<String, String> waitingFor = new ConcurrentHashMap<>();

	/** When each caller was a victim, or gave up, for the last time. */
	private final Map<String, Long> victims = new ConcurrentHashMap<>();

	private final Queue<String> mistakes = new ConcurrentLinkedQueue<>();

	private final AtomicInteger deadlocks = new AtomicInteger();

	private final AtomicInteger timeouts = new AtomicInteger();

	private final AtomicInteger sections = new AtomicInteger();

	@AfterEach
	void stopNetwork() {
		this.network.shutdownNow();
	}

	@ParameterizedTest
	@EnumSource
	void whatIsReportedIsADeadlock(Mix mix) throws Exception {
		List<LockEngine> jvms = new ArrayList<>();
		for (int i = 0; i < JVMS; i++) {
			FaultyLockStore store = FaultyLockStore.around(this.server.connect("jvm-" + (10 + i), this.network,
					() -> Duration.ofNanos(ThreadLocalRandom.current().nextLong(2_000_000))));
			if (mix == Mix.LOST_MESSAGES) {
				store.loseMessages((message) -> ThreadLocalRandom.current().nextInt(5) == 0);
			}
			jvms.add(engine((builder) -> builder.store(store.store())));
		}
		long seed = System.nanoTime();
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(Integer.getInteger("race.seconds", 4));
		List<Future<?>> results = new ArrayList<>();
		for (int i = 0; i < THREADS; i++) {
			String name = "caller-" + i;
			LockEngine engine = jvms.get(i % JVMS);
			Random random = new Random(seed + i);
			results.add(onThread(() -> {
				Thread.currentThread().setName(name);
				this.holding.put(name, ConcurrentHashMap.newKeySet());
				while (System.nanoTime() < end) {
					section(name, engine, random, mix);
				}
				return null;
			}));
		}
		for (Future<?> result : results) {
			result.get(60, TimeUnit.SECONDS);
		}
		logger.info("{}: {} sections, {} deadlocks, {} timeouts, seed {}", mix, this.sections, this.deadlocks,
				this.timeouts, seed);
		assertThat(this.mistakes).isEmpty();
		assertThat(this.sections).hasValueGreaterThan(10);
		if (mix == Mix.IN_ORDER) {
			assertThat(this.deadlocks).hasValue(0);
		}
		else {
			assertThat(this.deadlocks).hasValueGreaterThan(0);
		}
		if (mix != Mix.ALL_KINDS) {
			assertThat(this.timeouts).hasValue(0);
		}
		eventually().untilAsserted(() -> assertThat(jvms).allMatch((engine) -> engine.deadlocks().size() == 0));
	}

	private void section(String name, LockEngine engine, Random random, Mix mix) throws InterruptedException {
		List<Integer> numbers = new ArrayList<>();
		for (int i = 0; i < LOCKS; i++) {
			numbers.add(i);
		}
		Collections.shuffle(numbers, random);
		numbers = new ArrayList<>(numbers.subList(0, 2 + random.nextInt(2)));
		if (mix == Mix.IN_ORDER) {
			Collections.sort(numbers);
		}
		List<Lease> leases = new ArrayList<>();
		try {
			for (int number : numbers) {
				LockRequest request = request(number, random, mix);
				this.waitingFor.put(name, request.key().id());
				leases.add(engine.acquire(request));
				this.holding.get(name).add(request.key().id());
				this.waitingFor.remove(name);
				Thread.sleep(random.nextInt(12));
			}
			this.sections.incrementAndGet();
		}
		catch (DeadlockDetectedException ex) {
			this.deadlocks.incrementAndGet();
			this.victims.put(name, System.nanoTime());
			check(name, ex);
		}
		catch (LockNotAcquiredException ex) {
			this.timeouts.incrementAndGet();
			// The victim of a cycle that this one was part of may get to know it late.
			this.victims.put(name, System.nanoTime());
		}
		finally {
			this.waitingFor.remove(name);
			for (int i = leases.size() - 1; i >= 0; i--) {
				this.holding.get(name).remove(leases.get(i).key().id());
				leases.get(i).release();
			}
		}
	}

	private static LockRequest request(int number, Random random, Mix mix) {
		LockRequest request = LockRequest.of("race", number).withWaitTime(Duration.ofSeconds(20));
		if (mix != Mix.ALL_KINDS) {
			return request;
		}
		request = request.withWaitTime(Duration.ofMillis(800));
		return switch (random.nextInt(4)) {
			case 0 -> request.withMode(LockMode.READ);
			case 1 -> request.withFair(true);
			default -> request;
		};
	}

	/** As long as the victim holds what it held, nobody in the cycle can go on. */
	private void check(String victim, DeadlockDetectedException deadlock) {
		if (!deadlock.cycle().get(0).owner().equals(victim)) {
			this.mistakes.add(victim + " is not the first of " + deadlock.getMessage());
		}
		for (Participant caller : deadlock.cycle()) {
			boolean waits = caller.waitsFor().equals(this.waitingFor.get(caller.owner()));
			boolean holds = this.holding.get(caller.owner()).contains(caller.holds());
			// It may have been the victim of another cycle meanwhile, or give up by time.
			Long victimAt = this.victims.get(caller.owner());
			boolean wasVictim = victimAt != null
					&& System.nanoTime() - victimAt < caller.waited().plusSeconds(1).toNanos();
			if (!(waits && holds) && !wasVictim && caller.waited().compareTo(Duration.ofMillis(700)) < 0) {
				this.mistakes.add(caller + " waits: " + waits + ", holds: " + holds);
			}
		}
	}

	/**
	 * What the callers take.
	 */
	enum Mix {

		ORDINARY, LOST_MESSAGES, ALL_KINDS, IN_ORDER

	}

}
