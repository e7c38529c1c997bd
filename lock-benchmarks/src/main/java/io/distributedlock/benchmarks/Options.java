package io.distributedlock.benchmarks;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.scenario.Scenario;
import io.distributedlock.benchmarks.scenario.Scenarios;
import org.jspecify.annotations.Nullable;

/**
 * What the command line asks for.
 *
 * @param plans what to measure
 * @param server a Redis server to use, or null to start one
 * @param out file of results
 * @param jvmArguments more arguments of worker JVMs
 */
record Options(List<Plan> plans, @Nullable Address server, Path out, List<String> jvmArguments) {

	static final String USAGE = """
			Usage: run.sh quick | goals | stores | full | smoke [options]  measure, print tables and goals
			       run.sh report FILE...                                   print tables and goals of earlier runs
			  --scenario a,b      only these, of: %s
			  --peers a,b         only these, of: %s
			  --cs 0,100us,5ms    lengths of the critical section
			  --rounds N          how often each peer runs, in alternation
			  --warmup 3s         work that does not count, in each run
			  --seconds 5         length of each measurement
			  --server host:port  a Redis server that runs; it is never emptied
			  --out FILE          where results are added, one JSON object per line
			  --worker-jvm "ARGS" more arguments of worker JVMs
			""";

	private static final Set<String> KNOWN = Set.of("scenario", "peers", "cs", "rounds", "warmup", "seconds", "server",
			"out", "worker-jvm");

	static String usage() {
		return USAGE.formatted(String.join(", ", Scenarios.all().stream().map(Scenario::name).toList()),
				String.join(", ", Peers.all().stream().map(Peer::name).toList()));
	}

	static Options parse(String preset, List<String> arguments) {
		Map<String, String> given = new HashMap<>();
		for (int i = 0; i < arguments.size(); i += 2) {
			String name = arguments.get(i).startsWith("--") ? arguments.get(i).substring(2) : "";
			if (!KNOWN.contains(name) || i + 1 == arguments.size()) {
				throw new IllegalArgumentException("Unknown option, or without a value: " + arguments.get(i));
			}
			given.put(name, arguments.get(i + 1));
		}
		List<Plan> plans = select(Presets.of(preset), given);
		String server = given.get("server");
		Path out = Path.of(given.getOrDefault("out", "target/benchmarks/" + preset + ".json"));
		String jvm = given.getOrDefault("worker-jvm", "").strip();
		return new Options(plans, (server != null) ? Address.parse(server) : null, out,
				jvm.isEmpty() ? List.of() : List.of(jvm.split("\\s+")));
	}

	/**
	 * Applies the options to the plans of a preset. Several plans may have the same
	 * scenario, for other peers or critical sections; if the options say these, the first
	 * counts.
	 */
	private static List<Plan> select(List<Plan> preset, Map<String, String> given) {
		List<Scenario> all = preset.stream().flatMap((plan) -> plan.scenarios().stream()).toList();
		List<Scenario> wanted = list(given.get("scenario"), Scenarios::get, all);
		boolean once = given.containsKey("peers") || given.containsKey("cs");
		Set<Object> seen = new HashSet<>();
		List<Plan> plans = new ArrayList<>();
		for (Plan plan : preset) {
			Plan changed = change(plan, plan.scenarios(), given);
			List<Scenario> scenarios = plan.scenarios()
				.stream()
				.filter(wanted::contains)
				.filter((scenario) -> !once || seen.add(List.of(scenario, changed.sections())))
				.toList();
			if (!scenarios.isEmpty()) {
				plans.add(change(plan, scenarios, given));
			}
		}
		List<Scenario> others = wanted.stream().filter((scenario) -> !all.contains(scenario)).toList();
		if (!others.isEmpty()) {
			plans.add(change(preset.get(0), others, given));
		}
		return plans;
	}

	private static Plan change(Plan plan, List<Scenario> scenarios, Map<String, String> given) {
		return new Plan(scenarios, list(given.get("peers"), Peers::get, plan.peers()),
				list(given.get("cs"), Options::duration, plan.sections()),
				Integer.parseInt(given.getOrDefault("rounds", String.valueOf(plan.rounds()))),
				duration(given.getOrDefault("warmup", plan.warmUp().toMillis() + "ms")),
				duration(given.getOrDefault("seconds", plan.measured().toMillis() + "ms")));
	}

	private static <T> List<T> list(@Nullable String given, Function<String, T> reader, List<T> otherwise) {
		return (given == null) ? otherwise : Arrays.stream(given.split(",")).map(String::strip).map(reader).toList();
	}

	/** Reads 100us, 5ms, 3s; a number alone is seconds. */
	static Duration duration(String text) {
		int digits = 0;
		while (digits < text.length() && (Character.isDigit(text.charAt(digits)) || text.charAt(digits) == '.')) {
			digits++;
		}
		double number = Double.parseDouble(text.substring(0, digits));
		double nanos = switch (text.substring(digits)) {
			case "us" -> 1e3;
			case "ms" -> 1e6;
			case "s", "" -> 1e9;
			default -> throw new IllegalArgumentException("'" + text + "' is no time. Say 100us, 5ms or 3s.");
		};
		return Duration.ofNanos(Math.round(number * nanos));
	}

}
