package io.distributedlock.benchmarks.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;

import io.distributedlock.benchmarks.docs.JmhResults.Benchmark;
import io.distributedlock.benchmarks.report.Environment;
import io.distributedlock.benchmarks.report.Goals;
import io.distributedlock.benchmarks.report.ResultFile;
import io.distributedlock.benchmarks.report.RunResult;
import io.distributedlock.benchmarks.report.Spread;

/**
 * Writes tables and charts into {@code docs/benchmarks.md} and {@code docs/benchmarks}.
 * <p>
 * Arguments: the page, and files of results; those whose name begins with {@code jmh} are
 * JMH's, with {@code stores} those of stores other than Redis. What none of the files is
 * about stays as it is.
 */
public final class DocsMain {

	private static final double MAX_NANOS = 1000;

	private static final double MAX_BYTES = 500;

	private DocsMain() {
	}

	/**
	 * Writes.
	 * @param args see above
	 * @throws IOException if a file cannot be read or written
	 */
	public static void main(String[] args) throws IOException {
		if (args.length < 2) {
			throw new IllegalArgumentException("Say which page to write and which files to read.");
		}
		System.setProperty("java.awt.headless", "true");
		List<Path> files = List.of(args).subList(1, args.length).stream().map(Path::of).toList();
		write(Path.of(args[0]), files);
		System.out.println("Written to " + args[0]);
	}

	static void write(Path path, List<Path> files) throws IOException {
		Sources redis = new Sources();
		Sources stores = new Sources();
		JmhResults jmh = JmhResults.none();
		for (Path file : files) {
			if (!Files.exists(file)) {
				throw new IOException("There is no file " + file + ". Measure first: run.sh full, or run.sh jmh full.");
			}
			String name = file.getFileName().toString();
			if (name.startsWith("jmh")) {
				jmh = JmhResults.read(file);
			}
			else {
				(name.startsWith("stores") ? stores : redis).add(new ResultFile(file));
			}
		}
		Page page = new Page(path);
		if (!redis.runs.isEmpty() || !jmh.isEmpty()) {
			page.replace("machine", machine(redis.environments, jmh));
			page.replace("goals", goals(Goals.check(redis.runs), jmh));
			page.replace("charts", charts(redis.runs, path));
			page.replace("scenarios", new ScenarioTables(redis.runs).toString());
			page.replace("jmh", jmh(jmh));
		}
		if (!stores.runs.isEmpty()) {
			page.replace("stores-machine", machine(stores.environments, JmhResults.none()));
			page.replace("stores-goals", goals(Goals.checkStores(stores.runs), JmhResults.none()));
			page.replace("stores", new StoreTables(stores.runs).toString());
		}
		page.write();
	}

	private static String machine(List<Environment> environments, JmhResults jmh) {
		String runs = environments.stream()
			.map((here) -> "- " + here.started() + ", commit `" + here.commit() + "`: " + here.processors() + " x "
					+ here.processor() + ", " + here.system() + ", Java " + here.java() + ", "
					+ String.join(", ", here.servers()))
			.distinct()
			.collect(Collectors.joining("\n"));
		return runs + jmh.all().stream().findFirst().map((first) -> "\n- JMH: Java " + first.java()).orElse("");
	}

	private static String goals(List<Goals.Outcome> outcomes, JmhResults jmh) {
		MarkdownTable table = new MarkdownTable(
				List.of("scenario", "figure", "against", "wanted", "min", "median", "max", "rounds", "verdict"));
		for (Goals.Outcome outcome : outcomes) {
			table.add(List.of(outcome.scenario(), outcome.what(), outcome.against(), outcome.goal(),
					Spread.format(outcome.measured().min()), "**" + Spread.format(outcome.measured().median()) + "**",
					Spread.format(outcome.measured().max()), String.valueOf(outcome.rounds()),
					outcome.verdict().toString()));
		}
		Optional<Benchmark> interceptor = jmh.find("InterceptorBenchmark.interceptor");
		Optional<Benchmark> template = jmh.find("InterceptorBenchmark.template");
		if (interceptor.isPresent() && template.isPresent()) {
			int forks = Math.min(interceptor.get().forks(), template.get().forks());
			difference(table, "ns", interceptor.get().timeBeyond(template.get()), MAX_NANOS, forks);
			difference(table, "bytes", interceptor.get().allocationBeyond(template.get()), MAX_BYTES, forks);
		}
		return table.toString();
	}

	private static void difference(MarkdownTable table, String unit, Spread spread, double limit, int forks) {
		table.add(List.of("interceptor", unit + " beyond `LockTemplate.execute`", "", "<= " + Spread.format(limit),
				Spread.format(spread.min()), "**" + Spread.format(spread.median()) + "**", Spread.format(spread.max()),
				String.valueOf(forks),
				((spread.median() <= limit) ? Goals.Verdict.MET : Goals.Verdict.NOT_MET).toString()));
	}

	private static String charts(List<RunResult> runs, Path page) throws IOException {
		Path directory = page.toAbsolutePath().resolveSibling("benchmarks");
		return new Charts(runs, directory).write()
			.stream()
			.map((file) -> "![" + file.replace(".svg", "").replace('-', ' ') + "](benchmarks/" + file + ")")
			.collect(Collectors.joining("\n\n"));
	}

	private static String jmh(JmhResults jmh) {
		if (jmh.isEmpty()) {
			return "Not measured.";
		}
		MarkdownTable table = new MarkdownTable(List.of("benchmark", "ns/op", "min to max", "bytes/op", "forks"));
		for (Benchmark benchmark : jmh.all()) {
			String parameters = benchmark.parameters().isEmpty() ? "" : " (" + benchmark.parameters() + ")";
			table.add(List.of("`" + benchmark.name() + "`" + parameters, Spread.format(benchmark.time().median()),
					Spread.format(benchmark.time().min()) + " to " + Spread.format(benchmark.time().max()),
					String.format(Locale.ROOT, "%,.0f", benchmark.allocation().median()),
					String.valueOf(benchmark.forks())));
		}
		return table.toString();
	}

	/** What files of one kind hold. */
	private static final class Sources {

		final List<RunResult> runs = new ArrayList<>();

		final List<Environment> environments = new ArrayList<>();

		void add(ResultFile file) throws IOException {
			this.runs.addAll(file.runs());
			this.environments.addAll(file.environments());
		}

	}

}
