package io.distributedlock.benchmarks.several;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

import io.distributedlock.benchmarks.server.RedisServer;

/**
 * Transfers between ten accounts by three JVMs of sixteen threads each, two locks a
 * transfer: this library against Redisson's MultiLock, in turns. Three young JVMs on a
 * small machine spend most of their time compiling, hence the long warm-up.
 */
public final class TransfersMain {

	private static final int JVMS = 3;

	private TransfersMain() {
	}

	/**
	 * Measures, and prints what it has found. Fails if money was lost.
	 * @param args rounds, and seconds of warm-up and measuring; 3, 45 and 10 if left out
	 * @throws Exception if measuring is not possible
	 */
	public static void main(String[] args) throws Exception {
		int rounds = (args.length > 0) ? Integer.parseInt(args[0]) : 3;
		String warmUp = (args.length > 1) ? args[1] : "45";
		String measured = (args.length > 2) ? args[2] : "10";
		double[] ours = new double[rounds];
		double[] redisson = new double[rounds];
		boolean sound = true;
		for (int round = 0; round < rounds; round++) {
			for (String library : List.of("ours", "redisson")) {
				Outcome outcome = run(library, warmUp, measured);
				double rate = outcome.transfers / Double.parseDouble(measured);
				(library.equals("ours") ? ours : redisson)[round] = rate;
				sound &= outcome.lost == 0 && outcome.failures == 0;
				System.out.println(String.format(Locale.ROOT,
						"round %d, %-8s: %8.0f transfers/s, longest %d ms, money lost: %d, failures: %d", round + 1,
						library, rate, outcome.longest, outcome.lost, outcome.failures));
			}
		}
		Arrays.sort(ours);
		Arrays.sort(redisson);
		System.out.println(String.format(Locale.ROOT, "medians: ours %.0f, redisson %.0f transfers/s; ratio %.1f",
				ours[rounds / 2], redisson[rounds / 2], ours[rounds / 2] / redisson[rounds / 2]));
		System.exit(sound ? 0 : 1);
	}

	private static Outcome run(String library, String warmUp, String measured) throws Exception {
		Path file = Files.createTempFile("accounts", ".bin");
		try (RedisServer server = RedisServer.start(); Workers workers = new Workers()) {
			Bank bank = new Bank(file);
			bank.open();
			long before = bank.total();
			for (int i = 0; i < JVMS; i++) {
				workers.start(TransferWorker.class,
						List.of(library, server.address().toString(), file.toString(), warmUp, measured));
			}
			long transfers = 0;
			long longest = 0;
			long failures = 0;
			for (long[] counts : workers.results()) {
				transfers += counts[0];
				longest = Math.max(longest, counts[1]);
				failures += counts[2];
			}
			return new Outcome(transfers, longest, before - bank.total(), failures);
		}
		finally {
			Files.deleteIfExists(file);
		}
	}

	private record Outcome(long transfers, long longest, long lost, long failures) {
	}

}
