package io.distributedlock.benchmarks.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

import javax.xml.parsers.DocumentBuilderFactory;

import io.distributedlock.benchmarks.report.Environment;
import io.distributedlock.benchmarks.report.ResultFile;
import io.distributedlock.benchmarks.report.RunResult;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Tests for {@link DocsMain}.
 */
class DocsMainTests {

	private static final List<String> PARTS = List.of("machine", "goals", "charts", "scenarios", "jmh",
			"stores-machine", "stores-goals", "stores");

	@TempDir
	Path directory;

	private Path page;

	private Path results;

	@BeforeEach
	void write() throws IOException {
		this.page = this.directory.resolve("benchmarks.md");
		StringBuilder text = new StringBuilder("# Before\n");
		PARTS.forEach((part) -> text.append("<!-- generated: ")
			.append(part)
			.append(" -->\nold\n<!-- end of ")
			.append(part)
			.append(" -->\nbetween\n"));
		Files.writeString(this.page, text);
		this.results = this.directory.resolve("full.json");
		ResultFile file = new ResultFile(this.results);
		file.add(new Environment("2026-01-01T00:00:00Z", List.of("full"), "abc", 2, "a processor", "17", "Linux",
				List.of("Redis 7.0.15")));
		file.add(run("hot-32", "ours", 1, 30_000, Map.of()));
		file.add(run("hot-32", "redisson", 1, 1_000, Map.of()));
		file.add(run("hot-32", "ours", 2, 50_000, Map.of()));
		file.add(run("hot-32", "redisson", 2, 1_000, Map.of()));
		file.add(run("held-100000", "ours", 1, Double.NaN,
				Map.of("clientCpuMicrosPerRenewal", 4.0, "heapBytesPerLease", 900.0, "lost", 0.0)));
		file.add(run("held-100000", "redisson", 1, Double.NaN,
				Map.of("clientCpuMicrosPerRenewal", 16.0, "heapBytesPerLease", 800.0, "lost", 7.0)));
	}

	private static RunResult run(String scenario, String peer, int round, double cyclesPerSecond,
			Map<String, Double> more) {
		return new RunResult(scenario, 0, peer, round, 1, 32, 5, 1000, cyclesPerSecond, 10, 20, 30, 1, 1, 0.1, 1, 1, 1,
				100, 0, 50, List.of(), more);
	}

	private String text() throws IOException {
		return Files.readString(this.page);
	}

	@Test
	void partsBetweenMarkersAreReplacedAndTheRestStays() throws Exception {
		DocsMain.write(this.page, List.of(this.results));
		assertThat(text()).startsWith("# Before\n")
			.contains("between\n<!-- generated: goals -->")
			.doesNotContain("<!-- generated: goals -->\nold")
			.contains("<!-- generated: stores -->\nold");
		String once = text();
		DocsMain.write(this.page, List.of(this.results));
		assertThat(text()).isEqualTo(once);
	}

	@Test
	void tablesShowMediansGoalsAndTheMachine() throws Exception {
		DocsMain.write(this.page, List.of(this.results));
		assertThat(text()).contains("commit `abc`: 2 x a processor")
			.contains("| this library | 40,000 | 30,000 to 50,000 |")
			.contains("| hot-32 | throughput / best peer | redisson |")
			.contains("| **40.0** | 50.0 | 2 | met, stretch too |")
			.contains("| held-100000 | client CPU per renewal / Redisson | redisson | <= 0.500 | 0.250 | **0.250** |")
			.contains(
					"| held-100000 | heap per lease / Redisson | redisson | <= 0.500 | 1.13 | **1.13** | 1.13 | 1 | not met |")
			.contains("| Redisson RLock | - | 16.0 | - | 800 | 7.00 |");
	}

	@Test
	void storesHaveTablesOfTheirOwnAndTheRestStays() throws Exception {
		Path stores = this.directory.resolve("stores.json");
		ResultFile file = new ResultFile(stores);
		file.add(new Environment("2026-01-01T00:00:00Z", List.of("stores"), "abc", 2, "a processor", "17", "Linux",
				List.of("etcd 3.4")));
		Map<String, Double> syncs = Map.of(RunResult.SYNCS, 0.031);
		file.add(run("hot-32", "jetcd", 1, 300, syncs));
		file.add(run("hot-32", "curator", 1, 200, syncs));
		file.add(run("own-1", "ours-memory", 1, 700_000, Map.of(RunResult.SYNCS, 0.0)));

		DocsMain.write(this.page, List.of(stores));

		assertThat(text()).contains("<!-- generated: goals -->\nold")
			.contains("17, etcd 3.4")
			.contains("| in memory | 700,000 |")
			.contains("#### etcd")
			.contains("| hot-32 | jetcd Lock | 300 | 300 to 300 | 10.0 | 20.0 | 30.0 | 1.00 | 0.100 | 0.031 |")
			.contains("| hot-32 | Curator InterProcessMutex | 200 |")
			.doesNotContain("#### In memory");
	}

	@Test
	void chartsAreSvgWithTextAndTheirBarsHaveThePeersNames() throws Exception {
		DocsMain.write(this.page, List.of(this.results));
		try (Stream<Path> files = Files.list(this.directory.resolve("benchmarks"))) {
			assertThat(files.map((file) -> file.getFileName().toString())).contains("hot-key.svg", "held-leases.svg")
				.doesNotContain("own-keys.svg", "wake-up.svg");
		}
		Path chart = this.directory.resolve("benchmarks/hot-key.svg");
		assertThat(text()).contains("(benchmarks/hot-key.svg)");
		assertThat(chart).content().contains("One hot key", ">this library<", ">Redisson RLock<");
		DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
		factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
		Document document = factory.newDocumentBuilder().parse(chart.toFile());
		assertThat(document.getDocumentElement().getTagName()).isEqualTo("svg");
	}

	@Test
	void interceptorIsComparedWithTheTemplateForkByFork() throws Exception {
		Path jmh = this.directory.resolve("jmh-full.json");
		Files.writeString(jmh, "[" + jmh("InterceptorBenchmark.interceptor", "[[1400, 1600], [2600, 2600]]") + ","
				+ jmh("InterceptorBenchmark.template", "[[1000, 1000], [1300, 1300]]") + "]");
		DocsMain.write(this.page, List.of(jmh));
		assertThat(text()).contains(
				"| interceptor | ns beyond `LockTemplate.execute` |  | <= 1,000 | 500 | **900** | 1,300 | 2 | met |")
			.contains("| `InterceptorBenchmark.template` | 1,150 | 1,000 to 1,300 |");
	}

	private static String jmh(String name, String nanos) {
		return """
				{"benchmark": "a.b.%s", "jdkVersion": "17", "primaryMetric": {"rawData": %s},
				 "secondaryMetrics": {"gc.alloc.rate.norm": {"rawData": [[100, 100], [100, 100]]}}}
				""".formatted(name, nanos);
	}

	@Test
	void pageWithoutAPartAndMissingFilesAreErrorsThatSayWhatToDo() throws Exception {
		assertThatExceptionOfType(IOException.class)
			.isThrownBy(() -> DocsMain.write(this.page, List.of(this.directory.resolve("none.json"))))
			.withMessageContaining("Measure first");
		Files.writeString(this.page, "nothing");
		assertThatIllegalStateException().isThrownBy(() -> DocsMain.write(this.page, List.of(this.results)))
			.withMessageContaining("<!-- generated: machine -->");
	}

}
