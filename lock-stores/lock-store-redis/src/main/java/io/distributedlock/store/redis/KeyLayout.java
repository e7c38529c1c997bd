package io.distributedlock.store.redis;

import java.nio.charset.StandardCharsets;

/**
 * How locks are named in Redis. The type of a key comes before the user's part, so that
 * no lock can be named like the queue of another.
 * <p>
 * In a cluster all keys of a lock carry the tag of its bucket and so live on one node,
 * with one token mark for each bucket. Instances of all versions have to agree on this.
 */
final class KeyLayout {

	/** Number of buckets of a cluster. */
	static final int BUCKETS = 1024;

	private final String prefix;

	private final boolean cluster;

	/**
	 * Makes the layout.
	 * @param prefix what all keys and channels begin with
	 * @param cluster whether keys are spread over a cluster
	 */
	KeyLayout(String prefix, boolean cluster) {
		if (prefix.isEmpty() || !prefix.chars().allMatch((c) -> c > ' ' && c < 127 && "{}*?[]\\".indexOf(c) < 0)) {
			throw new IllegalArgumentException("The Redis key prefix '" + prefix
					+ "' is not usable. Use ASCII characters without blanks and {}*?[]\\, such as \"lock:\".");
		}
		this.prefix = prefix;
		this.cluster = cluster;
	}

	boolean isCluster() {
		return this.cluster;
	}

	/**
	 * Returns the bucket of a lock, 0 outside of a cluster.
	 */
	int bucket(String id) {
		if (!this.cluster) {
			return 0;
		}
		int hash = id.hashCode();
		return (hash ^ (hash >>> 16) ^ (hash >>> 8)) & (BUCKETS - 1);
	}

	/**
	 * Returns how many buckets there are.
	 */
	int buckets() {
		return this.cluster ? BUCKETS : 1;
	}

	byte[] record(String id) {
		return key(bucket(id), "l:", id);
	}

	byte[] queue(String id) {
		return key(bucket(id), "q:", id);
	}

	byte[] entries(String id) {
		return key(bucket(id), "e:", id);
	}

	/**
	 * Returns where it is kept how long each share of a lock lasts.
	 */
	byte[] shares(String id) {
		return key(bucket(id), "h:", id);
	}

	/**
	 * Returns where it is kept whose the shares of a lock are.
	 */
	byte[] owners(String id) {
		return key(bucket(id), "o:", id);
	}

	byte[] mark(int bucket) {
		return key(bucket, "mark", "");
	}

	/**
	 * Returns where the number of known replicas is kept.
	 */
	byte[] replicas(int bucket) {
		return key(bucket, "replicas", "");
	}

	/**
	 * Names the marks, for messages.
	 */
	String markName() {
		return this.cluster ? this.prefix + "{b...}:mark" : this.prefix + "mark";
	}

	/**
	 * Returns where, counted from 1, the id begins in {@link #record} of it.
	 */
	byte[] idOffset(int bucket) {
		return Ascii.bytes(Integer.toString(key(bucket, "l:", "").length + 1));
	}

	/**
	 * Returns what the channels of all instances begin with.
	 */
	String channels() {
		return this.prefix + "i:";
	}

	byte[] channel(String instance) {
		return Ascii.bytes(channels() + instance);
	}

	private byte[] key(int bucket, String type, String id) {
		String tag = this.cluster ? "{b" + bucket + "}:" : "";
		return (this.prefix + tag + type + id).getBytes(StandardCharsets.ISO_8859_1);
	}

}
