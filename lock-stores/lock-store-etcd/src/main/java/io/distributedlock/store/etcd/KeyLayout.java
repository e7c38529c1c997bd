package io.distributedlock.store.etcd;

import java.nio.charset.StandardCharsets;

import io.etcd.jetcd.ByteSequence;

import io.distributedlock.spi.AttemptId;

/**
 * How things are named in etcd. Neither the id of a lock nor the name of a JVM has a
 * slash, so no key can be taken for another. JVMs of all versions have to agree on this.
 */
final class KeyLayout {

	private final String prefix;

	/**
	 * Makes the layout.
	 * @param prefix what all keys begin with
	 */
	KeyLayout(String prefix) {
		if (prefix.isEmpty() || !prefix.chars().allMatch((c) -> c > ' ' && c < 127)) {
			throw new IllegalArgumentException("The etcd key prefix '" + prefix
					+ "' is not usable. Use ASCII characters without blanks, such as \"/distributed-lock/\".");
		}
		this.prefix = prefix;
	}

	String prefix() {
		return this.prefix;
	}

	/**
	 * Returns the key of a lock's record, which exists unless the lock is free.
	 */
	ByteSequence record(String id) {
		return bytes(this.prefix + "l/" + id);
	}

	/**
	 * Returns what the keys of all entries of a lock's queue begin with.
	 */
	ByteSequence queue(String id) {
		return bytes(this.prefix + "q/" + id + "/");
	}

	/**
	 * Returns what the keys of all shares of a lock begin with.
	 */
	ByteSequence shares(String id) {
		return bytes(this.prefix + "s/" + id + "/");
	}

	/**
	 * Returns the key of a share of a lock.
	 */
	ByteSequence share(String id, AttemptId attempt) {
		return bytes(this.prefix + "s/" + id + "/" + attempt);
	}

	/**
	 * Returns the key of the one entry that a JVM's readers can have in a lock's queue.
	 */
	ByteSequence readersEntry(String id, String instance) {
		return bytes(this.prefix + "q/" + id + "/" + instance + "/readers");
	}

	/**
	 * Returns the key of an entry that is for one attempt.
	 */
	ByteSequence callersEntry(String id, String instance, AttemptId attempt) {
		return bytes(this.prefix + "q/" + id + "/" + instance + "/" + attempt);
	}

	/**
	 * Returns the key of the one entry that a JVM can have in a lock's queue, for callers
	 * that want to be alone.
	 */
	ByteSequence entry(String id, String instance) {
		return bytes(this.prefix + "q/" + id + "/" + instance);
	}

	/**
	 * Returns what all that is told to a JVM begins with.
	 */
	ByteSequence mailbox(String instance) {
		return bytes(this.prefix + "i/" + instance + "/");
	}

	/**
	 * Returns one of the places where a message for a JVM is put.
	 */
	ByteSequence message(String instance, int slot) {
		return bytes(this.prefix + "i/" + instance + "/s" + slot);
	}

	/**
	 * Returns the key in the mailbox of a JVM where another one puts its messages.
	 */
	ByteSequence letter(String receiver, String sender) {
		return bytes(letters(receiver) + sender);
	}

	/**
	 * Returns what the keys of messages of other JVMs begin with.
	 */
	String letters(String instance) {
		return this.prefix + "i/" + instance + "/d";
	}

	/**
	 * Returns the key that lives and dies with a lease of a JVM. It is in the mailbox, so
	 * that the JVM is told of its end.
	 */
	ByteSequence marker(String instance, long lease) {
		return bytes(this.prefix + "i/" + instance + "/m" + Long.toHexString(lease));
	}

	static ByteSequence bytes(String text) {
		return ByteSequence.from(text, StandardCharsets.ISO_8859_1);
	}

	static String text(ByteSequence bytes) {
		return bytes.toString(StandardCharsets.ISO_8859_1);
	}

}
