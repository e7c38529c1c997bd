package io.distributedlock.store.jdbc;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import javax.sql.DataSource;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Isolated;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.jdbc.server.PostgresServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * A JVM whose host's clock is wrong by ten minutes, beside one whose clock is right:
 * nothing changes. The clock is really another one: a small library (needs gcc and Linux)
 * is preloaded into a child JVM.
 */
@Isolated("measures times")
class ClockShiftTests {

	private static final Logger logger = LoggerFactory.getLogger(ClockShiftTests.class);

	private static final int ROUNDS = 60;

	/** What is not from the log. */
	private static final String ANSWER = "> ";

	private static final Duration TTL = Duration.ofMillis(1500);

	/** Re-checks, polls and a busy machine. */
	private static final Duration SLACK = Duration.ofMillis(1500);

	@TempDir
	private static Path directory;

	private static PostgresServer server;

	@BeforeAll
	static void start() throws IOException, InterruptedException {
		compile();
		server = PostgresServer.start();
		Databases.initialize(server.dataSource());
		Databases.execute(server.dataSource(), "CREATE TABLE guard (id INT PRIMARY KEY, inside INT NOT NULL)",
				"CREATE TABLE journal (id BIGSERIAL PRIMARY KEY, token BIGINT NOT NULL, jvm TEXT NOT NULL,"
						+ " inside INT NOT NULL)",
				"INSERT INTO guard VALUES (1, 0)");
	}

	private static void compile() throws IOException, InterruptedException {
		assumeThat(System.getProperty("os.name")).as("the clock can be shifted on Linux only").startsWith("Linux");
		int failed;
		try {
			failed = new ProcessBuilder("gcc", "-shared", "-fPIC", "-O1", "-o", library().toString(),
					"src/test/c/shifted-clock.c")
				.inheritIO()
				.start()
				.waitFor();
		}
		catch (IOException ex) {
			assumeThat(ex).as("NOT RUN: a shifted clock needs gcc (apt-get install gcc libc6-dev)").isNull();
			return;
		}
		assertThat(failed).as("exit code of gcc").isZero();
	}

	private static Path library() {
		return directory.resolve("shifted-clock.so");
	}

	@AfterAll
	static void stop() {
		if (server != null) {
			server.close();
		}
	}

