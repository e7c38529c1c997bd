package io.distributedlock.benchmarks.docs;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

import io.distributedlock.benchmarks.peer.Backend;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.peer.Peers;
import io.distributedlock.benchmarks.report.Results;
import io.distributedlock.benchmarks.report.RunResult;
import io.distributedlock.benchmarks.report.Spread;

/**
 * Tables of Markdown about stores: this library on all of them, and for each kind of
 * server this library beside others.
 */
final class StoreTables {

	private static final String OWN_1 = "own-1";

	private static final String OWN_16 = "own-16";

	private static final String HOT = "hot-32";

	private static final List<String> SCENARIOS = List.of(OWN_1, OWN_16, HOT);

	private final List<RunResult> runs;

	StoreTables(List<RunResult> runs) {
		this.runs = runs;
	}

	@Override
	public String toString() {
		StringBuilder text = new StringBuilder("#### This library on its stores\n\n").append(overview());
		for (Backend backend : Backend.values()) {
			List<Peer> peers = measured().stream().filter((peer) -> peer.backend() == backend).toList();
			if (peers.stream().anyMatch((peer) -> peer.role() == Peer.Role.PEER)) {
				text.append("\n#### ").append(backend.title()).append("\n\n").append(sideBySide(backend, peers));
			}
		}
		return text.toString();
	}

	/** In the order of peers, whatever order they were measured in. */
	private List<Peer> measured() {
		List<String> names = this.runs.stream().map(RunResult::peer).distinct().toList();
		return Peers.all().stream().filter((peer) -> names.contains(peer.name())).toList();
	}

	private Results of(String scenario) {
		return Results.of(this.runs, scenario, 0);
	}

	private MarkdownTable overview() {
		MarkdownTable table = new MarkdownTable(List.of("store", "own-1 cycles/s", "own-1 p50 µs", "own-16 cycles/s",
				"own-16 p99 µs", "hot-32 cycles/s", "hot-32 p99 µs", "requests per cycle: own-1", "own-16", "hot-32",
				"syncs per cycle: own-1", "own-16", "hot-32", "runs"));
		for (Peer peer : measured()) {
			if (peer.role() == Peer.Role.OURS) {
				List<String> row = new ArrayList<>(List.of(store(peer)));
				row.add(cell(OWN_1, peer, RunResult::cyclesPerSecond));
				row.add(cell(OWN_1, peer, RunResult::p50Micros));
				row.add(cell(OWN_16, peer, RunResult::cyclesPerSecond));
				row.add(cell(OWN_16, peer, RunResult::p99Micros));
				row.add(cell(HOT, peer, RunResult::cyclesPerSecond));
				row.add(cell(HOT, peer, RunResult::p99Micros));
				SCENARIOS.forEach((scenario) -> row.add(cell(scenario, peer, RunResult::serverCommandsPerCycle)));
				SCENARIOS.forEach((scenario) -> row.add(cell(scenario, peer, (run) -> run.figure(RunResult.SYNCS))));
				row.add(String.valueOf(this.runs.stream().filter((run) -> run.peer().equals(peer.name())).count()));
				table.add(row);
			}
		}
		return table;
	}

	private static String store(Peer peer) {
		return peer.name().equals(Peers.OURS) ? peer.backend().title() : peer.title().replace("this library, ", "");
	}

	private MarkdownTable sideBySide(Backend backend, List<Peer> peers) {
		MarkdownTable table = new MarkdownTable(
				List.of("scenario", "peer", "cycles/s", "min to max", "p50 µs", "p99 µs", "max µs", "Jain threads",
						backend.requests(), "syncs", "server CPU µs", "client CPU µs", "bytes", "violations", "runs"));
		for (String scenario : SCENARIOS) {
			Results results = of(scenario);
			for (Peer peer : peers) {
				if (results.has(peer.name())) {
					table.add(row(scenario, peer, results));
				}
			}
		}
		return table;
	}

	private List<String> row(String scenario, Peer peer, Results results) {
		Spread throughput = results.spread(peer.name(), RunResult::cyclesPerSecond);
		List<RunResult> all = results.of(peer.name());
		return List.of(scenario, peer.title(), Spread.format(throughput.median()),
				Spread.format(throughput.min()) + " to " + Spread.format(throughput.max()),
				cell(scenario, peer, RunResult::p50Micros), cell(scenario, peer, RunResult::p99Micros),
				cell(scenario, peer, RunResult::maxMicros), cell(scenario, peer, RunResult::jainThreads),
				cell(scenario, peer, RunResult::serverCommandsPerCycle),
				cell(scenario, peer, (run) -> run.figure(RunResult.SYNCS)),
				cell(scenario, peer, RunResult::serverCpuMicrosPerCycle),
				cell(scenario, peer, RunResult::clientCpuMicrosPerCycle),
				cell(scenario, peer, RunResult::allocatedBytesPerCycle),
				String.valueOf(all.stream().mapToLong(RunResult::violations).sum()), ScenarioTables.runs(all));
	}

	private String cell(String scenario, Peer peer, ToDoubleFunction<RunResult> figure) {
		Results results = of(scenario);
		return results.has(peer.name()) ? Spread.format(results.median(peer.name(), figure)) : "-";
	}

}
