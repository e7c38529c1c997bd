package io.distributedlock.benchmarks;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.report.Environment;
import io.distributedlock.benchmarks.report.Goals;
import io.distributedlock.benchmarks.report.Report;
import io.distributedlock.benchmarks.report.ResultFile;
import io.distributedlock.benchmarks.report.RunResult;
import io.distributedlock.benchmarks.report.Spread;
import io.distributedlock.benchmarks.scenario.Run;
import io.distributedlock.benchmarks.scenario.Scenario;

/**
 * The driver: runs peers in alternation, and prints what came of it.
 */
public final class Benchmarks {

	private final Options options;

	private final Servers servers;

	private final ResultFile file;

	private final List<RunResult> results = new ArrayList<>();

	private Benchmarks(Options options, Servers servers) {
		this.options = options;
		this.servers = servers;
		this.file = new ResultFile(options.out());
	}

	/**
	 * Measures.
	 * @param args a command and options; see {@link Options#USAGE}
	 * @throws Exception if measuring is not possible
	 */
	public static void main(String[] args) throws Exception {
		if (args.length == 0) {
			System.err.print(Options.usage());
			System.exit(2);
		}
		List<String> rest = List.of(args).subList(1, args.length);
		List<RunResult> results;
		if (args[0].equals("report")) {
			results = read(rest);
		}
		else {
			Options options = options(args[0], rest);
			try (Servers servers = new Servers(options.server())) {
				// Somebody who loses patience should not leave servers behind.
				Runtime.getRuntime().addShutdownHook(new Thread(servers::close));
				results = new Benchmarks(options, servers).measure(List.of(args));
			}
		}
		Report report = new Report(results);
		System.out.print(report.tables());
		System.out.print(Goals.table(results));
		report.problems().forEach((problem) -> System.out.println("PROBLEM: " + problem));
		System.exit((report.problems().isEmpty() && !results.isEmpty()) ? 0 : 1);
	}

	private static List<RunResult> read(List<String> files) throws IOException {
		List<RunResult> results = new ArrayList<>();
		for (String file : files) {
			results.addAll(new ResultFile(Path.of(file)).runs());
		}
		return results;
	}

	private static Options options(String command, List<String> arguments) {
		try {
			return Options.parse(command, arguments);
		}
		catch (IllegalArgumentException ex) {
			System.err.println(ex.getMessage());
			System.err.print(Options.usage());
			System.exit(2);
			throw ex;
		}
	}

	private List<RunResult> measure(List<String> arguments) throws Exception {
		this.options.plans()
			.stream()
			.flatMap((plan) -> plan.peers().stream())
			.map(Peer::backend)
			.distinct()
			.forEach((backend) -> Servers.missing(backend)
				.ifPresentOrElse(
						(reason) -> System.out.println("NOTE: " + backend.title() + " is not measured: " + reason),
						() -> this.servers.get(backend)));
		this.file.add(Environment.here(arguments, this.servers.versions()));
		for (Plan plan : this.options.plans()) {
			for (Scenario scenario : plan.scenarios()) {
				for (Duration section : plan.sections()) {
					measure(plan, scenario, section);
				}
			}
		}
		System.out.println("Results are in " + this.options.out());
		return this.results;
	}

	private void measure(Plan plan, Scenario scenario, Duration section) throws Exception {
		List<Peer> peers = new ArrayList<>(plan.peers()
			.stream()
			.filter((peer) -> Servers.missing(peer.backend()).isEmpty() && scenario.suits(peer, section))
			.toList());
		for (int round = 1; round <= plan.rounds(); round++) {
			for (Peer peer : peers) {
				Run run = new Run(runId(), peer, round, this.servers.get(peer.backend()), section, plan.warmUp(),
						plan.measured(), this.options.jvmArguments(), this.options.out().resolveSibling("workers.log"));
				RunResult result = result(scenario, run);
				this.results.add(result);
				this.file.add(result);
				print(result);
			}
			// Nobody should always run after the same one.
			Collections.rotate(peers, -1);
		}
	}

	// A peer that fails should not cost the results of the others.
	private static RunResult result(Scenario scenario, Run run) throws InterruptedException {
		try {
			return scenario.run(run);
		}
		catch (InterruptedException ex) {
			throw ex;
		}
		catch (Exception ex) {
			return RunResult.failed(scenario.name(), run.section().toNanos() / 1e3, run.peer().name(), run.round(),
					String.valueOf(ex));
		}
	}

	private String runId() {
		return Long.toString(System.currentTimeMillis(), 36) + "-" + this.results.size();
	}

	private static void print(RunResult result) {
		System.out.printf(Locale.ROOT, "%-10s cs %-6s round %d  %-16s %12s cycles/s  p99 %10s us%s%n",
				result.scenario(), Math.round(result.sectionMicros()) + "us", result.round(), result.peer(),
				Spread.format(result.cyclesPerSecond()), Spread.format(result.p99Micros()),
				result.sound() ? "" : "  PROBLEM " + result.violations() + " violations " + result.errors());
	}

}
