package io.distributedlock.sample.servers;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

import io.distributedlock.sample.servers.ServerProgram.Occupant;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link SharedServer} with real servers and real processes.
 */
class SharedServerTests {

	@TempDir
	private Path temp;

	private Path directory = Path.of(".");

	@BeforeEach
	void resolveDirectory() throws IOException {
		this.directory = this.temp.toRealPath().resolve("server");
	}

	// No jar brings an etcd; StoresTests says so where there is none.
	static List<Kind> installed() {
		return Arrays.stream(Kind.values())
			.filter((kind) -> kind != Kind.ETCD || Programs.find("etcd").isPresent())
			.toList();
	}

	@AfterEach
	void nothingIsLeftRunning() {
		assertThat(processesOf(this.directory)).isEmpty();
	}

	@ParameterizedTest
	@MethodSource("installed")
	void theLastMemberStopsTheServer(Kind kind) {
		SharedServer first = SharedServer.join(kind.program, this.directory, 0);
		SharedServer second = SharedServer.join(kind.program, this.directory, 0);
		assertThat(second.site().port()).isEqualTo(first.site().port());
		first.close();
		first.close();
		assertThat(kind.program.occupant(second.site())).isEqualTo(Occupant.OURS);
		second.close();
		assertThat(kind.program.occupant(second.site())).isEqualTo(Occupant.NOBODY);
	}

	@ParameterizedTest
	@EnumSource(names = { "REDIS", "POSTGRES" })
	void aServerOutlivesTheKilledInstanceThatStartedIt(Kind kind) throws Exception {
		Process other = memberInAnotherJvm(kind);
		SharedServer member = SharedServer.join(kind.program, this.directory, 0);
		long server = onlyServerProcess();
		other.destroyForcibly().waitFor();
		assertThat(kind.program.occupant(member.site())).isEqualTo(Occupant.OURS);
		assertThat(onlyServerProcess()).isEqualTo(server);
		member.close();
		assertThat(kind.program.occupant(member.site())).isEqualTo(Occupant.NOBODY);
	}

	@ParameterizedTest
	@MethodSource("installed")
	void aServerLeftByTheLastKilledInstanceIsJoinedAndThenStopped(Kind kind) throws Exception {
		Process other = memberInAnotherJvm(kind);
		long server = onlyServerProcess();
		other.destroyForcibly().waitFor();
		assertThat(onlyServerProcess()).isEqualTo(server);
		SharedServer member = SharedServer.join(kind.program, this.directory, 0);
		assertThat(onlyServerProcess()).isEqualTo(server);
		member.close();
		assertThat(kind.program.occupant(member.site())).isEqualTo(Occupant.NOBODY);
	}

	@ParameterizedTest
	@EnumSource(names = { "REDIS", "POSTGRES" })
	void theInstanceThatStartedTheServerMayEndFirst(Kind kind) throws Exception {
		SharedServer first = SharedServer.join(kind.program, this.directory, 0);
		Process other = memberInAnotherJvm(kind);
		first.close();
		assertThat(kind.program.occupant(first.site())).isEqualTo(Occupant.OURS);
		other.getOutputStream().close();
		assertThat(other.waitFor(30, TimeUnit.SECONDS)).isTrue();
		assertThat(kind.program.occupant(first.site())).isEqualTo(Occupant.NOBODY);
	}

	@ParameterizedTest
	@MethodSource("installed")
	void aServerWhoseFilesWereWipedIsReplaced(Kind kind) throws Exception {
		Process other = memberInAnotherJvm(kind);
		int port = Integer.parseInt(Files.readString(this.directory.resolve("port")));
		other.destroyForcibly().waitFor();
		ServerSite.deleteTree(this.directory);
		try (SharedServer member = SharedServer.join(kind.program, this.directory, port)) {
			assertThat(kind.program.occupant(member.site())).isEqualTo(Occupant.OURS);
		}
	}

