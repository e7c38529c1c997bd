package io.distributedlock.benchmarks.scenario;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;

import io.distributedlock.benchmarks.peer.Backend;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.scenario.LoadScenario.Jvm;
import io.distributedlock.benchmarks.worker.Keys;
import io.distributedlock.benchmarks.worker.WorkerSpec.Work;

/**
 * All scenarios.
 */
public final class Scenarios {

	private static final Predicate<Peer> ANY = (peer) -> true;

	private static final Predicate<Peer> WAITING = Peer::waits;

	// Many threads, many JVMs or many keys take too long with others.
	private static final Predicate<Peer> ON_REDIS = (peer) -> peer.backend() == Backend.REDIS;

	private static final Predicate<Peer> SHARED = (peer) -> peer.backend() != Backend.MEMORY;

	private static final Predicate<Peer> TRYING = SHARED.and((peer) -> !peer.name().equals(Peers.JETCD));

	// The order of threads matters only where JVMs compete.
	private static final Predicate<Peer> NOT_STRICT = (peer) -> !peer.name().equals(Peers.OURS_STRICT);

	private static final int TRIES = 10_000;

	private static final int TRYING_THREADS = 8;

	private static final Map<String, Scenario> ALL = new LinkedHashMap<>();

	static {
		add(own(1, NOT_STRICT));
		add(own(16, NOT_STRICT));
		add(own(64, NOT_STRICT.and(ON_REDIS)));
		add(own(256, NOT_STRICT.and(ON_REDIS)));
		add(hot(2, NOT_STRICT));
		add(hot(32, NOT_STRICT));
		add(hot(256, NOT_STRICT.and(ON_REDIS)));
		add(new LoadScenario("hot-3x8", "one hot key, 3 JVMs x 8 threads", Keys.HOT,
				Collections.nCopies(3, new Jvm(Work.CYCLES, 8, 0)), WAITING.and(ON_REDIS)));
		add(new LoadScenario("hot-2x2", "one hot key, 2 JVMs x 2 threads", Keys.HOT,
				Collections.nCopies(2, new Jvm(Work.CYCLES, 2, 0)), WAITING.and(SHARED)));
		add(new LoadScenario("zipf", "1,000 keys by Zipf's law, 64 threads", Keys.ZIPF,
				List.of(new Jvm(Work.CYCLES, 64, 0)), WAITING.and(ON_REDIS).and(NOT_STRICT)));
		add(new LoadScenario("try-local", "10,000 tries/s on a held key, in the holder's JVM", Keys.HOT,
				List.of(new Jvm(Work.HOLD_AND_TRIES, TRYING_THREADS, TRIES)), NOT_STRICT.and(TRYING)));
		add(new LoadScenario("try-remote", "10,000 tries/s on a held key, in another JVM", Keys.HOT,
				List.of(new Jvm(Work.HOLD, 0, 0), new Jvm(Work.TRIES, TRYING_THREADS, TRIES)), NOT_STRICT.and(TRYING)));
		add(new HeldLeasesScenario(10_000));
		add(new HeldLeasesScenario(100_000));
		add(new WakeUpScenario());
		add(new TakeOverScenario());
		add(new VirtualThreadsScenario());
		add(new FlashSaleScenario());
	}

	private Scenarios() {
	}

	private static Scenario own(int threads, Predicate<Peer> peers) {
		return new LoadScenario("own-" + threads, "own key, " + threads + ((threads == 1) ? " thread" : " threads"),
				Keys.OWN, List.of(new Jvm(Work.CYCLES, threads, 0)), ANY.and(peers));
	}

	private static Scenario hot(int threads, Predicate<Peer> peers) {
		return new LoadScenario("hot-" + threads, "one hot key, 1 JVM x " + threads + " threads", Keys.HOT,
				List.of(new Jvm(Work.CYCLES, threads, 0)), WAITING.and(peers));
	}

	private static void add(Scenario scenario) {
		ALL.put(scenario.name(), scenario);
	}

	/**
	 * Returns all scenarios.
	 * @return the scenarios, in the order of tables
	 */
	public static List<Scenario> all() {
		return List.copyOf(ALL.values());
	}

	/**
	 * Finds a scenario.
	 * @param name its name
	 * @return the scenario
	 * @throws IllegalArgumentException if there is none
	 */
	public static Scenario get(String name) {
		Scenario scenario = ALL.get(name);
		if (scenario == null) {
			throw new IllegalArgumentException("There is no scenario '" + name + "'. There is " + ALL.keySet());
		}
		return scenario;
	}

}
