package io.distributedlock.store.etcd.server;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;

/**
 * A certificate for 127.0.0.1 that nobody else has signed, and its key, made by the JDK's
 * {@code keytool}.
 *
 * @param certificate PEM file of the certificate, which is also what clients must trust
 * @param key PEM file of its private key
 */
public record SelfSignedCertificate(Path certificate, Path key) {

	private static final String PASSWORD = "changeit";

	private static final String ALIAS = "etcd";

	/**
	 * Makes a certificate.
	 * @param directory where its files go
	 * @param name what its files and its subject are called
	 * @return the new certificate
	 */
	public static SelfSignedCertificate create(Path directory, String name) {
		Path store = directory.resolve(name + ".p12");
		run(Path.of(System.getProperty("java.home"), "bin", "keytool").toString(), "-genkeypair", "-alias", ALIAS,
				"-keyalg", "EC", "-groupname", "secp256r1", "-dname", "CN=" + name, "-validity", "2", "-ext",
				"san=ip:127.0.0.1", "-storetype", "PKCS12", "-keystore", store.toString(), "-storepass", PASSWORD);
		try (InputStream in = Files.newInputStream(store)) {
			KeyStore made = KeyStore.getInstance("PKCS12");
			made.load(in, PASSWORD.toCharArray());
			Path certificate = pem(directory.resolve(name + ".crt"), "CERTIFICATE",
					made.getCertificate(ALIAS).getEncoded());
			Path key = pem(directory.resolve(name + ".key"), "PRIVATE KEY",
					made.getKey(ALIAS, PASSWORD.toCharArray()).getEncoded());
			return new SelfSignedCertificate(certificate, key);
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (GeneralSecurityException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static Path pem(Path file, String what, byte[] encoded) throws IOException {
		String lines = Base64.getMimeEncoder(64, new byte[] { '\n' }).encodeToString(encoded);
		return Files.writeString(file, "-----BEGIN " + what + "-----\n" + lines + "\n-----END " + what + "-----\n");
	}

	private static void run(String... command) {
		try {
			Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
			String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
			if (process.waitFor() != 0) {
				throw new IllegalStateException("keytool failed: " + output);
			}
		}
		catch (IOException ex) {
			throw new UncheckedIOException(ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

}
