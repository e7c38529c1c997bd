package io.distributedlock.benchmarks.report;

import java.util.Optional;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.peer.Peers;

/**
 * What this library wants to reach in one scenario, without a critical section.
 *
 * @param scenario name of the scenario
 * @param what what is compared
 * @param limit the limit
 * @param stretch a limit that would be even better, or NaN
 * @param least whether the limit is the least that is wanted, or else the most
 * @param measurement gives what was measured, empty if it was not
 */
record Goal(String scenario, String what, double limit, double stretch, boolean least,
		Function<Results, Optional<Measured>> measurement) {

	/**
	 * What was measured.
	 *
	 * @param spread the figures of all rounds
	 * @param against name of the peer that ours was compared with, or empty
	 * @param rounds in how many rounds this library was measured
	 */
	record Measured(Spread spread, String against, int rounds) {
	}

	/** Throughput against a given peer. */
	static Goal throughput(String scenario, String ours, String other, double limit) {
		return atLeast(scenario, "throughput of " + ours + " / " + other, limit,
				(results) -> results.ratio(ours, other, RunResult::cyclesPerSecond)
					.map((ratio) -> new Measured(ratio, other, results.rounds(ours))));
	}

	/** Throughput against the fastest peer. */
	static Goal throughput(String scenario, double limit) {
		return atLeast(scenario, "throughput / best peer", limit, (results) -> fastest(results, false));
	}

	/**
	 * Throughput against the fastest peer that can wait; measured only if one that can
	 * only try is faster.
	 */
	static Goal throughputOfWaiting(String scenario, double limit) {
		return atLeast(scenario, "throughput / best peer that can wait", limit, (results) -> {
			Optional<Measured> waiting = fastest(results, true);
			return waiting.equals(fastest(results, false)) ? Optional.empty() : waiting;
		});
	}

	private static Optional<Measured> fastest(Results results, boolean waiting) {
		return results.fastestPeer((peer) -> !waiting || peer.waits())
			.flatMap((best) -> results.ratio(Peers.OURS, best, RunResult::cyclesPerSecond)
				.map((ratio) -> new Measured(ratio, best, results.rounds(Peers.OURS))));
	}

	/** The 99th percentile against the peer that has the best. */
	static Goal p99(String scenario, double limit) {
		return atMost(scenario, "p99 / best peer's p99", limit,
				(results) -> results.promptestPeer(Peer::waits)
					.flatMap((best) -> results.ratio(Peers.OURS, best, RunResult::p99Micros)
						.map((ratio) -> new Measured(ratio, best, results.rounds(Peers.OURS)))));
	}

	/** A figure against that of a given peer, which should be small. */
	static Goal ratio(String scenario, String what, String other, ToDoubleFunction<RunResult> figure, double limit) {
		return atMost(scenario, what, limit, (results) -> results.ratio(Peers.OURS, other, figure)
			.map((ratio) -> new Measured(ratio, other, results.rounds(Peers.OURS))));
	}

	/** A figure of ours that should be small. */
	static Goal atMost(String scenario, String what, ToDoubleFunction<RunResult> figure, double limit) {
		return atMost(scenario, what, limit, (results) -> ours(results, figure));
	}

	/** A figure of ours that should be large. */
	static Goal atLeast(String scenario, String what, ToDoubleFunction<RunResult> figure, double limit) {
		return atLeast(scenario, what, limit, (results) -> ours(results, figure));
	}

	private static Goal atLeast(String scenario, String what, double limit,
			Function<Results, Optional<Measured>> measurement) {
		return new Goal(scenario, what, limit, Double.NaN, true, measurement);
	}

	private static Goal atMost(String scenario, String what, double limit,
			Function<Results, Optional<Measured>> measurement) {
		return new Goal(scenario, what, limit, Double.NaN, false, measurement);
	}

	private static Optional<Measured> ours(Results results, ToDoubleFunction<RunResult> figure) {
		return results.has(Peers.OURS)
				? Optional.of(new Measured(results.spread(Peers.OURS, figure), "", results.rounds(Peers.OURS)))
				: Optional.empty();
	}

	Goal stretch(double better) {
		return new Goal(this.scenario, this.what, this.limit, better, this.least, this.measurement);
	}

	boolean isMet(double value) {
		return reaches(value, this.limit);
	}

	boolean isExceeded(double value) {
		return !Double.isNaN(this.stretch) && reaches(value, this.stretch);
	}

	private boolean reaches(double value, double wanted) {
		return this.least ? value >= wanted : value <= wanted;
	}

	String text() {
		String sign = this.least ? ">= " : "<= ";
		return sign + Spread.format(this.limit)
				+ (Double.isNaN(this.stretch) ? "" : " (stretch " + Spread.format(this.stretch) + ")");
	}

}
