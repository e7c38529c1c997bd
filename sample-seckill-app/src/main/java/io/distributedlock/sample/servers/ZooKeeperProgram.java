package io.distributedlock.sample.servers;

import java.io.File;
import java.io.IOException;
import java.net.ConnectException;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import org.apache.zookeeper.server.ZooKeeperServerMain;

import org.springframework.boot.system.ApplicationHome;

/**
 * ZooKeeper, from the jar that its client is in, in a JVM of its own.
 */
final class ZooKeeperProgram implements ServerProgram {

	static final String USER = "seckill";

	private static final Duration TIMEOUT = Duration.ofSeconds(5);

	private static final Duration START = Duration.ofSeconds(30);

	@Override
	public String name() {
		return "ZooKeeper";
	}

	@Override
	public Occupant occupant(ServerSite site) {
		try (Socket socket = site.connect(TIMEOUT)) {
			socket.getOutputStream().write("conf".getBytes(StandardCharsets.US_ASCII));
			socket.getOutputStream().flush();
			// Ends when the server closes the connection, as it does after each answer.
			String answer = new String(socket.getInputStream().readNBytes(1 << 14), StandardCharsets.UTF_8);
			return answer.contains("dataDir=" + site.file("data") + "/") ? Occupant.OURS : Occupant.STRANGER;
		}
		catch (ConnectException ex) {
			return Occupant.NOBODY;
		}
		catch (IOException ex) {
			return Occupant.STRANGER;
		}
	}

	@Override
	public void start(ServerSite site) throws IOException {
		Path log = site.file("zookeeper.log");
		Files.writeString(site.file("zoo.cfg"), """
				dataDir=%s
				clientPort=%d
				clientPortAddress=%s
				tickTime=500
				minSessionTimeout=500
				maxSessionTimeout=120000
				maxClientCnxns=0
				admin.enableServer=false
				4lw.commands.whitelist=conf
				""".formatted(site.file("data"), site.port(), ServerSite.HOST));
		Files.writeString(site.file("logback.xml"), """
				<configuration>
				  <appender name="OUT" class="ch.qos.logback.core.ConsoleAppender">
				    <encoder><pattern>%d %-5level %logger{0} %msg%n</pattern></encoder>
				  </appender>
				  <root level="WARN"><appender-ref ref="OUT"/></root>
				</configuration>
				""");
		Process process = launch(site, log);
		long start = System.nanoTime();
		while (occupant(site) != Occupant.OURS) {
			if (!process.isAlive() || System.nanoTime() - start > START.toNanos()) {
				throw new IOException("It does not answer: " + ServerSite.tail(log));
			}
			ServerSite.pause();
		}
	}

	private static Process launch(ServerSite site, Path log) throws IOException {
		List<String> command = new ArrayList<>(List.of(
				Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx192m", "-XX:+UseSerialGC",
				"-XX:TieredStopAtLevel=1", "-Dlogback.configurationFile=" + site.file("logback.xml")));
		String classPath = System.getProperty("java.class.path");
		File source = new ApplicationHome(ZooKeeperProgram.class).getSource();
		if (source != null && source.isFile()) {
			// The jars are within the application's jar, where only Spring Boot finds
			// them.
			classPath = source.toString();
			command.addAll(List.of("-Dloader.main=" + ZooKeeperServerMain.class.getName(),
					"org.springframework.boot.loader.launch.PropertiesLauncher"));
		}
		else {
			command.add(ZooKeeperServerMain.class.getName());
		}
		command.add(site.file("zoo.cfg").toString());
		// Not as an argument, which would be too long.
		return site.launch(command, Map.of("CLASSPATH", classPath), log);
	}

	@Override
	public void stop(ServerSite site) throws IOException {
		site.stopLaunched();
	}

}
