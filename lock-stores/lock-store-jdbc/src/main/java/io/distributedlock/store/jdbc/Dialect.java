package io.distributedlock.store.jdbc;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.UUID;

/**
 * What differs from one database to another. All clocks are read in a statement of their
 * own, after the rows are locked, and must not stand still during a transaction: a time
 * from before a long wait for a row would be stale.
 */
enum Dialect {

	/** PostgreSQL 12 or later. */
	POSTGRESQL("SELECT (EXTRACT(EPOCH FROM CLOCK_TIMESTAMP()) * 1000000)::BIGINT", "", "FOR UPDATE"),

	/** MySQL 8 or later. The time zone of a session has no effect on this clock. */
	MYSQL("SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)), @@read_only, @@innodb_read_only",
			"FORCE INDEX (PRIMARY)", "FOR UPDATE") {

		@Override
		boolean isReadOnly(ResultSet result) throws SQLException {
			return isOn(result.getString(2)) || isOn(result.getString(3));
		}

	},

	/** MariaDB 10.6 or later. */
	MARIADB(MYSQL.clock, MYSQL.lockHint, MYSQL.lockClause) {

		@Override
		boolean isReadOnly(ResultSet result) throws SQLException {
			return MYSQL.isReadOnly(result);
		}

	},

	/**
	 * H2 2.3.230 or later. All its clocks stand still during a transaction, but for the
	 * one that goes into its random identifiers of version 7.
	 */
	H2("SELECT RANDOM_UUID(7)", "", "FOR UPDATE") {

		@Override
		long readClock(ResultSet result) throws SQLException {
			return (UUID.fromString(result.getString(1)).getMostSignificantBits() >>> 16) * 1000;
		}

	},

	/** Oracle 19 or later; written by the manual, not run. */
	ORACLE("SELECT ((TRUNC(SYS_EXTRACT_UTC(SYSTIMESTAMP)) - DATE '1970-01-01') * 86400"
			+ " + EXTRACT(HOUR FROM SYS_EXTRACT_UTC(SYSTIMESTAMP)) * 3600"
			+ " + EXTRACT(MINUTE FROM SYS_EXTRACT_UTC(SYSTIMESTAMP)) * 60"
			+ " + EXTRACT(SECOND FROM SYS_EXTRACT_UTC(SYSTIMESTAMP))) * 1000000 FROM DUAL", "", "FOR UPDATE"),

	/** SQL Server 2016 or later; written by the manual, not run. */
	SQLSERVER("SELECT DATEDIFF_BIG(MICROSECOND, '1970-01-01', SYSUTCDATETIME())", "WITH (UPDLOCK, ROWLOCK)", "") {

		@Override
		String lockHint(boolean skip) {
			return skip ? "WITH (UPDLOCK, ROWLOCK, READPAST)" : super.lockHint(false);
		}

		@Override
		String lockClause(boolean skip) {
			return "";
		}

		@Override
		String lookHint() {
			return "WITH (NOLOCK)";
		}

	};

	private static final String PLACEHOLDER = "@@table@@";

	private final String clock;

	private final String lockHint;

	private final String lockClause;

	Dialect(String clock, String lockHint, String lockClause) {
		this.clock = clock;
		this.lockHint = lockHint;
		this.lockClause = lockClause;
	}

	/**
	 * Finds the dialect of a database.
	 * @param product what its driver calls it
	 * @throws IllegalArgumentException if it is none that this store speaks
	 */
	static Dialect of(String product) {
		String name = product.toLowerCase(Locale.ROOT);
		if (name.contains("postgresql")) {
			return POSTGRESQL;
		}
		if (name.contains("mariadb")) {
			return MARIADB;
		}
		if (name.contains("mysql")) {
			return MYSQL;
		}
		if (name.equals("h2")) {
			return H2;
		}
		if (name.contains("oracle")) {
			return ORACLE;
		}
		if (name.contains("sql server")) {
			return SQLSERVER;
		}
		throw new IllegalArgumentException("The JDBC lock store does not know the database '" + product
				+ "'. Use PostgreSQL, MySQL, MariaDB, H2, Oracle or SQL Server, or another store for locks.");
	}

	/**
	 * Returns the query that reads the clock.
	 */
	String clock() {
		return this.clock;
	}

	/**
	 * Takes the clock from the current row of its query.
	 * @return microseconds since 1970
	 */
	long readClock(ResultSet result) throws SQLException {
		return result.getLong(1);
	}

	/**
	 * Tells whether the server may refuse to write, from the current row of the query
	 * that reads the clock. A server that was the primary before a failover still reads,
	 * and what it reads is old.
	 */
	boolean isReadOnly(ResultSet result) throws SQLException {
		return false;
	}

	private static boolean isOn(String setting) {
		return !setting.equals("0") && !setting.equalsIgnoreCase("OFF");
	}

	/**
	 * Goes behind a table whose rows are to be locked by key.
	 * @param skip whether rows that somebody else has locked are left out
	 */
	String lockHint(boolean skip) {
		return this.lockHint;
	}

	/**
	 * Goes to the end of a query that locks rows.
	 * @param skip whether rows that somebody else has locked are left out
	 */
	String lockClause(boolean skip) {
		return skip ? this.lockClause + " SKIP LOCKED" : this.lockClause;
	}

	/** Goes behind a table that is looked at without waiting for anybody. */
	String lookHint() {
		return "";
	}

	/** MySQL or MariaDB, whose limits are those of a connection. */
	boolean isMySql() {
		return this == MYSQL || this == MARIADB;
	}

	/**
	 * Returns the name of the script that makes the tables.
	 */
	String script() {
		return "schema-" + name().toLowerCase(Locale.ROOT) + ".sql";
	}

	/**
	 * Returns the statements that make the tables, if they are not there.
	 */
	List<String> schema(TableNames tables) {
		List<String> statements = new ArrayList<>();
		StringBuilder statement = new StringBuilder();
		boolean blocks = this == ORACLE;
		for (String line : readScript().replace(PLACEHOLDER, tables.locks()).lines().toList()) {
			if (line.startsWith("--")) {
				continue;
			}
			if (blocks && line.equals("/")) {
				add(statement, statements);
			}
			else if (!blocks && line.endsWith(";")) {
				add(statement.append(line, 0, line.length() - 1), statements);
			}
			else {
				statement.append(line).append('\n');
			}
		}
		add(statement, statements);
		return List.copyOf(statements);
	}

	private static void add(StringBuilder statement, List<String> to) {
		String text = statement.toString().strip();
		if (!text.isEmpty()) {
			to.add(text);
		}
		statement.setLength(0);
	}

	private String readScript() {
		try (InputStream script = Dialect.class.getResourceAsStream(script())) {
			if (script == null) {
				throw new IllegalStateException("The script " + script() + " is missing from lock-store-jdbc");
			}
			return new String(script.readAllBytes(), StandardCharsets.UTF_8);
		}
		catch (IOException ex) {
			throw new IllegalStateException("The script " + script() + " cannot be read", ex);
		}
	}

}
