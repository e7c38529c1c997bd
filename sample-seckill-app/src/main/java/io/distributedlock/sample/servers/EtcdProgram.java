package io.distributedlock.sample.servers;

import java.io.IOException;
import java.io.InputStream;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The {@code etcd} that is installed on this machine; no jar brings one. It asks for a
 * password, as the other servers do.
 */
final class EtcdProgram implements ServerProgram {

	static final String USER = "root";

	private static final Duration TIMEOUT = Duration.ofSeconds(5);

	private static final Duration START = Duration.ofSeconds(20);

	private final Optional<Path> program;

	EtcdProgram() {
		this(Programs.find("etcd"));
	}

	EtcdProgram(Optional<Path> program) {
		this.program = program;
	}

	@Override
	public String name() {
		return "etcd";
	}

	static URI url(ServerSite site) {
		return URI.create("http://" + ServerSite.HOST + ":" + site.port());
	}

	@Override
	public Occupant occupant(ServerSite site) {
		try {
			return (ask(site, "auth/authenticate", login(site)) == 200) ? Occupant.OURS : Occupant.STRANGER;
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
		String program = this.program
			.orElseThrow(() -> new ServerException("There is no etcd on the PATH, and no jar brings one. Install it"
					+ " (Debian and Ubuntu: apt-get install etcd-server, macOS: brew install etcd), or name one that"
					+ " runs with --distributed-lock.etcd.endpoints=http://host:2379.", null))
			.toString();
		Path log = site.file("etcd.log");
		String peer = "http://" + ServerSite.HOST + ":2380";
		// It has no peers: it listens for them on any port, and the address is only a
		// name.
		Process process = site.launch(List.of(program, "--name=seckill", "--data-dir=" + site.file("data"),
				"--listen-client-urls=" + url(site), "--advertise-client-urls=" + url(site),
				"--listen-peer-urls=http://" + ServerSite.HOST + ":0", "--initial-advertise-peer-urls=" + peer,
				"--initial-cluster=seckill=" + peer), Map.of(), log);
		long start = System.nanoTime();
		while (!isHealthy(site)) {
			if (!process.isAlive() || System.nanoTime() - start > START.toNanos()) {
				throw new IOException("It does not answer: " + ServerSite.tail(log));
			}
			ServerSite.pause();
		}
		if (occupant(site) != Occupant.OURS) {
			askForPasswords(site);
		}
	}

	private static boolean isHealthy(ServerSite site) {
		try (InputStream answer = url(site).resolve("/health").toURL().openStream()) {
			return new String(answer.readAllBytes(), StandardCharsets.UTF_8).contains("true");
		}
		catch (IOException ex) {
			return false;
		}
	}

	private static void askForPasswords(ServerSite site) throws IOException {
		// Some of it may be done already, if an earlier start was cut off.
		ask(site, "auth/user/add", login(site));
		ask(site, "auth/role/add", "{\"name\":\"root\"}");
		ask(site, "auth/user/grant", "{\"user\":\"" + USER + "\",\"role\":\"root\"}");
		int status = ask(site, "auth/enable", "{}");
		if (status != 200) {
			throw new IOException("It refuses to ask for passwords (HTTP " + status + ").");
		}
	}

	private static String login(ServerSite site) {
		return "{\"name\":\"" + USER + "\",\"password\":\"" + site.password() + "\"}";
	}

	// etcd's own JSON gateway, so that no client is needed.
	private static int ask(ServerSite site, String path, String body) throws IOException {
		HttpURLConnection connection = (HttpURLConnection) url(site).resolve("/v3/" + path).toURL().openConnection();
		connection.setConnectTimeout((int) TIMEOUT.toMillis());
		connection.setReadTimeout((int) TIMEOUT.toMillis());
		connection.setRequestMethod("POST");
		connection.setDoOutput(true);
		connection.setRequestProperty("Content-Type", "application/json");
		try {
			connection.getOutputStream().write(body.getBytes(StandardCharsets.UTF_8));
			return connection.getResponseCode();
		}
		finally {
			connection.disconnect();
		}
	}

	@Override
	public void stop(ServerSite site) throws IOException {
		site.stopLaunched();
	}

}