	@ParameterizedTest
	@MethodSource("installed")
	void aStrangerOnThePortIsRefused(Kind kind) throws Exception {
		ServerSocket stranger = new ServerSocket(0, 8, InetAddress.getByName(ServerSite.HOST));
		try {
			Thread answering = new Thread(() -> answerAll(stranger));
			answering.start();
			assertThatExceptionOfType(ServerException.class)
				.isThrownBy(() -> SharedServer.join(kind.program, this.directory, stranger.getLocalPort()))
				.withMessageContaining("is taken by something that is not this project's " + kind.program.name())
				.withMessageContaining("--seckill.servers." + kind.name().toLowerCase(Locale.ROOT) + "-port");
		}
		finally {
			stranger.close();
		}
	}

	@ParameterizedTest
	@MethodSource("installed")
	void theServerOfAnotherDirectoryIsAStranger(Kind kind) {
		try (SharedServer theirs = SharedServer.join(kind.program, this.directory.resolveSibling("theirs"), 0)) {
			int port = theirs.site().port();
			assertThatExceptionOfType(ServerException.class)
				.isThrownBy(() -> SharedServer.join(kind.program, this.directory, port))
				.withMessageContaining("is taken by something that is not this project's " + kind.program.name());
			assertThat(kind.program.occupant(theirs.site())).isEqualTo(Occupant.OURS);
		}
	}

	@Test
	void thePasswordIsForTheOwnerOnly() throws Exception {
		try (SharedServer member = SharedServer.join(new RedisProgram(), this.directory, 0)) {
			for (String file : List.of("password", "redis.conf")) {
				assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(member.site().file(file))))
					.isEqualTo("rw-------");
			}
		}
	}

	private static void answerAll(ServerSocket server) {
		while (!server.isClosed()) {
			try (var socket = server.accept()) {
				socket.getOutputStream().write("+PONG\r\n".getBytes(StandardCharsets.US_ASCII));
				socket.getOutputStream().flush();
			}
			catch (IOException ex) {
				// closed: the loop ends
			}
		}
	}

	private long onlyServerProcess() {
		// PostgreSQL starts and ends helpers all the time; one seen in passing may have
		// no
		// parent any more.
		return Awaitility.await().until(this::serverProcesses, (roots) -> roots.size() == 1).get(0).pid();
	}

	private List<ProcessHandle> serverProcesses() {
		return processesOf(this.directory).stream()
			.filter((process) -> process.parent()
				.flatMap((parent) -> parent.info().command())
				.filter((command) -> command.startsWith(this.directory + "/"))
				.isEmpty())
			.toList();
	}

	// By their program, or, where that is not in the directory, by an option.
	private static List<ProcessHandle> processesOf(Path directory) {
		String ours = directory + "/";
		return ProcessHandle.allProcesses()
			.filter((process) -> process.info().command().filter((command) -> command.startsWith(ours)).isPresent()
					|| Arrays.stream(process.info().arguments().orElse(new String[0]))
						.anyMatch((argument) -> argument.contains("=" + ours)))
			.toList();
	}

	private Process memberInAnotherJvm(Kind kind) throws IOException {
		Process process = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-cp",
				System.getProperty("java.class.path"), MemberMain.class.getName(), kind.name(),
				this.directory.toString())
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		BufferedReader output = new BufferedReader(new InputStreamReader(process.getInputStream()));
		String line = output.readLine();
		while (line != null && !line.equals("joined")) {
			line = output.readLine();
		}
		assertThat(line).as("the other JVM has joined").isEqualTo("joined");
		return process;
	}

	enum Kind {

		REDIS(new RedisProgram()), POSTGRES(new PostgresProgram()), ETCD(new EtcdProgram()),
		ZOOKEEPER(new ZooKeeperProgram());

		private final ServerProgram program;

		Kind(ServerProgram program) {
			this.program = program;
		}

	}

	/**
	 * Another instance: joins, says so, and leaves when its input ends.
	 */
	static final class MemberMain {

		private MemberMain() {
		}

		public static void main(String[] args) throws IOException {
			SharedServer member = SharedServer.join(Kind.valueOf(args[0]).program, Path.of(args[1]), 0);
			System.out.println("joined");
			while (System.in.read() != -1) {
				Thread.onSpinWait();
			}
			member.close();
			System.exit(0);
		}

	}

}
