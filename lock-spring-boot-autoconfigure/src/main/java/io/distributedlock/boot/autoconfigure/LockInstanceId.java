package io.distributedlock.boot.autoconfigure;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.security.SecureRandom;
import java.util.HexFormat;

import org.jspecify.annotations.Nullable;

/**
 * What this instance is called where holders and waiters are shown. Unique, so that two
 * instances which were given the same name by mistake, or one after its restart, are not
 * taken for each other.
 *
 * @param value the id
 */
public record LockInstanceId(String value) {

	private static final int MAX_NAME_LENGTH = 64;

	/**
	 * Makes a new id.
	 * @param name what it begins with, or null for host and process; characters other
	 * than letters, digits, dots, hyphens and underscores are replaced
	 * @return the id, with a random suffix
	 */
	public static LockInstanceId create(@Nullable String name) {
		byte[] suffix = new byte[4];
		new SecureRandom().nextBytes(suffix);
		String begin = (name != null && !name.isBlank()) ? name.trim() : host() + "-" + ProcessHandle.current().pid();
		return new LockInstanceId(usable(begin) + "-" + HexFormat.of().formatHex(suffix));
	}

	// Stores use the id in keys and messages.
	private static String usable(String name) {
		String usable = name.replaceAll("[^A-Za-z0-9._-]", "_");
		return usable.substring(0, Math.min(usable.length(), MAX_NAME_LENGTH));
	}

	private static String host() {
		try {
			return InetAddress.getLocalHost().getHostName();
		}
		catch (UnknownHostException ex) {
			return "localhost";
		}
	}

	@Override
	public String toString() {
		return this.value;
	}

}
