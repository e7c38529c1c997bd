package io.distributedlock.benchmarks.report;

import java.util.Comparator;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.peer.Peers;

/**
 * The runs of one scenario with one length of its critical section, without those that
 * got nothing done.
 */
public final class Results {

	private final List<RunResult> runs;

	Results(List<RunResult> runs) {
		this.runs = runs;
	}

	/**
	 * Chooses runs.
	 * @param all runs of all scenarios
	 * @param scenario name of the scenario
	 * @param sectionMicros length of the critical section
	 * @return the results
	 */
	public static Results of(List<RunResult> all, String scenario, double sectionMicros) {
		return new Results(all.stream()
			.filter((run) -> run.scenario().equals(scenario) && run.sectionMicros() == sectionMicros
					&& run.cycles() > 0)
			.toList());
	}

	/**
	 * Returns the runs of a peer.
	 * @param peer its name
	 * @return its runs
	 */
	public List<RunResult> of(String peer) {
		return this.runs.stream().filter((run) -> run.peer().equals(peer)).toList();
	}

	/**
	 * Returns who ran.
	 * @return names of peers
	 */
	public List<String> peers() {
		return this.runs.stream().map(RunResult::peer).distinct().toList();
	}

	int rounds(String peer) {
		return (int) of(peer).stream().map(RunResult::round).distinct().count();
	}

	/**
	 * Tells whether a peer ran.
	 * @param peer its name
	 * @return true if it did
	 */
	public boolean has(String peer) {
		return !of(peer).isEmpty();
	}

	/**
	 * Summarises the rounds of a peer.
	 * @param peer its name
	 * @param figure the figure
	 * @return the spread
	 */
	public Spread spread(String peer, ToDoubleFunction<RunResult> figure) {
		return Spread.of(of(peer).stream().mapToDouble(figure).toArray());
	}

	/**
	 * Summarises the rounds of a peer.
	 * @param peer its name
	 * @param figure the figure
	 * @return the median
	 */
	public double median(String peer, ToDoubleFunction<RunResult> figure) {
		return spread(peer, figure).median();
	}

	/**
	 * Compares two peers round by round.
	 * @param peer name of the one
	 * @param other name of the other
	 * @param figure the figure
	 * @return empty if there is no round in which both ran
	 */
	public Optional<Spread> ratio(String peer, String other, ToDoubleFunction<RunResult> figure) {
		double[] ratios = of(peer).stream()
			.flatMap((run) -> of(other).stream()
				.filter((theirs) -> theirs.round() == run.round())
				.map((theirs) -> figure.applyAsDouble(run) / figure.applyAsDouble(theirs)))
			.mapToDouble(Double::doubleValue)
			.toArray();
		return (ratios.length > 0) ? Optional.of(Spread.of(ratios)) : Optional.empty();
	}

	/**
	 * Returns the real peer with the highest median throughput on the same server, among
	 * those that were measured at least half as often as this library.
	 */
	Optional<String> fastestPeer(Predicate<Peer> condition) {
		return rivals(condition).max(Comparator.comparingDouble(this::throughput));
	}

	/**
	 * Returns the real peer with the lowest median p99 among those with at least half of
	 * the throughput of the fastest.
	 */
	Optional<String> promptestPeer(Predicate<Peer> condition) {
		double fastest = fastestPeer(condition).map(this::throughput).orElse(0.0);
		return rivals(condition).filter((peer) -> throughput(peer) >= fastest / 2)
			.min(Comparator.comparingDouble((peer) -> median(peer, RunResult::p99Micros)));
	}

	private double throughput(String peer) {
		return median(peer, RunResult::cyclesPerSecond);
	}

	private Stream<String> rivals(Predicate<Peer> condition) {
		return peers().stream().filter((name) -> {
			Peer peer = Peers.get(name);
			return peer.role() == Peer.Role.PEER && peer.backend() == Peers.get(Peers.OURS).backend()
					&& condition.test(peer) && 2 * of(name).size() >= of(Peers.OURS).size();
		});
	}

}
