package io.distributedlock.benchmarks.peer;

import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Where a server listens.
 *
 * @param host name or address
 * @param port the port
 */
public record Address(String host, int port) {

	/**
	 * Reads {@code host:port}.
	 * @param text the text
	 * @return the address
	 */
	public static Address parse(String text) {
		int colon = text.lastIndexOf(':');
		if (colon < 1) {
			throw new IllegalArgumentException("'" + text + "' is no address. Say host:port.");
		}
		return new Address(text.substring(0, colon), Integer.parseInt(text.substring(colon + 1)));
	}

	/**
	 * Reads addresses with commas between them.
	 * @param text the text, empty for none
	 * @return the addresses
	 */
	public static List<Address> parseAll(String text) {
		return text.isEmpty() ? List.of() : Arrays.stream(text.split(",")).map(Address::parse).toList();
	}

	/**
	 * Writes addresses as {@link #parseAll} reads them.
	 * @param addresses the addresses
	 * @return the text
	 */
	public static String join(List<Address> addresses) {
		return addresses.stream().map(Address::toString).collect(Collectors.joining(","));
	}

	@Override
	public String toString() {
		return this.host + ":" + this.port;
	}

}
