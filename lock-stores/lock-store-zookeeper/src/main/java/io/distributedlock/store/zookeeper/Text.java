package io.distributedlock.store.zookeeper;

import java.nio.charset.StandardCharsets;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * The form of what is written to nodes: words with a space between, the first one the
 * version of the form.
 */
final class Text {

	private Text() {
	}

	static String of(byte[] data) {
		return new String(data, StandardCharsets.US_ASCII);
	}

	static String[] fields(byte[] data, int count) {
		return fields(of(data), count);
	}

	static String[] fields(String text, int count) {
		String[] fields = text.split(" ", -1);
		if (fields[0].equals("1") && fields.length == count) {
			return fields;
		}
		if (fields[0].matches("[2-9]")) {
			throw new StoreException("The lock's node in ZooKeeper was written by a newer version of this library,"
					+ " which this one cannot read. Finish the upgrade of all instances.", false, false, null);
		}
		throw foreign(null);
	}

	/** Returns the fields of what only this version of the form and later ones have. */
	static String[] laterFields(String text, int count) {
		return fields(text.startsWith("2 ") ? "1" + text.substring(1) : text, count);
	}

	static StoreException foreign(@Nullable RuntimeException cause) {
		return new StoreException("The lock's node in ZooKeeper is not one that this library wrote. Find what else"
				+ " writes under the lock namespace, and delete the node.", false, false, cause);
	}

}
