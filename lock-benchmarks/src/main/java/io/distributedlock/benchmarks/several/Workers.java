package io.distributedlock.benchmarks.several;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * JVMs that do the same work at the same time, and each print what they have counted.
 */
final class Workers implements AutoCloseable {

	private static final String RESULT = "RESULT ";

	private final List<Process> processes = new ArrayList<>();

	/**
	 * Starts one more.
	 * @param main the class to run
	 * @param arguments its arguments
	 */
	void start(Class<?> main, List<String> arguments) throws IOException {
		List<String> command = new ArrayList<>(
				List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx512m", "-cp",
						System.getProperty("java.class.path"), main.getName()));
		command.addAll(arguments);
		this.processes.add(new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start());
	}

	/** Waits for all of them, and returns what each has counted. */
	List<long[]> results() throws IOException {
		List<long[]> results = new ArrayList<>();
		for (Process process : this.processes) {
			results.add(result(process));
		}
		return results;
	}

	private static long[] result(Process process) throws IOException {
		try (BufferedReader out = process.inputReader(StandardCharsets.UTF_8)) {
			for (String line = out.readLine(); line != null; line = out.readLine()) {
				if (line.startsWith(RESULT)) {
					String[] words = line.substring(RESULT.length()).split(" ");
					long[] counts = new long[words.length];
					for (int i = 0; i < counts.length; i++) {
						counts[i] = Long.parseLong(words[i]);
					}
					return counts;
				}
			}
		}
		throw new IOException("A worker died");
	}

	/** Prints what this worker has counted, and ends it. */
	static void finish(long... counts) {
		StringBuilder line = new StringBuilder(RESULT);
		for (long count : counts) {
			line.append(count).append(' ');
		}
		System.out.println(line.toString().strip());
		// Without waiting for the threads of a peer's client.
		Runtime.getRuntime().halt(0);
	}

	@Override
	public void close() {
		this.processes.forEach(Process::destroyForcibly);
	}

}
