package io.distributedlock.store.redis.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/**
 * A certificate for 127.0.0.1 that signs itself, and servers that show it to those who
 * come with TLS. The JDK's {@code keytool} makes it.
 */
public final class RedisCertificate implements AutoCloseable {

	private static final String PASSWORD = "changeit";

	private final Path directory;

	private final KeyStore keys;

	private RedisCertificate(Path directory, KeyStore keys) {
		this.directory = directory;
		this.keys = keys;
	}

	/**
	 * Makes a certificate.
	 * @return the certificate
	 */
	public static RedisCertificate create() {
		try {
			Path directory = Files.createTempDirectory("redis-tls-");
			Path file = directory.resolve("keys");
			int result = new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(),
					"-genkeypair", "-alias", "redis", "-keyalg", "EC", "-groupname", "secp256r1", "-dname",
					"CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-ext", "bc=ca:true", "-storetype", "PKCS12",
					"-storepass", PASSWORD, "-keystore", file.toString())
				.redirectErrorStream(true)
				.redirectOutput(directory.resolve("out").toFile())
				.start()
				.waitFor();
			if (result != 0) {
				throw new IllegalStateException("keytool: " + Files.readString(directory.resolve("out")));
			}
			KeyStore keys = KeyStore.getInstance("PKCS12");
			try (InputStream in = Files.newInputStream(file)) {
				keys.load(in, PASSWORD.toCharArray());
			}
			RedisCertificate certificate = new RedisCertificate(directory, keys);
			certificate.write(certificate.file(), "CERTIFICATE", keys.getCertificate("redis").getEncoded());
			certificate.write(certificate.keyFile(), "PRIVATE KEY",
					keys.getKey("redis", PASSWORD.toCharArray()).getEncoded());
			return certificate;
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	private void write(Path file, String kind, byte[] content) throws IOException {
		Files.write(file, List.of("-----BEGIN " + kind + "-----", Base64.getMimeEncoder().encodeToString(content),
				"-----END " + kind + "-----"));
	}

	/**
	 * Returns the certificate as a PEM file.
	 * @return the file
	 */
	public Path file() {
		return this.directory.resolve("certificate.pem");
	}

	private Path keyFile() {
		return this.directory.resolve("key.pem");
	}

	/**
	 * Returns a key store with the certificate.
	 * @return the key store
	 */
	public KeyStore keys() {
		return this.keys;
	}

	/**
	 * Starts a server that takes TLS on a port of its own.
	 * @param tlsPort the port for TLS
	 * @param more more arguments of {@code redis-server}
	 * @return the running server
	 */
	public RedisServerProcess start(int tlsPort, String... more) {
		List<String> arguments = new ArrayList<>(
				List.of("--tls-port", String.valueOf(tlsPort), "--tls-cert-file", file().toString(), "--tls-key-file",
						keyFile().toString(), "--tls-ca-cert-file", file().toString(), "--tls-auth-clients", "no"));
		arguments.addAll(List.of(more));
		return RedisServerProcess.start(arguments.toArray(String[]::new));
	}

	@Override
	public void close() {
		for (Path file : List.of(file(), keyFile(), this.directory.resolve("keys"), this.directory.resolve("out"),
				this.directory)) {
			if (!file.toFile().delete()) {
				file.toFile().deleteOnExit();
			}
		}
	}

}
