package io.distributedlock.store.jdbc;

import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;

/**
 * Pools and tables for tests.
 */
final class Databases {

	private Databases() {
	}

	/**
	 * Makes a pool like that of an application.
	 */
	static HikariDataSource pool(String url, int size) {
		HikariConfig config = new HikariConfig();
		config.setJdbcUrl(url);
		config.setMaximumPoolSize(size);
		config.setMinimumIdle(1);
		return new HikariDataSource(config);
	}

	/**
	 * Makes the tables.
	 */
	static void initialize(DataSource source) {
		initialize(source, TableNames.DEFAULT);
	}

	static void initialize(DataSource source, String table) {
		execute(source, JdbcLockStore.schemaStatements(source, table).toArray(String[]::new));
	}

	/**
	 * Returns the keys of which something is held, kept or waited for.
	 */
	static List<String> lockedKeys(DataSource source) {
		try (Connection connection = source.getConnection();
				Statement statement = connection.createStatement();
				ResultSet result = statement.executeQuery("SELECT lock_key FROM distributed_lock_claim UNION ALL "
						+ "SELECT lock_key FROM distributed_lock WHERE lock_state <> 'F'")) {
			List<String> keys = new ArrayList<>();
			while (result.next()) {
				keys.add(result.getString(1));
			}
			return keys;
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

	static void execute(DataSource source, String... statements) {
		try (Connection connection = source.getConnection(); Statement statement = connection.createStatement()) {
			for (String sql : statements) {
				statement.execute(sql);
			}
		}
		catch (SQLException ex) {
			throw new IllegalStateException(ex);
		}
	}

}
