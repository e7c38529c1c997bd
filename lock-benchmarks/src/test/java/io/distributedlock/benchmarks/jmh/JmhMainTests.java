package io.distributedlock.benchmarks.jmh;

import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.stream.Collectors;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openjdk.jmh.results.RunResult;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link JmhMain}.
 */
class JmhMainTests {

	@Test
	void allBenchmarksRunAndWriteTheirResults(@TempDir Path directory) throws Exception {
		Path file = directory.resolve("jmh.json");
		Collection<RunResult> results = JmhMain.run(JmhMain.Length.TRIAL, List.of(), file);
		assertThat(results.stream()
			.map((result) -> result.getParams().getBenchmark().replaceAll(".*\\.(\\w+\\.\\w+)", "$1"))
			.collect(Collectors.toSet())).containsExactlyInAnyOrder("GateBenchmark.enterAndLeave",
					"GateBenchmark.reenterAndLeave", "GateBenchmark.refusedWithoutWaiting", "HandoffBenchmark.pass",
					"InterceptorBenchmark.direct", "InterceptorBenchmark.interceptor", "InterceptorBenchmark.proxy",
					"InterceptorBenchmark.template", "InterceptorBenchmark.templateWithRequest",
					"KeyExpressionBenchmark.evaluate");
		assertThat(file).content().contains("gc.alloc.rate.norm").contains("InterceptorBenchmark.interceptor");
	}

}
