package io.distributedlock.store.jdbc;

import java.io.IOException;
import java.sql.BatchUpdateException;
import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.distributedlock.store.jdbc.Session.Phase;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the errors of six databases mean.
 */
class JdbcErrorsTests {

	@ParameterizedTest
	@CsvSource({ "40001, 0, CONFLICT", "40P01, 0, CONFLICT", "23505, 0, CONFLICT", "55P03, 0, BUSY", "57014, 0, BUSY",
			"42P01, 0, NO_TABLE", "42501, 0, DENIED", "25006, 0, READ_ONLY", "57P01, 0, CONNECTION",
			"57P03, 0, CONNECTION", "53300, 0, CONNECTION", "08006, 0, CONNECTION", "22001, 0, OTHER" })
	void ofPostgreSql(String state, int code, JdbcErrors meaning) {
		assertThat(of(state, code)).isEqualTo(meaning);
	}

	@ParameterizedTest
	@CsvSource({ "40001, 1213, CONFLICT", "23000, 1062, CONFLICT", "HY000, 1205, BUSY", "41000, 1205, BUSY",
			"70100, 1969, BUSY", "42S02, 1146, NO_TABLE", "42000, 1142, DENIED", "28000, 1045, DENIED",
			"HY000, 1290, READ_ONLY", "HY000, 1836, READ_ONLY", "08S01, 0, CONNECTION" })
	void ofMySqlAndMariaDb(String state, int code, JdbcErrors meaning) {
		assertThat(of(state, code)).isEqualTo(meaning);
	}

	@ParameterizedTest
	@CsvSource({ "40001, 40001, CONFLICT", "23505, 23505, CONFLICT", "HYT00, 50200, BUSY", "42S02, 42102, NO_TABLE",
			"42S04, 42104, NO_TABLE", "90131, 90131, CONFLICT" })
	void ofH2(String state, int code, JdbcErrors meaning) {
		assertThat(of(state, code)).isEqualTo(meaning);
	}

	@ParameterizedTest
	@CsvSource({ "61000, 60, CONFLICT", "72000, 8177, CONFLICT", "61000, 54, BUSY", "99999, 30006, BUSY",
			"42000, 942, NO_TABLE", "42000, 1031, DENIED", "23000, 1, CONFLICT" })
	void ofOracle(String state, int code, JdbcErrors meaning) {
		assertThat(of(state, code)).isEqualTo(meaning);
	}

	@ParameterizedTest
	@CsvSource({ "40001, 1205, CONFLICT", "23000, 2627, CONFLICT", "23000, 2601, CONFLICT", "S00051, 1222, BUSY",
			"S0002, 208, NO_TABLE", "S0005, 229, DENIED", "S0002, 3906, READ_ONLY" })
	void ofSqlServer(String state, int code, JdbcErrors meaning) {
		assertThat(of(state, code)).isEqualTo(meaning);
	}

	@Test
	void theCauseInABatchCounts() {
		SQLException batch = new BatchUpdateException("batch", "HY000", 0, new int[0]);
		batch.setNextException(new SQLException("deadlock", "40P01"));
		assertThat(JdbcErrors.of(batch, Phase.WORKING)).isEqualTo(JdbcErrors.CONFLICT);
	}

	@Test
	void nothingCanHaveHappenedBeforeTheCommitWasSentAndAnythingAfterwards() {
		SQLException lost = new SQLException("lost", "08006", new IOException("reset"));
		for (Phase phase : Phase.values()) {
			assertThat(JdbcErrors.of(lost, phase).exception(lost, phase, "db", Dialect.H2).mayHaveExecuted())
				.as("in %s", phase)
				.isEqualTo(phase == Phase.COMMITTING || phase == Phase.DONE);
		}
	}

	@Test
	void anAnswerInsteadOfACommitSaysThatNothingHappened() {
		SQLException deadlock = new SQLException("deadlock", "40P01");
		assertThat(JdbcErrors.of(deadlock, Phase.COMMITTING)
			.exception(deadlock, Phase.COMMITTING, "db", Dialect.H2)
			.mayHaveExecuted()).isFalse();
	}

	@Test
	void aServerThatIsShutDownWhileItCommitsLeavesTheOutcomeOpen() {
		SQLException shutdown = new SQLException("terminating connection due to administrator command", "57P01");
		assertThat(JdbcErrors.of(shutdown, Phase.COMMITTING)
			.exception(shutdown, Phase.COMMITTING, "db", Dialect.POSTGRESQL))
			.matches((ex) -> ex.mayHaveExecuted() && ex.isRetryable());
	}

	@Test
	void anEmptyPoolIsAnOutageThatPasses() {
		SQLException empty = new SQLTransientConnectionException("request timed out after 30000ms");
		assertThat(JdbcErrors.of(empty, Phase.OPENING)).isEqualTo(JdbcErrors.NO_CONNECTION);
		assertThat(JdbcErrors.of(empty, Phase.OPENING).exception(empty, Phase.OPENING, "db", Dialect.H2).isRetryable())
			.isTrue();
	}

	private static JdbcErrors of(String state, int code) {
		return JdbcErrors.of(new SQLException("said the driver", state, code), Phase.WORKING);
	}

}