	@ParameterizedTest
	@ValueSource(ints = { 600, -600 })
	void aHostWhoseClockIsTenMinutesWrongLocksLikeAnyOther(int seconds) throws Exception {
		Databases.execute(server.dataSource(), "TRUNCATE journal");
		ProcessBuilder builder = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx128m", "-cp",
				System.getProperty("java.class.path"), Shifted.class.getName(), server.url());
		builder.environment().put("LD_PRELOAD", library().toString());
		builder.environment().put("CLOCK_SHIFT_SECONDS", String.valueOf(seconds));
		Process shifted = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
		try (BufferedReader from = shifted.inputReader();
				PrintWriter to = new PrintWriter(shifted.outputWriter(), true);
				HikariDataSource pool = Databases.pool(server.url(), 8);
				LockEngine engine = engine(pool)) {
			long difference = Long.parseLong(line(from)) - System.currentTimeMillis();
			assertThat(Duration.ofMillis(difference)).as("difference of the clocks")
				.isBetween(Duration.ofSeconds(seconds - 30), Duration.ofSeconds(seconds + 30));

			to.println("compete");
			long ownWait = compete(engine, pool, "right");
			long itsWait = Long.parseLong(line(from));
			assertNeverTogetherAndTokensRise();

			// It waits for a lease of ours to end, and we for one of its.
			Lease ours = engine.acquire(LockRequest.of("ours").withTtl(TTL).withRenew(false));
			to.println("wait");
			Duration itsTakeover = Duration.ofMillis(Long.parseLong(line(from)));
			assertThat(ours.isHeld()).isFalse();
			to.println("die");
			assertThat(line(from)).isEqualTo("taken");
			long start = System.nanoTime();
			engine.acquire(LockRequest.of("its").withWaitTime(Duration.ofSeconds(20))).close();
			Duration ourTakeover = Duration.ofNanos(System.nanoTime() - start);
			logger.info(
					"Clock wrong by {} s: {} locks in each JVM, longest wait {} ms (wrong) and {} ms (right);"
							+ " lock of the other free after {} and {} ms (ttl {} ms)",
					seconds, ROUNDS, itsWait, ownWait, itsTakeover.toMillis(), ourTakeover.toMillis(), TTL.toMillis());
			assertThat(itsTakeover).isBetween(TTL.minusMillis(500), TTL.plus(SLACK));
			assertThat(ourTakeover).isBetween(TTL.minusMillis(500), TTL.plus(SLACK));
			assertThat(shifted.waitFor(10, TimeUnit.SECONDS)).isTrue();
		}
		finally {
			shifted.destroyForcibly();
		}
	}

	private static void assertNeverTogetherAndTokensRise() {
		assertThat(server.query("SELECT COUNT(*) FROM journal")).containsExactly(String.valueOf(2 * ROUNDS));
		assertThat(server.query("SELECT DISTINCT jvm FROM journal ORDER BY 1")).containsExactly("right", "wrong");
		assertThat(server.query("SELECT id FROM journal WHERE inside <> 1")).as("holders that met another").isEmpty();
		List<Long> tokens = server.query("SELECT token FROM journal ORDER BY id").stream().map(Long::valueOf).toList();
		assertThat(tokens).isSorted().doesNotHaveDuplicates();
	}

	private static String line(BufferedReader from) throws Exception {
		return CompletableFuture.supplyAsync(() -> {
			try {
				String line = from.readLine();
				while (line != null && !line.startsWith(ANSWER)) {
					logger.info("The JVM whose clock is wrong: {}", line);
					line = from.readLine();
				}
				return (line != null) ? line.substring(ANSWER.length()) : "(nothing)";
			}
			catch (IOException ex) {
				throw new IllegalStateException(ex);
			}
		}).get(60, TimeUnit.SECONDS);
	}

	private static LockEngine engine(DataSource source) {
		return LockEngine.builder().store(JdbcLockStore.builder(source).build()).build();
	}

	/**
	 * Takes the lock many times, and writes down who was there.
	 * @return the longest wait in milliseconds
	 */
	private static long compete(LockEngine engine, DataSource source, String jvm) throws SQLException {
		long longest = 0;
		try (Connection connection = source.getConnection(); Statement statement = connection.createStatement()) {
			for (int i = 0; i < ROUNDS; i++) {
				long start = System.nanoTime();
				try (Lease lease = engine
					.acquire(LockRequest.of("both").withTtl(TTL).withWaitTime(Duration.ofSeconds(30)))) {
					longest = Math.max(longest, System.nanoTime() - start);
					ResultSet result = statement.executeQuery("UPDATE guard SET inside = inside + 1 RETURNING inside");
					result.next();
					int inside = result.getInt(1);
					statement.executeUpdate("INSERT INTO journal (token, jvm, inside) VALUES (" + lease.fencingToken()
							+ ", '" + jvm + "', " + inside + ")");
					statement.executeUpdate("UPDATE guard SET inside = inside - 1");
				}
			}
		}
		return longest / 1_000_000;
	}

	/**
	 * The JVM whose clock is wrong.
	 */
	static final class Shifted {

		private Shifted() {
		}

		private static void say(Object answer) {
			System.out.println(ANSWER + answer);
		}

		public static void main(String[] arguments) throws Exception {
			DataSource source = Databases.pool(arguments[0], 8);
			say(System.currentTimeMillis());
			BufferedReader commands = new BufferedReader(new InputStreamReader(System.in));
			LockEngine engine = engine(source);
			for (String command = commands.readLine(); command != null; command = commands.readLine()) {
				switch (command) {
					case "compete" -> say(compete(engine, source, "wrong"));
					case "wait" -> {
						long start = System.nanoTime();
						engine.acquire(LockRequest.of("ours").withWaitTime(Duration.ofSeconds(20))).close();
						say((System.nanoTime() - start) / 1_000_000);
					}
					case "die" -> {
						engine.acquire(LockRequest.of("its").withTtl(TTL));
						say("taken");
						Runtime.getRuntime().halt(0);
					}
					default -> throw new IllegalArgumentException(command);
				}
			}
		}

	}

}
