package io.distributedlock.benchmarks.docs;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.ToDoubleFunction;

import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.report.Results;
import io.distributedlock.benchmarks.report.RunResult;
import io.distributedlock.benchmarks.report.Spread;
import io.distributedlock.benchmarks.scenario.Scenarios;

/**
 * A table of Markdown for each scenario and length of its critical section.
 */
final class ScenarioTables {

	private static final List<Column> LOAD = List.of(new Column("p50 µs", RunResult::p50Micros),
			new Column("p99 µs", RunResult::p99Micros), new Column("max µs", RunResult::maxMicros),
			new Column("Jain threads", RunResult::jainThreads), new Column("Jain JVMs", RunResult::jainJvms),
			new Column("server commands", RunResult::serverCommandsPerCycle),
			new Column("server µs", RunResult::serverCommandMicrosPerCycle),
			new Column("server CPU µs", RunResult::serverCpuMicrosPerCycle),
			new Column("client CPU µs", RunResult::clientCpuMicrosPerCycle),
			new Column("bytes", RunResult::allocatedBytesPerCycle));

	private static final List<Column> HELD = List.of(Column.more("client CPU, % of a core", "clientCpuPercent"),
			Column.more("client CPU µs per renewal", "clientCpuMicrosPerRenewal"),
			Column.more("server CPU, % of a core", "serverCpuPercent"),
			Column.more("heap bytes per lease", "heapBytesPerLease"), Column.more("lost", "lost"),
			Column.more("taking them, s", "takingSeconds"));

	private static final List<Column> WAKE_UP = List.of(new Column("p50 µs", RunResult::p50Micros),
			new Column("p99 µs", RunResult::p99Micros), new Column("max µs", RunResult::maxMicros),
			new Column("PING p50 µs", RunResult::pingMicros), Column.more("p50 in round trips", "roundTrips"));

	private static final List<Column> TAKE_OVER = List.of(new Column("median s", (run) -> run.p50Micros() / 1e6),
			new Column("longest s", (run) -> run.maxMicros() / 1e6));

	private static final List<Column> VIRTUAL = List.of(new Column("until all had it, s", RunResult::seconds),
			new Column("p50 ms", (run) -> run.p50Micros() / 1e3), new Column("p99 ms", (run) -> run.p99Micros() / 1e3),
			Column.more("still waiting after 60 s", "stuck"), Column.more("exceptions", "failed"));

	private final List<RunResult> runs;

	ScenarioTables(List<RunResult> runs) {
		this.runs = runs;
	}

	@Override
	public String toString() {
		Set<Group> groups = new LinkedHashSet<>();
		// In the order of scenarios, whatever order they were measured in.
		Scenarios.all()
			.forEach((scenario) -> this.runs.stream()
				.filter((run) -> run.scenario().equals(scenario.name()))
				.mapToDouble(RunResult::sectionMicros)
				.distinct()
				.sorted()
				.forEach((section) -> groups.add(new Group(scenario.name(), section))));
		StringBuilder text = new StringBuilder();
		for (Group group : groups) {
			Results results = Results.of(this.runs, group.scenario(), group.sectionMicros());
			text.append("#### ").append(group.title()).append("\n\n").append(table(group, results)).append('\n');
		}
		return text.toString();
	}

	private static MarkdownTable table(Group group, Results results) {
		List<Column> columns = columns(group.scenario());
		boolean load = columns == LOAD;
		List<String> header = new ArrayList<>(List.of("peer"));
		if (load) {
			header.addAll(List.of(group.scenario().startsWith("try") ? "tries/s" : "cycles/s", "min to max", "x raw"));
		}
		columns.forEach((column) -> header.add(column.title()));
		header.addAll(List.of("violations", "runs"));
		MarkdownTable table = new MarkdownTable(header);
		for (String peer : results.peers()) {
			List<String> row = new ArrayList<>(List.of(Peers.get(peer).title()));
			if (load) {
				Spread throughput = results.spread(peer, RunResult::cyclesPerSecond);
				row.add(Spread.format(throughput.median()));
				row.add(Spread.format(throughput.min()) + " to " + Spread.format(throughput.max()));
				row.add(results.ratio(peer, Peers.RAW, RunResult::cyclesPerSecond)
					.map((ratio) -> Spread.format(ratio.median()))
					.orElse("-"));
			}
			columns.forEach((column) -> row.add(Spread.format(results.median(peer, column.figure()))));
			row.add(String.valueOf(results.of(peer).stream().mapToLong(RunResult::violations).sum()));
			row.add(runs(results.of(peer)));
			table.add(row);
		}
		return table;
	}

	static String runs(List<RunResult> runs) {
		long failed = runs.stream().filter((run) -> !run.sound()).count();
		return runs.size() + ((failed > 0) ? " (" + failed + " failed)" : "");
	}

	private static List<Column> columns(String scenario) {
		if (scenario.startsWith("held")) {
			return HELD;
		}
		return switch (scenario) {
			case "wake-up" -> WAKE_UP;
			case "take-over" -> TAKE_OVER;
			case "virtual-10000" -> VIRTUAL;
			default -> LOAD;
		};
	}

	private record Group(String scenario, double sectionMicros) {

		String title() {
			String section = (this.sectionMicros == 0) ? "" : ", critical section " + ((this.sectionMicros < 1000)
					? Math.round(this.sectionMicros) + " µs" : Math.round(this.sectionMicros / 1000) + " ms");
			return "`" + this.scenario + "`: " + Scenarios.get(this.scenario).title() + section;
		}

	}

	private record Column(String title, ToDoubleFunction<RunResult> figure) {

		static Column more(String title, String key) {
			return new Column(title, (run) -> run.figure(key));
		}

	}

}
