package io.distributedlock.benchmarks.report;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Where and how results came about.
 *
 * @param started when
 * @param arguments arguments of the driver
 * @param commit what was measured, or "unknown"
 * @param processors how many there are
 * @param processor what they are called
 * @param java version of Java
 * @param system the operating system
 * @param servers the servers
 */
public record Environment(String started, List<String> arguments, String commit, int processors, String processor,
		String java, String system, List<String> servers) {

	/**
	 * Describes this machine.
	 * @param arguments arguments of the driver
	 * @param servers the servers
	 * @return the environment
	 */
	public static Environment here(List<String> arguments, List<String> servers) {
		return new Environment(Instant.now().truncatedTo(ChronoUnit.SECONDS).toString(), arguments, describeCommit(),
				Runtime.getRuntime().availableProcessors(), describeProcessor(), Runtime.version().toString(),
				System.getProperty("os.name") + " " + System.getProperty("os.version") + " "
						+ System.getProperty("os.arch"),
				servers);
	}

	private static String describeCommit() {
		try {
			Process git = new ProcessBuilder("git", "describe", "--always", "--dirty", "--abbrev=12")
				.redirectErrorStream(true)
				.start();
			String answer = new String(git.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
			return (git.waitFor(5, TimeUnit.SECONDS) && git.exitValue() == 0) ? answer : "unknown";
		}
		catch (IOException ex) {
			return "unknown";
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return "unknown";
		}
	}

	private static String describeProcessor() {
		try {
			return Files.readAllLines(Path.of("/proc/cpuinfo"))
				.stream()
				.filter((line) -> line.startsWith("model name"))
				.map((line) -> line.substring(line.indexOf(':') + 1).strip())
				.findFirst()
				.orElse("unknown");
		}
		catch (IOException ex) {
			return "unknown";
		}
	}

}
