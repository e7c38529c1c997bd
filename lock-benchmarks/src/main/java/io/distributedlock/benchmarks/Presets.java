package io.distributedlock.benchmarks;

import java.time.Duration;
import java.util.Arrays;
import java.util.List;

import io.distributedlock.benchmarks.peer.Backend;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.scenario.Scenario;
import io.distributedlock.benchmarks.scenario.Scenarios;

/**
 * What the commands measure unless options say otherwise.
 */
final class Presets {

	private static final Duration NONE = Duration.ZERO;

	private Presets() {
	}

	static List<Plan> of(String preset) {
		return switch (preset) {
			case "smoke" -> smoke();
			case "quick" -> quick();
			case "goals" -> goals();
			case "full" -> full();
			case "stores" -> stores();
			default -> throw new IllegalArgumentException("There is no command '" + preset + "'.");
		};
	}

	// About 40 s: whether all of it still works.
	private static List<Plan> smoke() {
		Duration half = Duration.ofMillis(500);
		return List.of(new Plan(scenarios("own-16"), peers("raw", "ours"), List.of(NONE), 1, half, half),
				new Plan(scenarios("hot-2x2"),
						peers("ours", "redisson", "ours-redlock", "ours-jdbc", "ours-etcd", "ours-zookeeper"),
						List.of(NONE), 1, half, half));
	}

	// Below 5 minutes: where things stand, roughly.
	private static List<Plan> quick() {
		return List.of(new Plan(scenarios("own-1", "own-64", "hot-32", "hot-3x8", "zipf"),
				peers("raw", "ours", "redisson", "si-spin"), List.of(NONE), 2, Duration.ofSeconds(2),
				Duration.ofSeconds(2)));
	}

	// About an hour: what the table of goals needs, in five rounds. Warm-ups are long
	// enough for all peers to run compiled.
	private static List<Plan> goals() {
		Duration warmUp = Duration.ofSeconds(7);
		Duration measured = Duration.ofSeconds(4);
		List<Duration> work = List.of(Duration.ofNanos(100_000), Duration.ofMillis(5));
		return List.of(
				new Plan(scenarios("own-1", "own-64", "own-256"),
						peers("raw", "ours", "redisson", "si-spin", "shedlock"), List.of(NONE), 5, warmUp, measured),
				new Plan(scenarios("hot-32", "zipf", "try-local"), peers("ours", "redisson", "si-spin"), List.of(NONE),
						5, warmUp, measured),
				new Plan(scenarios("hot-3x8"),
						peers("ours", "ours-strict", "redisson", "redisson-fair", "si-spin", "si-pubsub"),
						List.of(NONE), 5, warmUp, measured),
				new Plan(scenarios("held-100000", "wake-up", "take-over"), peers("ours", "redisson"), List.of(NONE), 5,
						warmUp, measured),
				new Plan(scenarios("hot-32", "hot-3x8"), peers("ours", "redisson", "si-spin"), work, 3, warmUp,
						measured),
				new Plan(scenarios("own-1", "own-64", "own-256", "hot-32", "hot-3x8", "zipf"),
						peers("redisson-spin", "redisson-fenced", "lock4j"), List.of(NONE), 1, warmUp, measured));
	}

	// Half an hour: this library on its stores, and beside others on the same servers.
	// These do little in a second, so that compiling takes long, in servers too.
	private static List<Plan> stores() {
		return List.of(new Plan(scenarios("own-1", "own-16", "hot-32"),
				peers("ours", "ours-replica", "ours-redlock", "ours-jdbc", "si-jdbc", "shedlock-jdbc", "ours-etcd",
						"jetcd", "ours-zookeeper", "curator", "ours-memory"),
				List.of(NONE), 3, Duration.ofSeconds(12), Duration.ofSeconds(3)));
	}

	// About two hours: everything on Redis.
	private static List<Plan> full() {
		List<Scenario> scenarios = Scenarios.all()
			.stream()
			.filter((scenario) -> !scenario.name().equals("hot-2x2"))
			.toList();
		List<Peer> peers = Peers.all().stream().filter((peer) -> peer.backend() == Backend.REDIS).toList();
		return List.of(new Plan(scenarios, peers, List.of(NONE), 5, Duration.ofSeconds(3), Duration.ofSeconds(5)),
				new Plan(scenarios("own-64", "hot-32", "hot-3x8", "zipf"),
						peers("raw", "ours", "redisson", "si-spin", "si-pubsub"),
						List.of(Duration.ofNanos(100_000), Duration.ofMillis(5)), 3, Duration.ofSeconds(3),
						Duration.ofSeconds(5)));
	}

	private static List<Scenario> scenarios(String... names) {
		return Arrays.stream(names).map(Scenarios::get).toList();
	}

	private static List<Peer> peers(String... names) {
		return Arrays.stream(names).map(Peers::get).toList();
	}

}
