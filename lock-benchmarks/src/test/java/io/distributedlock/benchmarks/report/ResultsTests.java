package io.distributedlock.benchmarks.report;

import java.util.List;

import io.distributedlock.benchmarks.peer.Peer;
import org.junit.jupiter.api.Test;

import static io.distributedlock.benchmarks.report.Runs.run;
import static org.assertj.core.api.Assertions.assertThat;

class ResultsTests {

	private static Results results(RunResult... runs) {
		return Results.of(List.of(runs), "hot-32", 0);
	}

	@Test
	void ratiosAreTakenWithinARound() {
		Results results = results(run("hot-32", "ours", 1, 100, 1), run("hot-32", "redisson", 1, 10, 1),
				run("hot-32", "ours", 2, 300, 1), run("hot-32", "redisson", 2, 100, 1), run("hot-32", "ours", 3, 50, 1),
				run("hot-32", "redisson", 3, 10, 1));

		// The ratio of the medians would be 10.
		assertThat(results.ratio("ours", "redisson", RunResult::cyclesPerSecond)).contains(new Spread(3, 5, 10));
	}

	@Test
	void aRoundWithoutTheOtherPeerHasNoRatio() {
		Results results = results(run("hot-32", "ours", 1, 100, 1), run("hot-32", "redisson", 2, 10, 1));

		assertThat(results.ratio("ours", "redisson", RunResult::cyclesPerSecond)).isEmpty();
	}

	@Test
	void theFastestPeerHasTheHighestMedian() {
		Results results = results(run("hot-32", "redisson", 1, 10, 1), run("hot-32", "si-spin", 1, 900, 1),
				run("hot-32", "redisson", 2, 20, 1), run("hot-32", "si-spin", 2, 5, 1),
				run("hot-32", "redisson", 3, 30, 1), run("hot-32", "si-spin", 3, 6, 1));

		assertThat(results.fastestPeer((peer) -> true)).contains("redisson");
	}

	@Test
	void neitherTheBaselineNorThisLibraryNorAnotherServersPeerIsARival() {
		Results results = results(run("hot-32", "raw", 1, 900, 1), run("hot-32", "ours", 1, 800, 1),
				run("hot-32", "ours-strict", 1, 700, 1), run("hot-32", "si-jdbc", 1, 600, 1),
				run("hot-32", "redisson", 1, 10, 1));

		assertThat(results.fastestPeer((peer) -> true)).contains("redisson");
	}

	@Test
	void aPeerThatOnlyTriesCanBeLeftOut() {
		Results results = results(run("hot-32", "shedlock", 1, 900, 1), run("hot-32", "redisson", 1, 10, 1));

		assertThat(results.fastestPeer((peer) -> true)).contains("shedlock");
		assertThat(results.fastestPeer(Peer::waits)).contains("redisson");
	}

	@Test
	void aPromptPeerThatDoesLittleDoesNotCount() {
		Results results = results(run("hot-32", "si-spin", 1, 100, 50), run("hot-32", "redisson", 1, 50, 40),
				run("hot-32", "lock4j", 1, 49, 10));

		assertThat(results.promptestPeer((peer) -> true)).contains("redisson");
	}

	@Test
	void otherScenariosAndCriticalSectionsAreLeftOut() {
		Results results = results(run("hot-32", "ours", 1, 1, 1), run("hot-2", "redisson", 1, 1, 1));

		assertThat(results.peers()).containsExactly("ours");
	}

	@Test
	void aRunThatFailedIsNotCompared() {
		Results results = results(run("hot-32", "ours", 1, 100, 1), run("hot-32", "redisson", 1, 10, 1),
				run("hot-32", "ours", 2, 100, 1), RunResult.failed("hot-32", 0, "redisson", 2, "no connection"));

		assertThat(results.fastestPeer((peer) -> true)).contains("redisson");
		assertThat(results.ratio("ours", "redisson", RunResult::cyclesPerSecond)).contains(new Spread(10, 10, 10));
	}

}
