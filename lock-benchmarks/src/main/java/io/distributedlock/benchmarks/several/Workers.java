package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import io.distributedlock.benchmarks.jvm.JavaProcess;

/**
 * The worker JVMs of one measurement.
 */
final class Workers implements AutoCloseable {

	private static final Path LOG = Path.of("target", "benchmarks", "workers.log");

	private final List<JavaProcess> workers = new ArrayList<>();

	/**
	 * Starts one more.
	 * @param main the class to run
	 * @param arguments its arguments
	 */
	void start(Class<?> main, List<String> arguments) throws IOException {
		this.workers.add(JavaProcess.start(main, arguments, List.of("-Xmx512m"), LOG));
	}

	JavaProcess get(int number) {
		return this.workers.get(number);
	}

	/** Waits for all of them, and returns what each has counted. */
	List<long[]> results() throws IOException {
		List<long[]> results = new ArrayList<>();
		for (JavaProcess worker : this.workers) {
			results.add(worker.answer(long[].class));
		}
		return results;
	}

	@Override
	public void close() {
		this.workers.forEach(JavaProcess::close);
	}

}
