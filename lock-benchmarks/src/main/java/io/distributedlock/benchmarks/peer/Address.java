package io.distributedlock.benchmarks.peer;

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

	@Override
	public String toString() {
		return this.host + ":" + this.port;
	}

}
