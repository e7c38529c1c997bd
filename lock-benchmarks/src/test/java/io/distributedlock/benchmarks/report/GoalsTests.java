package io.distributedlock.benchmarks.report;

import java.util.List;

import io.distributedlock.benchmarks.report.Goals.Outcome;
import io.distributedlock.benchmarks.report.Goals.Verdict;
import org.junit.jupiter.api.Test;

import static io.distributedlock.benchmarks.report.Runs.run;
import static io.distributedlock.benchmarks.report.Runs.withViolations;
import static org.assertj.core.api.Assertions.assertThat;

class GoalsTests {

	private static Outcome outcome(List<RunResult> runs, String scenario, String what) {
		return Goals.check(runs)
			.stream()
			.filter((outcome) -> outcome.scenario().equals(scenario) && outcome.what().equals(what))
			.findFirst()
			.orElseThrow();
	}

	@Test
	void theMedianDecides() {
		List<RunResult> runs = List.of(run("hot-32", "ours", 1, 100, 1), run("hot-32", "redisson", 1, 10, 100),
				run("hot-32", "ours", 2, 160, 1), run("hot-32", "redisson", 2, 10, 100),
				run("hot-32", "ours", 3, 170, 1), run("hot-32", "redisson", 3, 10, 100));

		Outcome outcome = outcome(runs, "hot-32", "throughput / best peer");

		assertThat(outcome.measured()).isEqualTo(new Spread(10, 16, 17));
		assertThat(outcome.against()).isEqualTo("redisson");
		assertThat(outcome.rounds()).isEqualTo(3);
		assertThat(outcome.verdict()).isEqualTo(Verdict.MET);
	}

	@Test
	void lessThanTheGoalIsNotMetAndMoreThanTheStretchIsSaid() {
		List<RunResult> slow = List.of(run("hot-32", "ours", 1, 149, 1), run("hot-32", "redisson", 1, 10, 100));
		List<RunResult> fast = List.of(run("hot-32", "ours", 1, 201, 1), run("hot-32", "redisson", 1, 10, 100));

		assertThat(outcome(slow, "hot-32", "throughput / best peer").verdict()).isEqualTo(Verdict.NOT_MET);
		assertThat(outcome(fast, "hot-32", "throughput / best peer").verdict()).isEqualTo(Verdict.STRETCH);
	}

	@Test
	void anotherStoreIsComparedWithThePeerOnTheSameServer() {
		List<RunResult> runs = List.of(run("hot-32", "ours", 1, 1, 1), run("hot-32", "ours-etcd", 1, 30_000, 1),
				run("hot-32", "jetcd", 1, 300, 100), run("hot-32", "ours-etcd", 2, 90_000, 1),
				run("hot-32", "curator", 1, 200, 100));

		assertThat(Goals.checkStores(runs)).first().satisfies((outcome) -> {
			assertThat(outcome.what()).isEqualTo("throughput of ours-etcd / jetcd");
			assertThat(outcome.measured()).isEqualTo(new Spread(100, 100, 100));
			assertThat(outcome.rounds()).isEqualTo(2);
			assertThat(outcome.verdict()).isEqualTo(Verdict.MET);
		});
	}

	@Test
	void aLatencyShouldBeSmall() {
		List<RunResult> slow = List.of(run("hot-32", "ours", 1, 100, 11), run("hot-32", "redisson", 1, 10, 100));
		List<RunResult> fast = List.of(run("hot-32", "ours", 1, 100, 10), run("hot-32", "redisson", 1, 10, 100));

		assertThat(outcome(slow, "hot-32", "p99 / best peer's p99").verdict()).isEqualTo(Verdict.NOT_MET);
		assertThat(outcome(fast, "hot-32", "p99 / best peer's p99").verdict()).isEqualTo(Verdict.MET);
	}

	@Test
	void whatWasNotMeasuredHasNoOutcome() {
		List<RunResult> runs = List.of(run("hot-32", "redisson", 1, 10, 100));

		assertThat(Goals.check(runs)).extracting(Outcome::scenario).containsExactly("all");
	}

	@Test
	void aSingleViolationInAnyRunFailsTheLastGoal() {
		RunResult sound = run("hot-32", "ours", 1, 100, 1);
		List<RunResult> runs = List.of(sound, withViolations(sound, 1), sound);

		assertThat(outcome(runs, "all", "violations of mutual exclusion in a run").verdict())
			.isEqualTo(Verdict.NOT_MET);
		assertThat(outcome(List.of(sound), "all", "violations of mutual exclusion in a run").verdict())
			.isEqualTo(Verdict.MET);
	}

	@Test
	void aPeersViolationIsNotOurs() {
		RunResult theirs = withViolations(run("hot-32", "redisson", 1, 100, 1), 3);

		assertThat(outcome(List.of(theirs), "all", "violations of mutual exclusion in a run").verdict())
			.isEqualTo(Verdict.MET);
		assertThat(theirs.sound()).isFalse();
	}

}
