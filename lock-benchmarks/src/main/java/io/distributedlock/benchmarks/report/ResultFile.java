package io.distributedlock.benchmarks.report;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

import org.jspecify.annotations.Nullable;
import tools.jackson.databind.json.JsonMapper;

/**
 * A file of results: on each line a JSON object with an {@code environment} or a
 * {@code run}. Lines are added as soon as they are known, so that an aborted run leaves
 * what it has measured.
 */
public final class ResultFile {

	private final Path path;

	/**
	 * Names a file.
	 * @param path where it is, or will be
	 */
	public ResultFile(Path path) {
		this.path = path;
	}

	/**
	 * Adds where and how the following runs came about.
	 * @param environment the environment
	 * @throws IOException if the file cannot be written
	 */
	public void add(Environment environment) throws IOException {
		add(new Line(environment, null));
	}

	/**
	 * Adds a run.
	 * @param run its result
	 * @throws IOException if the file cannot be written
	 */
	public void add(RunResult run) throws IOException {
		add(new Line(null, run));
	}

	private void add(Line line) throws IOException {
		Files.createDirectories(this.path.toAbsolutePath().getParent());
		Files.writeString(this.path, JsonMapper.shared().writeValueAsString(line) + "\n", StandardOpenOption.CREATE,
				StandardOpenOption.APPEND);
	}

	/**
	 * Reads all runs. If the driver was started several times, rounds are counted through
	 * all of them, so that runs of different starts are not compared with each other.
	 * @return the results, in the order in which they came about
	 * @throws IOException if the file cannot be read
	 */
	public List<RunResult> runs() throws IOException {
		List<RunResult> runs = new ArrayList<>();
		int earlier = 0;
		for (Line line : lines()) {
			if (line.run() != null) {
				runs.add(line.run().withRound(earlier + line.run().round()));
			}
			else {
				earlier = runs.stream().mapToInt(RunResult::round).max().orElse(0);
			}
		}
		return runs;
	}

	/**
	 * Reads where and how runs came about.
	 * @return the environments, one for each start of the driver
	 * @throws IOException if the file cannot be read
	 */
	public List<Environment> environments() throws IOException {
		List<Environment> environments = new ArrayList<>();
		for (Line line : lines()) {
			if (line.environment() != null) {
				environments.add(line.environment());
			}
		}
		return environments;
	}

	private List<Line> lines() throws IOException {
		return Files.readAllLines(this.path)
			.stream()
			.map((text) -> JsonMapper.shared().readValue(text, Line.class))
			.toList();
	}

	/**
	 * A line of the file; one of the two is there.
	 *
	 * @param environment the environment
	 * @param run the run
	 */
	record Line(@Nullable Environment environment, @Nullable RunResult run) {
	}

}
