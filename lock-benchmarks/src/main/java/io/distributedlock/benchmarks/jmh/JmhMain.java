package io.distributedlock.benchmarks.jmh;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Locale;

import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/**
 * Runs the JMH benchmarks and writes their results as JSON.
 * <p>
 * Arguments: {@code short} (about one minute) or {@code full}, and patterns of benchmark
 * names if not all are wanted.
 */
public final class JmhMain {

	private static final String ALL = JmhMain.class.getPackageName().replace(".", "\\.") + "\\..*";

	private JmhMain() {
	}

	/**
	 * Runs the benchmarks.
	 * @param args see above
	 * @throws IOException if the results cannot be written
	 * @throws RunnerException if a benchmark fails
	 */
	public static void main(String[] args) throws IOException, RunnerException {
		Length length = (args.length > 0) ? length(args[0]) : Length.SHORT;
		Path file = Path.of("target/benchmarks/jmh-" + length.name().toLowerCase(Locale.ROOT) + ".json");
		run(length, List.of(args).subList(Math.min(1, args.length), args.length), file);
		System.out.println("Written to " + file.toAbsolutePath());
	}

	static Collection<RunResult> run(Length length, List<String> patterns, Path file)
			throws IOException, RunnerException {
		Files.createDirectories(file.toAbsolutePath().getParent());
		ChainedOptionsBuilder options = new OptionsBuilder().forks(length.forks)
			.warmupIterations(length.warmups)
			.warmupTime(length.time)
			.measurementIterations(length.iterations)
			.measurementTime(length.time)
			.shouldFailOnError(true)
			.verbosity((length == Length.TRIAL) ? VerboseMode.SILENT : VerboseMode.NORMAL)
			.jvmArgsAppend("-Xms512m", "-Xmx512m", "-XX:+UseG1GC")
			.addProfiler(GCProfiler.class)
			.resultFormat(ResultFormatType.JSON)
			.result(file.toString());
		(patterns.isEmpty() ? List.of(ALL) : patterns).forEach(options::include);
		return new Runner(options.build()).run();
	}

	private static Length length(String text) {
		for (Length length : Length.values()) {
			if (length.name().equalsIgnoreCase(text)) {
				return length;
			}
		}
		throw new IllegalArgumentException("'" + text + "' is none of short and full.");
	}

	/**
	 * How long to measure.
	 */
	enum Length {

		/** Whether all of it still works; the figures mean nothing. */
		TRIAL(0, 0, 1, TimeValue.milliseconds(100)),

		/** About a minute. */
		SHORT(1, 3, 3, TimeValue.milliseconds(500)),

		/** Ten minutes. */
		FULL(5, 5, 5, TimeValue.seconds(1));

		private final int forks;

		private final int warmups;

		private final int iterations;

		private final TimeValue time;

		Length(int forks, int warmups, int iterations, TimeValue time) {
			this.forks = forks;
			this.warmups = warmups;
			this.iterations = iterations;
			this.time = time;
		}

	}

}
