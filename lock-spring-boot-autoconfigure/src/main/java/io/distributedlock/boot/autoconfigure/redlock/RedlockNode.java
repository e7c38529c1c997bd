package io.distributedlock.boot.autoconfigure.redlock;

import java.net.URI;
import java.net.URISyntaxException;
import java.util.HashSet;
import java.util.List;

import io.distributedlock.boot.autoconfigure.LockStoreSetupException;
import org.jspecify.annotations.Nullable;

/**
 * Where one node is.
 *
 * @param host its host
 * @param port its port
 * @param database number of the database
 * @param username user, or null
 * @param password password, or null
 * @param tls whether to use TLS
 */
record RedlockNode(String host, int port, int database, @Nullable String username, @Nullable String password,
		boolean tls) {

	private static final int DEFAULT_PORT = 6379;

	private static final int LEAST = 3;

	/**
	 * Checks whether servers can be nodes of Redlock.
	 * @param texts where the nodes are
	 * @throws LockStoreSetupException if there are too few, or if one is named twice
	 */
	static void check(List<String> texts) {
		List<String> addresses = texts.stream().map(RedlockNode::parse).map(RedlockNode::address).toList();
		if (addresses.size() < LEAST) {
			throw new LockStoreSetupException(
					"distributed-lock.redlock.nodes has " + addresses.size() + " of the " + LEAST
							+ " nodes that are needed at least.",
					"Name three or five Redis servers that do not depend on each other, or, for a single server, take"
							+ " the nodes out and use spring.data.redis.*.");
		}
		if (new HashSet<>(addresses).size() < addresses.size()) {
			throw new LockStoreSetupException("distributed-lock.redlock.nodes names a server twice, which would count"
					+ " its vote twice: " + addresses + ".", "Name each server once.");
		}
	}

	static RedlockNode parse(String text) {
		try {
			URI uri = new URI(text.contains("://") ? text.trim() : "redis://" + text.trim());
			boolean tls = "rediss".equals(uri.getScheme());
			if (uri.getHost() == null || !tls && !"redis".equals(uri.getScheme())) {
				throw notUsable();
			}
			String login = (uri.getUserInfo() != null) ? uri.getUserInfo() : "";
			int colon = login.indexOf(':');
			return new RedlockNode(uri.getHost(), (uri.getPort() != -1) ? uri.getPort() : DEFAULT_PORT,
					database(uri.getPath()), orNull(login.substring(0, Math.max(colon, 0))),
					orNull(login.substring(colon + 1)), tls);
		}
		catch (URISyntaxException ex) {
			throw notUsable();
		}
	}

	private static int database(@Nullable String path) {
		if (path == null || path.length() <= 1) {
			return 0;
		}
		if (!path.matches("/\\d{1,4}")) {
			throw notUsable();
		}
		return Integer.parseInt(path.substring(1));
	}

	private static @Nullable String orNull(String text) {
		return text.isEmpty() ? null : text;
	}

	// Does not repeat the value: it may hold a password.
	private static IllegalArgumentException notUsable() {
		return new IllegalArgumentException("distributed-lock.redlock.nodes has an entry that is not usable. Use"
				+ " host:port, or redis://user:password@host:port/database (rediss:// for TLS).");
	}

	String address() {
		return this.host + ":" + this.port;
	}

	RedlockNode withDefaults(@Nullable String username, @Nullable String password, boolean tls) {
		boolean own = this.password != null;
		return new RedlockNode(this.host, this.port, this.database, own ? this.username : username,
				own ? this.password : password, this.tls || tls);
	}

	// Without the password.
	@Override
	public String toString() {
		return address();
	}

}
