package io.distributedlock.benchmarks.scenario;

import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

import io.distributedlock.benchmarks.worker.WorkerMain;
import io.distributedlock.benchmarks.worker.WorkerResult;
import io.distributedlock.benchmarks.worker.WorkerSpec;
import tools.jackson.databind.json.JsonMapper;

/**
 * The worker JVMs of one run. They have the class path and the Java of this JVM.
 */
final class WorkerGroup implements AutoCloseable {

	private static final int EXIT_SECONDS = 30;

	private final List<Worker> workers = new ArrayList<>();

	private final Path log;

	WorkerGroup(List<WorkerSpec> specs, List<String> jvmArguments, Path log) throws IOException {
		this.log = log;
		Files.createDirectories(log.toAbsolutePath().getParent());
		try {
			for (WorkerSpec spec : specs) {
				this.workers.add(Worker.start(spec, jvmArguments, log));
			}
			for (Worker worker : this.workers) {
				String line = worker.out.readLine();
				if (!WorkerMain.READY.equals(line)) {
					throw new IOException("A worker did not become ready: " + tail());
				}
			}
		}
		catch (IOException ex) {
			close();
			throw ex;
		}
	}

	/** Lets all of them begin. */
	void run() throws IOException {
		tell(WorkerMain.RUN);
	}

	/** Lets all of them begin to count. */
	void measure() throws IOException {
		tell(WorkerMain.MEASURE);
	}

	/** Ends the measured time in all of them. */
	void stop() throws IOException {
		tell(WorkerMain.STOP);
	}

	private void tell(String order) throws IOException {
		for (Worker worker : this.workers) {
			worker.in.write(order);
			worker.in.newLine();
			worker.in.flush();
		}
	}

	/** Waits for what they found. */
	List<WorkerResult> results() throws IOException {
		List<WorkerResult> results = new ArrayList<>();
		for (Worker worker : this.workers) {
			String line = worker.out.readLine();
			if (line == null) {
				throw new IOException("A worker died: " + tail());
			}
			results.add(JsonMapper.shared().readValue(line, WorkerResult.class));
		}
		// They end by themselves now; close() does not hurry them.
		for (Worker worker : this.workers) {
			worker.process.onExit().orTimeout(EXIT_SECONDS, TimeUnit.SECONDS).join();
		}
		return results;
	}

	private String tail() throws IOException {
		List<String> lines = Files.readAllLines(this.log);
		return String.join(System.lineSeparator(), lines.subList(Math.max(0, lines.size() - 20), lines.size()));
	}

	@Override
	public void close() {
		for (Worker worker : this.workers) {
			worker.process.destroyForcibly();
			try {
				worker.process.waitFor(10, TimeUnit.SECONDS);
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}
	}

	private record Worker(Process process, BufferedReader out, BufferedWriter in) {

		static Worker start(WorkerSpec spec, List<String> jvmArguments, Path log) throws IOException {
			List<String> command = new ArrayList<>();
			command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
			command.add("-Xmx1g");
			command.addAll(jvmArguments);
			command.add("-cp");
			command.add(absolute(System.getProperty("java.class.path")));
			command.add(WorkerMain.class.getName());
			command.add(JsonMapper.shared().writeValueAsString(spec));
			Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile()))
				.start();
			return new Worker(process, process.inputReader(StandardCharsets.UTF_8),
					process.outputWriter(StandardCharsets.UTF_8));
		}

		private static String absolute(String classPath) {
			List<String> entries = new ArrayList<>();
			for (String entry : classPath.split(File.pathSeparator)) {
				entries.add(entry.endsWith("*") ? entry : Path.of(entry).toAbsolutePath().toString());
			}
			return String.join(File.pathSeparator, entries);
		}

	}

}
