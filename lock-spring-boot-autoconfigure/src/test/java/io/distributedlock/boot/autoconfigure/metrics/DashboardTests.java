package io.distributedlock.boot.autoconfigure.metrics;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;

import com.jayway.jsonpath.JsonPath;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.yaml.snakeyaml.Yaml;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The dashboard and the alert rules ask only for what the library gives to Prometheus.
 */
class DashboardTests {

	private static final Path DASHBOARDS = Path.of("..", "docs", "dashboards");

	private static final Pattern SAMPLE = Pattern.compile("(?m)^(lock_[a-z_]+)\\{([^}]*)}");

	private static final Pattern LABEL = Pattern.compile("([a-z_]+)=\"([^\"]*)\"");

	private static final Pattern METRIC = Pattern.compile("\\block_[a-z_]+\\b");

	private static final Pattern SELECTOR = Pattern.compile("\\{([^}]*)}");

	private static final Pattern GROUPING = Pattern.compile("\\bby \\(([^)]*)\\)");

	private static final Pattern MATCHER = Pattern.compile("([a-z_]+)(?:=~|!=|!~|=)\"([^\"]*)\"");

	// Labels that Prometheus itself adds.
	private static final Set<String> SCRAPE_LABELS = Set.of("instance", "job");

	private static final Set<String> metrics = new TreeSet<>();

	private static final Map<String, Set<String>> labels = new TreeMap<>();

	@BeforeAll
	static void scrape() {
		PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
		new LockEvents(new LockMetrics(registry, 200)).all(() -> StubLease.of("stock", 42));
		SAMPLE.matcher(registry.scrape()).results().forEach((sample) -> {
			metrics.add(sample.group(1));
			LABEL.matcher(sample.group(2))
				.results()
				.forEach((label) -> labels.computeIfAbsent(label.group(1), (name) -> new TreeSet<>())
					.add(label.group(2)));
		});
		assertThat(metrics).contains("lock_held", "lock_acquire_seconds_max");
	}

	@ParameterizedTest
	@MethodSource("expressions")
	void everyMetricIsOneThatIsRegistered(String expression) {
		String bare = GROUPING.matcher(SELECTOR.matcher(expression).replaceAll(""))
			.replaceAll("")
			.replaceAll("label_values\\(([a-z_]+), [a-z_]+\\)", "$1");
		List<String> used = METRIC.matcher(bare).results().map(MatchResult::group).toList();
		assertThat(used).isNotEmpty();
		assertThat(metrics).containsAll(used);
	}

	@ParameterizedTest
	@MethodSource("expressions")
	void everyLabelAndLabelValueIsOneThatOccurs(String expression) {
		GROUPING.matcher(expression)
			.results()
			.flatMap((grouping) -> Stream.of(grouping.group(1).split(", ")))
			.forEach((label) -> assertThat(known(label)).as(label).isTrue());
		SELECTOR.matcher(expression)
			.results()
			.flatMap((selector) -> MATCHER.matcher(selector.group(1)).results())
			.forEach((matcher) -> {
				assertThat(known(matcher.group(1))).as(matcher.group(1)).isTrue();
				if (!matcher.group(2).startsWith("$")) {
					assertThat(labels.get(matcher.group(1))).containsAll(List.of(matcher.group(2).split("\\|")));
				}
			});
	}

	private static boolean known(String label) {
		return SCRAPE_LABELS.contains(label) || labels.containsKey(label);
	}

	static Stream<String> expressions() throws IOException {
		String dashboard = Files.readString(DASHBOARDS.resolve("grafana.json"));
		List<String> panels = JsonPath.read(dashboard, "$.panels[*].targets[*].expr");
		List<String> variables = JsonPath.read(dashboard, "$.templating.list[*].definition");
		assertThat(panels).hasSizeGreaterThan(10);
		assertThat(variables).isNotEmpty();
		return Stream.of(panels, variables, rules()).flatMap(List::stream);
	}

	private static List<String> rules() throws IOException {
		Map<String, List<Map<String, List<Map<String, Object>>>>> yaml = new Yaml()
			.load(Files.readString(DASHBOARDS.resolve("prometheus-rules.yml")));
		List<String> expressions = yaml.get("groups")
			.stream()
			.flatMap((group) -> group.get("rules").stream())
			.map((rule) -> (String) rule.get("expr"))
			.toList();
		assertThat(expressions).hasSizeGreaterThan(5);
		return expressions;
	}

}
