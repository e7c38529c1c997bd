package io.distributedlock.store.jdbc;

import java.util.regex.Pattern;

/**
 * Names of the tables. They become part of statements, so that nothing but plain names is
 * let in.
 *
 * @param locks table of the locks, with its schema if one was given
 */
record TableNames(String locks) {

	static final String DEFAULT = "distributed_lock";

	private static final Pattern USABLE = Pattern
		.compile("([A-Za-z_][A-Za-z0-9_]{0,62}\\.)?[A-Za-z_][A-Za-z0-9_]{0,52}");

	TableNames {
		if (!USABLE.matcher(locks).matches()) {
			throw new IllegalArgumentException("The table name '" + locks + "' is not usable. Use up to 53 letters,"
					+ " digits and underscores, such as \"distributed_lock\", with a schema in front if needed:"
					+ " \"app.distributed_lock\".");
		}
	}

	/**
	 * Returns the table of those that wait.
	 */
	String waiters() {
		return this.locks + "_waiter";
	}

	/**
	 * Returns the table of shares, and of those that wait for one or in strict order.
	 */
	String claims() {
		return this.locks + "_claim";
	}

}
