package io.distributedlock.benchmarks.report;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static io.distributedlock.benchmarks.report.Runs.run;
import static org.assertj.core.api.Assertions.assertThat;

class ResultFileTests {

	@TempDir
	Path directory;

	@Test
	void whatIsWrittenCanBeReadAgain() throws IOException {
		ResultFile file = new ResultFile(this.directory.resolve("below/results.json"));
		Environment environment = Environment.here(List.of("quick"), List.of("Redis 7"));
		RunResult failed = RunResult.failed("own-1", 100, "redisson", 1, "no connection");

		file.add(environment);
		file.add(run("hot-32", "ours", 1, 100.5, 12));
		file.add(failed);

		assertThat(file.environments()).containsExactly(environment);
		assertThat(file.runs()).containsExactly(run("hot-32", "ours", 1, 100.5, 12), failed);
	}

	@Test
	void roundsAreCountedThroughAllStartsOfTheDriver() throws IOException {
		ResultFile file = new ResultFile(this.directory.resolve("results.json"));
		for (int start = 0; start < 2; start++) {
			file.add(Environment.here(List.of(), List.of()));
			file.add(run("hot-32", "ours", 1, 100, 12));
			file.add(run("hot-32", "ours", 2, 100, 12));
		}

		assertThat(file.runs()).extracting(RunResult::round).containsExactly(1, 2, 3, 4);
	}

}
