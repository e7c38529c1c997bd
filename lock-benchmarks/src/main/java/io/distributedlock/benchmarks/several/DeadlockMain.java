package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Random;

import io.distributedlock.benchmarks.jvm.JavaProcess;
import io.distributedlock.benchmarks.server.RedisServer;

/**
 * Plants deadlocks over three JVMs: each holds a lock and waits for that of the next one,
 * in an order that differs from run to run. Measures how long after the threshold the one
 * that closed the circle is told. Start and end of that wait are read in one JVM, so that
 * no two clocks are compared.
 */
public final class DeadlockMain {

	private static final int JVMS = 3;

	private static final int WARM_UP = 10;

	/** The default of the engine, after which a wait is looked at. */
	private static final long THRESHOLD_MICROS = 50_000;

	private DeadlockMain() {
	}

	/**
	 * Measures, and prints what it has found. Fails if a deadlock was not found, or was
	 * found by another caller than the last one.
	 * @param args how many deadlocks; 100 if left out
	 * @throws Exception if measuring is not possible
	 */
	public static void main(String[] args) throws Exception {
		int runs = (args.length > 0) ? Integer.parseInt(args[0]) : 100;
		long[] times = new long[runs];
		int missed = 0;
		Random random = new Random(1);
		try (RedisServer server = RedisServer.start(); Workers jvms = new Workers()) {
			for (int i = 0; i < JVMS; i++) {
				jvms.start(DeadlockWorker.class, List.of(server.address().toString()));
			}
			for (int run = -WARM_UP; run < runs; run++) {
				long found = plant(jvms, run + WARM_UP, random);
				if (run >= 0) {
					times[run] = found - THRESHOLD_MICROS;
					missed += (found < 0) ? 1 : 0;
				}
			}
		}
		Arrays.sort(times);
		System.out.println(String.format(Locale.ROOT,
				"%d deadlocks over %d JVMs, %d not found by the last caller. From the threshold (50 ms after the closing"
						+ " wait began) to the exception: p50 %.1f ms, p99 %.1f ms, max %.1f ms",
				runs, JVMS, missed, millis(times, 0.5), millis(times, 0.99), millis(times, 1)));
		System.exit((missed == 0) ? 0 : 1);
	}

	private static double millis(long[] sorted, double quantile) {
		return sorted[(int) Math.ceil(quantile * sorted.length) - 1] / 1000.0;
	}

	/**
	 * Makes one deadlock, and resolves it.
	 * @return how long the last caller waited in microseconds, -1 if it was not told of a
	 * deadlock over all
	 */
	private static long plant(Workers jvms, int run, Random random) throws Exception {
		for (int i = 0; i < JVMS; i++) {
			tell(jvms.get(i), "hold " + run + "-" + i, "held");
		}
		List<Integer> order = new ArrayList<>(List.of(0, 1, 2));
		Collections.shuffle(order, random);
		for (int number : order) {
			tell(jvms.get(number), "wait " + run + "-" + (number + 1) % JVMS, "waits");
			Thread.sleep(5 + random.nextInt(70));
		}
		JavaProcess last = jvms.get(order.get(JVMS - 1));
		String outcome = last.answer();
		tell(last, "release", "released");
		boolean othersWentOn = true;
		for (int before = 1; before < JVMS; before++) {
			// Who waits for the released lock is first, and so on against the circle.
			JavaProcess next = jvms.get((order.get(JVMS - 1) + JVMS - before) % JVMS);
			othersWentOn &= next.answer().equals("got");
			tell(next, "release", "released");
		}
		String[] words = outcome.split(" ");
		boolean found = words[0].equals("deadlock") && Integer.parseInt(words[2]) == JVMS && othersWentOn;
		return found ? Long.parseLong(words[1]) : -1;
	}

	private static void tell(JavaProcess worker, String order, String answer) throws IOException {
		worker.tell(order);
		worker.expect(answer);
	}

}
