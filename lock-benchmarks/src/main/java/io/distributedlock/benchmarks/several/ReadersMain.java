package io.distributedlock.benchmarks.several;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.ToLongFunction;

import io.distributedlock.benchmarks.server.RedisServer;

/**
 * 64 readers that hold a lock for 1 ms and 4 writers that hold it for 5 ms, spread over
 * three JVMs: this library against Redisson's RReadWriteLock, in turns.
 */
public final class ReadersMain {

	private static final int JVMS = 3;

	private static final int READERS = 64;

	private static final int WRITERS = 4;

	private ReadersMain() {
	}

	/**
	 * Measures, and prints what it has found. Fails if a reader met a writer.
	 * @param args rounds, and seconds of warm-up and measuring; 3, 20 and 30 if left out
	 * @throws Exception if measuring is not possible
	 */
	public static void main(String[] args) throws Exception {
		int rounds = (args.length > 0) ? Integer.parseInt(args[0]) : 3;
		String warmUp = (args.length > 1) ? args[1] : "20";
		String measured = (args.length > 2) ? args[2] : "30";
		double seconds = Double.parseDouble(measured);
		List<Outcome> ours = new ArrayList<>();
		List<Outcome> redisson = new ArrayList<>();
		boolean sound = true;
		for (int round = 0; round < rounds; round++) {
			for (String library : List.of("ours", "redisson")) {
				Outcome outcome = run(library, warmUp, measured);
				(library.equals("ours") ? ours : redisson).add(outcome);
				sound &= outcome.violations == 0 && outcome.failures == 0;
				System.out.println(String.format(Locale.ROOT,
						"round %d, %-8s: %7.0f reads/s, %6.1f writes/s, longest wait of a reader %.0f ms, of a writer %.0f ms,"
								+ " overlaps: %d, failures: %d",
						round + 1, library, outcome.reads / seconds, outcome.writes / seconds,
						outcome.longestRead / 1e3, outcome.longestWrite / 1e3, outcome.violations, outcome.failures));
			}
		}
		print("reads", ours, redisson, Outcome::reads, seconds);
		print("writes", ours, redisson, Outcome::writes, seconds);
		print("both", ours, redisson, (outcome) -> outcome.reads + outcome.writes, seconds);
		System.exit(sound ? 0 : 1);
	}

	private static void print(String what, List<Outcome> ours, List<Outcome> redisson, ToLongFunction<Outcome> count,
			double seconds) {
		double our = median(ours, count) / seconds;
		double their = median(redisson, count) / seconds;
		System.out.println(String.format(Locale.ROOT, "%-6s: median ours %.1f/s, redisson %.1f/s, ratio %.2f", what,
				our, their, our / their));
	}

	private static long median(List<Outcome> outcomes, ToLongFunction<Outcome> count) {
		long[] counts = outcomes.stream().mapToLong(count).sorted().toArray();
		return counts[counts.length / 2];
	}

	private static Outcome run(String library, String warmUp, String measured) throws Exception {
		Path file = Files.createTempFile("book", ".bin");
		try (RedisServer server = RedisServer.start(); Workers workers = new Workers()) {
			for (int i = 0; i < JVMS; i++) {
				workers.start(ReadersWorker.class, List.of(library, server.address().toString(), file.toString(),
						share(READERS, i), share(WRITERS, i), warmUp, measured));
			}
			long[] sum = new long[6];
			for (long[] counts : workers.results()) {
				Arrays.setAll(sum, (i) -> (i == 2 || i == 3) ? Math.max(sum[i], counts[i]) : sum[i] + counts[i]);
			}
			return new Outcome(sum[0], sum[1], sum[2], sum[3], sum[4], sum[5]);
		}
		finally {
			Files.deleteIfExists(file);
		}
	}

	/** How many of all are in a JVM. */
	private static String share(int all, int jvm) {
		return String.valueOf(all / JVMS + ((jvm < all % JVMS) ? 1 : 0));
	}

	private record Outcome(long reads, long writes, long longestRead, long longestWrite, long violations,
			long failures) {
	}

}
