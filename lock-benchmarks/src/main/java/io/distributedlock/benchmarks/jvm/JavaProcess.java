package io.distributedlock.benchmarks.jvm;

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

import tools.jackson.databind.json.JsonMapper;

/**
 * A worker JVM with the class path and the Java of this one. It is told what to do by
 * lines, and answers by lines; its side is {@link Orders}.
 */
public final class JavaProcess implements AutoCloseable {

	private static final int TAIL = 20;

	private static final int EXIT_SECONDS = 30;

	private final Process process;

	private final BufferedReader out;

	private final BufferedWriter in;

	private final Path log;

	private JavaProcess(Process process, Path log) {
		this.process = process;
		this.out = process.inputReader(StandardCharsets.UTF_8);
		this.in = process.outputWriter(StandardCharsets.UTF_8);
		this.log = log;
	}

	/**
	 * Starts a JVM.
	 * @param main the class to run
	 * @param arguments its arguments
	 * @param jvmArguments more arguments of the JVM
	 * @param log where its error output goes
	 * @return the process
	 * @throws IOException if it cannot be started
	 */
	public static JavaProcess start(Class<?> main, List<String> arguments, List<String> jvmArguments, Path log)
			throws IOException {
		Files.createDirectories(log.toAbsolutePath().getParent());
		List<String> command = new ArrayList<>();
		command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
		command.add("-Xmx1g");
		command.addAll(jvmArguments);
		command.add("-cp");
		command.add(absolute(System.getProperty("java.class.path")));
		command.add(main.getName());
		command.addAll(arguments);
		return new JavaProcess(
				new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.appendTo(log.toFile())).start(), log);
	}

	private static String absolute(String classPath) {
		List<String> entries = new ArrayList<>();
		for (String entry : classPath.split(File.pathSeparator)) {
			entries.add(entry.endsWith("*") ? entry : Path.of(entry).toAbsolutePath().toString());
		}
		return String.join(File.pathSeparator, entries);
	}

	/**
	 * Gives an order.
	 * @param order a line
	 * @throws IOException if the worker has died
	 */
	public void tell(String order) throws IOException {
		this.in.write(order);
		this.in.newLine();
		this.in.flush();
	}

	/**
	 * Waits for the one answer that may come now.
	 * @param answer the answer
	 * @throws IOException if another one came, or the worker has died
	 */
	public void expect(String answer) throws IOException {
		String line = answer();
		if (!answer.equals(line)) {
			throw new IOException("Expected " + answer + " from a worker, got " + line);
		}
	}

	/**
	 * Waits for any answer.
	 * @return the answer
	 * @throws IOException if the worker has died, with the end of its log
	 */
	public String answer() throws IOException {
		String line = this.out.readLine();
		if (line == null) {
			List<String> lines = Files.readAllLines(this.log);
			throw new IOException("A worker died: " + String.join(System.lineSeparator(),
					lines.subList(Math.max(0, lines.size() - TAIL), lines.size())));
		}
		return line;
	}

	/**
	 * Waits for an answer in JSON.
	 * @param <T> type of the answer
	 * @param type its type
	 * @return the answer
	 * @throws IOException if the worker has died, with the end of its log
	 */
	public <T> T answer(Class<T> type) throws IOException {
		return JsonMapper.shared().readValue(answer(), type);
	}

	/**
	 * Waits until it has ended by itself.
	 */
	public void awaitExit() {
		this.process.onExit().orTimeout(EXIT_SECONDS, TimeUnit.SECONDS).join();
	}

	/**
	 * Ends it with SIGKILL, as a crash would; nothing in it runs any more.
	 */
	public void kill() {
		this.process.destroyForcibly();
	}

	@Override
	public void close() {
		kill();
		try {
			this.process.waitFor(10, TimeUnit.SECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
	}

}
