package io.distributedlock.store.zookeeper;

import java.util.ArrayList;
import java.util.List;

/**
 * Where things are in ZooKeeper.
 * <ul>
 * <li>{@code /held/xx/key}: somebody holds the key; ephemeral, of the holder's
 * session.</li>
 * <li>{@code /wait/xx/key}: somebody waits for the key, or it is reserved or
 * cooling.</li>
 * <li>{@code /wait/xx}: a bucket of keys; its version rises when one of them begins to be
 * waited for, and so is a fence for everybody who does not know that yet.</li>
 * <li>{@code /jvm/name}: inbox of a session; {@code /jvm/name+}: what it writes to prove
 * that it lives.</li>
 * <li>{@code /jvm/name!}: mailbox of a JVM that waits for another one, and may be part of
 * a deadlock.</li>
 * </ul>
 * Nothing is left of a key that nobody holds and nobody waits for.
 */
final class Layout {

	static final int BUCKETS = 256;

	private final String root;

	private final String held;

	private final String wait;

	private final String jvm;

	Layout(String namespace) {
		if (!namespace.matches("[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*")
				|| List.of(namespace.split("/")).stream().anyMatch((part) -> part.equals(".") || part.equals(".."))
				|| namespace.equals("zookeeper") || namespace.startsWith("zookeeper/")) {
			throw new IllegalArgumentException("The namespace '" + namespace + "' is not usable. Use letters, digits,"
					+ " dots, hyphens and underscores, and slashes between levels, such as distributed-lock.");
		}
		this.root = "/" + namespace;
		this.held = this.root + "/held";
		this.wait = this.root + "/wait";
		this.jvm = this.root + "/jvm";
	}

	static int bucket(String keyId) {
		int hash = keyId.hashCode();
		return (hash ^ (hash >>> 8) ^ (hash >>> 16) ^ (hash >>> 24)) & (BUCKETS - 1);
	}

	/**
	 * Returns the name of a key's nodes. Ids have no slash; "." and ".." are no names in
	 * ZooKeeper, and their encoding is no other key's id.
	 */
	static String node(String keyId) {
		return switch (keyId) {
			case "." -> "%2E";
			case ".." -> "%2E%2E";
			default -> keyId;
		};
	}

	static String keyId(String node) {
		return switch (node) {
			case "%2E" -> ".";
			case "%2E%2E" -> "..";
			default -> node;
		};
	}

	/** Persistent nodes that must be there, parents first. */
	List<String> parents() {
		List<String> parents = new ArrayList<>();
		for (int slash = this.root.indexOf('/', 1); slash > 0; slash = this.root.indexOf('/', slash + 1)) {
			parents.add(this.root.substring(0, slash));
		}
		parents.addAll(List.of(this.root, this.held, this.wait, this.jvm));
		return parents;
	}

	String heldBucket(int bucket) {
		return this.held + hex(bucket);
	}

	String waitBucket(int bucket) {
		return this.wait + hex(bucket);
	}

	private static String hex(int bucket) {
		return "/" + Character.forDigit(bucket >> 4, 16) + Character.forDigit(bucket & 15, 16);
	}

	String held(String keyId) {
		return heldBucket(bucket(keyId)) + "/" + node(keyId);
	}

	String wait(String keyId) {
		return waitBucket(bucket(keyId)) + "/" + node(keyId);
	}

	String inbox(String session) {
		return this.jvm + "/" + session;
	}

	/** Where messages of other JVMs are put. */
	String mailbox(String instance) {
		return this.jvm + "/" + instance + "!";
	}

	String proof(String session) {
		return this.jvm + "/" + session + "+";
	}

	@Override
	public String toString() {
		return this.root;
	}

}
