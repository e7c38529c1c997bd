package io.distributedlock.benchmarks.lease;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintStream;

import tools.jackson.databind.json.JsonMapper;

/**
 * What a worker and its driver say to each other: orders down, answers up, each a line.
 * Moments are in nanoseconds of {@link System#nanoTime()}. That clock means nothing in
 * another JVM by the letter of its documentation; on Linux it is {@code CLOCK_MONOTONIC},
 * which all processes of a host share, and on that these measurements rely.
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

	Orders(BufferedReader in, PrintStream out) {
		this.in = in;
		this.out = out;
	}

	/** Waits for the one order that may come now. */
	void await(String order) throws IOException {
		String line = this.in.readLine();
		if (!order.equals(line)) {
			// The driver has died.
			throw new IOException("Expected " + order + ", got " + line);
		}
	}

	/** Waits for any order. */
	String next() throws IOException {
		String line = this.in.readLine();
		if (line == null) {
			throw new IOException("The driver has died");
		}
		return line;
	}

	void answer(Object line) {
		this.out.println(line);
	}

	/** Gives the last answer. */
	void finish(TaskResult result) {
		answer(JsonMapper.shared().writeValueAsString(result));
	}

}
