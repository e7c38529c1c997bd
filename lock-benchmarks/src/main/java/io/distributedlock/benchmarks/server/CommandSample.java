package io.distributedlock.benchmarks.server;

import java.io.IOException;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import io.distributedlock.benchmarks.peer.Address;

/**
 * Which commands clients send themselves, and which are run by scripts. Redis counts the
 * time of a command inside of a script twice, as its own and as the script's; to add
 * times up one has to know which is which, and only {@code MONITOR} tells.
 */
final class CommandSample {

	private static final Pattern LINE = Pattern.compile("\\+[0-9.]+ \\[\\d+ (\\S+)\\] \"([^\"]+)\".*");

	private static final int ENOUGH = 3000;

	// Of each command how often clients sent it, and how often it was seen at all.
	private final Map<String, int[]> counts = new HashMap<>();

	static CommandSample take(Address server, Duration time) throws IOException {
		CommandSample sample = new CommandSample();
		long end = System.nanoTime() + time.toNanos();
		try (RedisConnection connection = new RedisConnection(server, (int) time.toMillis())) {
			connection.command("MONITOR");
			for (int lines = 0; lines < ENOUGH && System.nanoTime() < end; lines++) {
				sample.add(connection.line());
			}
		}
		catch (SocketTimeoutException ex) {
			// Nothing more happened in that time.
			return sample;
		}
		return sample;
	}

	void add(String line) {
		Matcher matcher = LINE.matcher(line);
		if (matcher.matches()) {
			int[] count = this.counts.computeIfAbsent(matcher.group(2).toLowerCase(Locale.ROOT), (name) -> new int[2]);
			count[0] += matcher.group(1).equals("lua") ? 0 : 1;
			count[1]++;
		}
	}

	/** Returns the share of a command's calls that clients sent; 1 if it was not seen. */
	double sentByClients(String command) {
		int[] count = this.counts.get(command);
		return (count != null) ? (double) count[0] / count[1] : 1;
	}

}
