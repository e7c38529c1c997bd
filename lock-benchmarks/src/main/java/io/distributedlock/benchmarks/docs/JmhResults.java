package io.distributedlock.benchmarks.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

import io.distributedlock.benchmarks.report.Spread;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * What JMH has measured. A figure of a benchmark is the mean of one fork, since the forks
 * are what differs; its iterations are not independent.
 */
final class JmhResults {

	private static final String BYTES = "gc.alloc.rate.norm";

	private final List<Benchmark> benchmarks;

	private JmhResults(List<Benchmark> benchmarks) {
		this.benchmarks = List.copyOf(benchmarks);
	}

	static JmhResults none() {
		return new JmhResults(List.of());
	}

	static JmhResults read(Path file) throws IOException {
		List<Benchmark> benchmarks = new ArrayList<>();
		for (JsonNode node : JsonMapper.shared().readTree(Files.readString(file))) {
			String[] name = node.get("benchmark").asString().split("\\.");
			String parameters = node.has("params") ? String.join(", ",
					node.get("params").properties().stream().map((entry) -> entry.getValue().asString()).toList()) : "";
			benchmarks.add(new Benchmark(name[name.length - 2] + "." + name[name.length - 1], parameters,
					node.get("jdkVersion").asString(), means(node.get("primaryMetric")),
					means(node.get("secondaryMetrics").get(BYTES))));
		}
		return new JmhResults(benchmarks);
	}

	private static double[] means(JsonNode metric) {
		List<Double> means = new ArrayList<>();
		for (JsonNode fork : metric.get("rawData")) {
			means.add(IntStream.range(0, fork.size())
				.mapToDouble((i) -> fork.get(i).asDouble())
				.average()
				.orElse(Double.NaN));
		}
		return means.stream().mapToDouble(Double::doubleValue).toArray();
	}

	List<Benchmark> all() {
		return this.benchmarks;
	}

	boolean isEmpty() {
		return this.benchmarks.isEmpty();
	}

	/** Finds a benchmark without parameters. */
	Optional<Benchmark> find(String name) {
		return this.benchmarks.stream().filter((benchmark) -> benchmark.name().equals(name)).findFirst();
	}

	/**
	 * One benchmark.
	 *
	 * @param name class and method
	 * @param parameters values of its parameters, or empty
	 * @param java version of the JDK
	 * @param nanos time of an operation, one mean for each fork
	 * @param bytes bytes that it allocates, one mean for each fork
	 */
	record Benchmark(String name, String parameters, String java, double[] nanos, double[] bytes) {

		Spread time() {
			return Spread.of(this.nanos);
		}

		Spread allocation() {
			return Spread.of(this.bytes);
		}

		int forks() {
			return this.nanos.length;
		}

		/** Returns how much longer this takes, fork by fork. */
		Spread timeBeyond(Benchmark other) {
			return difference(this.nanos, other.nanos);
		}

		/** Returns how much more this allocates, fork by fork. */
		Spread allocationBeyond(Benchmark other) {
			return difference(this.bytes, other.bytes);
		}

		private static Spread difference(double[] these, double[] those) {
			return Spread.of(IntStream.range(0, Math.min(these.length, those.length))
				.mapToDouble((i) -> these[i] - those[i])
				.toArray());
		}

	}

}
