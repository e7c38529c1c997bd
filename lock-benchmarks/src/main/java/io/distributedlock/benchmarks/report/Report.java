package io.distributedlock.benchmarks.report;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToDoubleFunction;

import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.scenario.Scenarios;

/**
 * What people read: a table for each scenario, with medians over the rounds.
 */
public final class Report {

	private static final String[] HEADER = { "peer", "cycles/s", "x raw", "p50 us", "p99 us", "max us", "Jain thr",
			"Jain JVM", "cmds/cyc", "syncs/cyc", "srv cmd us", "srv cpu us", "cli cpu us", "bytes/cyc", "ping us",
			"viol", "runs" };

	private static final List<ToDoubleFunction<RunResult>> FIGURES = List.of(RunResult::p50Micros, RunResult::p99Micros,
			RunResult::maxMicros, RunResult::jainThreads, RunResult::jainJvms, RunResult::serverCommandsPerCycle,
			(run) -> run.figure(RunResult.SYNCS), RunResult::serverCommandMicrosPerCycle,
			RunResult::serverCpuMicrosPerCycle, RunResult::clientCpuMicrosPerCycle, RunResult::allocatedBytesPerCycle,
			RunResult::pingMicros);

	private final List<RunResult> runs;

	/**
	 * Makes a report.
	 * @param runs all runs
	 */
	public Report(List<RunResult> runs) {
		this.runs = List.copyOf(runs);
	}

	/**
	 * Returns the tables, one below the other.
	 * @return plain text
	 */
	public String tables() {
		StringBuilder text = new StringBuilder();
		for (Group group : groups()) {
			text.append(System.lineSeparator()).append(group.title()).append(System.lineSeparator());
			text.append(table(Results.of(this.runs, group.scenario(), group.sectionMicros())));
		}
		return text.toString();
	}

	private Set<Group> groups() {
		Set<Group> groups = new LinkedHashSet<>();
		this.runs.forEach((run) -> groups.add(new Group(run.scenario(), run.sectionMicros())));
		return groups;
	}

	private static TextTable table(Results results) {
		boolean cycles = results.peers()
			.stream()
			.flatMap((peer) -> results.of(peer).stream())
			.noneMatch((run) -> Double.isNaN(run.jainThreads()));
		return cycles ? cycles(results) : others(results);
	}

	/** The table of a scenario that has figures of its own. */
	private static TextTable others(Results results) {
		List<String> figures = results.peers()
			.stream()
			.flatMap((peer) -> results.of(peer).stream())
			.flatMap((run) -> run.more().keySet().stream())
			.distinct()
			.sorted()
			.toList();
		List<String> header = new ArrayList<>(List.of("peer", "p50 us", "p99 us", "max us", "ping us"));
		header.addAll(figures);
		header.addAll(List.of("viol", "runs"));
		TextTable table = new TextTable(header.toArray(String[]::new));
		for (String peer : results.peers()) {
			List<String> row = new ArrayList<>(List.of(peer));
			List.<ToDoubleFunction<RunResult>>of(RunResult::p50Micros, RunResult::p99Micros, RunResult::maxMicros,
					RunResult::pingMicros)
				.forEach((figure) -> row.add(Spread.format(results.median(peer, figure))));
			figures.forEach((name) -> row.add(Spread.format(results.median(peer, (run) -> run.figure(name)))));
			row.add(String.valueOf(results.of(peer).stream().mapToLong(RunResult::violations).sum()));
			row.add(String.valueOf(results.of(peer).size()));
			table.add(row);
		}
		return table;
	}

	private static TextTable cycles(Results results) {
		TextTable table = new TextTable(HEADER);
		for (String peer : results.peers()) {
			List<String> row = new ArrayList<>();
			row.add(peer);
			row.add(Spread.format(results.median(peer, RunResult::cyclesPerSecond)));
			Optional<Spread> toRaw = results.ratio(peer, Peers.RAW, RunResult::cyclesPerSecond);
			row.add(toRaw.map((ratio) -> Spread.format(ratio.median())).orElse("-"));
			FIGURES.forEach((figure) -> row.add(Spread.format(results.median(peer, figure))));
			row.add(String.valueOf(results.of(peer).stream().mapToLong(RunResult::violations).sum()));
			row.add(String.valueOf(results.of(peer).size()));
			table.add(row);
		}
		return table;
	}

	/**
	 * Returns what went wrong.
	 * @return a line for each run that is not sound, empty if all are
	 */
	public List<String> problems() {
		return this.runs.stream()
			.filter((run) -> !run.sound())
			.map((run) -> run.scenario() + ", " + run.peer() + ", round " + run.round() + ": " + run.violations()
					+ " violations, " + run.cycles() + " cycles " + run.errors())
			.toList();
	}

	private record Group(String scenario, double sectionMicros) {

		String title() {
			String section = (this.sectionMicros < 1000) ? Math.round(this.sectionMicros) + " us"
					: Spread.format(this.sectionMicros / 1000) + " ms";
			return this.scenario + ": " + Scenarios.get(this.scenario).title() + "; critical section " + section;
		}

	}

}
