package io.distributedlock.benchmarks.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import io.distributedlock.benchmarks.peer.Peers;

/**
 * All goals, and what became of them. A goal is met if the median of the rounds is.
 */
public final class Goals {

	// A renewal now and then is no command per try.
	private static final double NONE = 0.001;

	private static final List<Goal> ALL = List.of(Goal.throughput("own-1", Peers.OURS, Peers.RAW, 0.9),
			Goal.throughput("own-1", 1.1), Goal.throughputOfWaiting("own-1", 1.1),
			Goal.throughput("own-64", Peers.OURS, Peers.RAW, 1.6).stretch(2), Goal.throughput("own-64", 2.2),
			Goal.throughputOfWaiting("own-64", 2.2), Goal.throughput("own-256", Peers.OURS, Peers.RAW, 2.5).stretch(3),
			Goal.throughput("hot-32", 15).stretch(20), Goal.p99("hot-32", 0.1),
			Goal.atLeast("hot-32", "Jain over threads", RunResult::jainThreads, 0.99),
			Goal.atMost("hot-32", "server commands per cycle", RunResult::serverCommandsPerCycle, 0.15),
			Goal.throughput("hot-3x8", 12).stretch(20), Goal.p99("hot-3x8", 1.0 / 20).stretch(1.0 / 30),
			Goal.atLeast("hot-3x8", "Jain over threads", RunResult::jainThreads, 0.98),
			Goal.atMost("hot-3x8", "server commands per cycle", RunResult::serverCommandsPerCycle, 0.4),
			Goal.throughput("hot-3x8", Peers.OURS_STRICT, "redisson-fair", 5),
			Goal.throughput("hot-3x8", Peers.OURS_STRICT, "redisson", 2), Goal.throughput("zipf", 3),
			Goal.atMost("try-local", "server commands per refused try", RunResult::serverCommandsPerCycle, NONE),
			held("client CPU per renewal / Redisson", "clientCpuMicrosPerRenewal"),
			held("heap per lease / Redisson", "heapBytesPerLease"),
			Goal.atMost("held-100000", "leases lost", (run) -> run.figure("lost"), 0), Goal.atMost("wake-up",
					"p50 less two round trips, us", (run) -> run.p50Micros() - 2 * run.pingMicros(), 100));

	private static final List<Goal> STORES = List.of(hotKey(Peers.OURS_JDBC, Peers.SI_JDBC, 20),
			ownKeys(Peers.OURS_JDBC, Peers.SI_JDBC), hotKey(Peers.OURS_ETCD, Peers.JETCD, 100),
			ownKeys(Peers.OURS_ETCD, Peers.JETCD), hotKey(Peers.OURS_ZOOKEEPER, Peers.CURATOR, 200),
			ownKeys(Peers.OURS_ZOOKEEPER, Peers.CURATOR));

	private Goals() {
	}

	// Of what a renewal costs, not of the JVM's CPU: who loses leases has fewer to renew.
	private static Goal held(String what, String figure) {
		return Goal.ratio("held-100000", what, "redisson", (run) -> run.figure(figure), 0.5);
	}

	private static Goal hotKey(String ours, String other, double times) {
		return Goal.throughput("hot-32", ours, other, times);
	}

	private static Goal ownKeys(String ours, String other) {
		return Goal.throughput("own-16", ours, other, 1.5);
	}

	/**
	 * What became of a goal.
	 *
	 * @param scenario name of the scenario
	 * @param what what is compared
	 * @param goal the goal
	 * @param measured the figures of all rounds
	 * @param against name of the peer that ours was compared with, or empty
	 * @param rounds in how many rounds this library was measured
	 * @param verdict whether the goal is met
	 */
	public record Outcome(String scenario, String what, String goal, Spread measured, String against, int rounds,
			Verdict verdict) {
	}

	/**
	 * Whether a goal is met.
	 */
	public enum Verdict {

		/** No. */
		NOT_MET("not met"),

		/** Yes. */
		MET("met"),

		/** And more than that. */
		STRETCH("met, stretch too");

		private final String text;

		Verdict(String text) {
			this.text = text;
		}

		@Override
		public String toString() {
			return this.text;
		}

	}

	/**
	 * Compares what was measured with the goals.
	 * @param runs all runs
	 * @return the outcome of each goal that something was measured for; the last is that
	 * nobody was inside of a lock together with somebody else
	 */
	public static List<Outcome> check(List<RunResult> runs) {
		return check(Stream.concat(ALL.stream(), STORES.stream()).toList(), runs);
	}

	/**
	 * Compares what was measured with the goals of stores other than Redis.
	 * @param runs all runs
	 * @return as {@link #check}
	 */
	public static List<Outcome> checkStores(List<RunResult> runs) {
		return check(STORES, runs);
	}

	private static List<Outcome> check(List<Goal> goals, List<RunResult> runs) {
		List<Outcome> outcomes = new ArrayList<>();
		for (Goal goal : goals) {
			Results results = Results.of(runs, goal.scenario(), 0);
			Optional<Goal.Measured> measured = goal.measurement().apply(results);
			measured.ifPresent((found) -> outcomes.add(new Outcome(goal.scenario(), goal.what(), goal.text(),
					found.spread(), found.against(), found.rounds(), verdict(goal, found.spread()))));
		}
		if (!runs.isEmpty()) {
			outcomes.add(exclusion(runs));
		}
		return outcomes;
	}

	private static Verdict verdict(Goal goal, Spread spread) {
		if (goal.isExceeded(spread.median())) {
			return Verdict.STRETCH;
		}
		return goal.isMet(spread.median()) ? Verdict.MET : Verdict.NOT_MET;
	}

	private static Outcome exclusion(List<RunResult> runs) {
		double[] violations = runs.stream()
			.filter((run) -> run.peer().startsWith(Peers.OURS))
			.mapToDouble(RunResult::violations)
			.toArray();
		Spread spread = (violations.length > 0) ? Spread.of(violations) : Spread.of(0);
		return new Outcome("all", "violations of mutual exclusion in a run", "<= 0", spread, "", violations.length,
				(spread.max() > 0) ? Verdict.NOT_MET : Verdict.MET);
	}

	/**
	 * Shows what became of the goals.
	 * @param runs all runs
	 * @return a table of plain text, empty if there is nothing to show
	 */
	public static String table(List<RunResult> runs) {
		TextTable table = new TextTable("goal", "of", "against", "wanted", "min", "median", "max", "rounds", "verdict");
		List<Outcome> outcomes = check(runs);
		for (Outcome outcome : outcomes) {
			table.add(List.of(outcome.scenario(), outcome.what(), outcome.against(), outcome.goal(),
					Spread.format(outcome.measured().min()), Spread.format(outcome.measured().median()),
					Spread.format(outcome.measured().max()), String.valueOf(outcome.rounds()),
					outcome.verdict().toString()));
		}
		return outcomes.isEmpty() ? "" : System.lineSeparator() + "Goals" + System.lineSeparator() + table;
	}

}
