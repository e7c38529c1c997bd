package io.distributedlock.benchmarks.jvm;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

import tools.jackson.databind.json.JsonMapper;

/**
 * What a worker and its driver say to each other: orders down, answers up, each a line.
 * The driver has a {@link JavaProcess} for its side. Moments are in nanoseconds of
 * {@link System#nanoTime()}. That clock means nothing in another JVM by the letter of its
 * documentation; on Linux it is {@code CLOCK_MONOTONIC}, which all processes of a host
 * share, and on that these measurements rely.
 */
public final class Orders {

	/** Answer of a worker that is connected. */
	public static final String READY = "READY";

	/** Order to begin. */
	public static final String GO = "GO";

	/** Answer of a worker that holds what it should. */
	public static final String HELD = "HELD";

	/** Order to begin to count. */
	public static final String MEASURE = "MEASURE";

	/** Order to end. */
	public static final String STOP = "STOP";

	private final BufferedReader in;

	private final PrintStream out;

	private Orders(BufferedReader in, PrintStream out) {
		this.in = in;
		this.out = out;
	}

	/**
	 * Takes the orders of this JVM's driver. From now on only answers go to standard
	 * output, whatever peers print.
	 * @return the orders
	 */
	public static Orders take() {
		PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
		System.setOut(System.err);
		return new Orders(new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8)), out);
	}

	/**
	 * Does the work of this JVM, and ends it: threads of a peer may still wait for
	 * something. Does not return.
	 * @param work what to do
	 */
	public static void obey(Work work) {
		Orders orders = take();
		int status = 1;
		try {
			work.run(orders);
			status = 0;
		}
		catch (Throwable ex) {
			ex.printStackTrace();
		}
		orders.out.flush();
		Runtime.getRuntime().halt(status);
	}

	/**
	 * Waits for the one order that may come now.
	 * @param order the order
	 * @throws IOException if the driver has died
	 */
	public void await(String order) throws IOException {
		String line = this.in.readLine();
		if (!order.equals(line)) {
			// The driver has died.
			throw new IOException("Expected " + order + ", got " + line);
		}
	}

	/**
	 * Waits for any order.
	 * @return the order
	 * @throws IOException if the driver has died
	 */
	public String next() throws IOException {
		String line = this.in.readLine();
		if (line == null) {
			throw new IOException("The driver has died");
		}
		return line;
	}

	/**
	 * Answers.
	 * @param line what to say
	 */
	public void answer(Object line) {
		this.out.println(line);
	}

	/**
	 * Gives the last answer.
	 * @param result what was found, which the driver gets as JSON
	 */
	public void finish(Object result) {
		answer(JsonMapper.shared().writeValueAsString(result));
	}

	/**
	 * What a worker does.
	 */
	public interface Work {

		/**
		 * Does it.
		 * @param orders of the driver
		 * @throws Exception if it fails
		 */
		void run(Orders orders) throws Exception;

	}

}
