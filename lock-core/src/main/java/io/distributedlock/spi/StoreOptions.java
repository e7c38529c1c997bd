package io.distributedlock.spi;

import java.time.Duration;
import java.util.regex.Pattern;

/**
 * What the options of all stores have in common: how a JVM is called in a store, and
 * which durations make sense. For builders of stores.
 */
public final class StoreOptions {

	/** The shortest time that a store may be told to wait for anything. */
	public static final Duration SHORTEST = Duration.ofMillis(10);

	private static final Pattern INSTANCE_ID = Pattern.compile("[A-Za-z0-9._-]{1,128}");

	private StoreOptions() {
	}

	/**
	 * Makes a name for this JVM that no other store object has.
	 * @return made of the host's name (the variable {@code HOSTNAME}), the process and
	 * chance
	 */
	public static String newInstanceId() {
		String host = System.getenv("HOSTNAME");
		String readable = (host != null) ? host.replaceAll("[^A-Za-z0-9._-]", "_") : "jvm";
		return readable.substring(0, Math.min(readable.length(), 40)) + "-" + ProcessHandle.current().pid() + "-"
				+ AttemptId.random().toString().substring(0, 8);
	}

	/**
	 * Checks the name of a JVM.
	 * @param instanceId 1 to 128 letters, digits, dots, hyphens and underscores
	 * @return the same
	 * @throws IllegalArgumentException if it is anything else
	 */
	public static String checkInstanceId(String instanceId) {
		if (!INSTANCE_ID.matcher(instanceId).matches()) {
			throw new IllegalArgumentException("The instance id '" + instanceId
					+ "' is not usable. Use 1 to 128 letters, digits, dots, hyphens and underscores.");
		}
		return instanceId;
	}

	/**
	 * Checks that a time is long enough to be meant.
	 * @param what what it is the time of, for the message
	 * @param duration the time
	 * @return the same
	 * @throws IllegalArgumentException if it is below {@link #SHORTEST}
	 */
	public static Duration checkNotTooShort(String what, Duration duration) {
		if (duration.compareTo(SHORTEST) < 0) {
			throw new IllegalArgumentException("The " + what + " of " + duration.toMillis()
					+ " ms is too short. Use at least " + SHORTEST.toMillis() + " ms.");
		}
		return duration;
	}

}
