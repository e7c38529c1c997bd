package io.distributedlock.boot.autoconfigure.redis;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.util.Base64;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.store.redis.server.RedisServerProcess;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * The store over TLS, with the application's SSL bundle, against a real Redis.
 */
class RedisTlsTests {

	private static final char[] PASSWORD = "changeit".toCharArray();

	@TempDir
	private static Path files;

	private static RedisServerProcess redis;

	private static int port;

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, DataRedisAutoConfiguration.class,
				RedisLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class))
		.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + port,
				"spring.data.redis.ssl.bundle=redis");

	@BeforeAll
	static void start() throws Exception {
		makeCertificate("server");
		makeCertificate("stranger");
		port = RedisServerProcess.freePort();
		redis = RedisServerProcess.start("--tls-port", String.valueOf(port), "--tls-cert-file",
				files.resolve("server.crt").toString(), "--tls-key-file", files.resolve("server.key").toString(),
				"--tls-ca-cert-file", files.resolve("server.crt").toString(), "--tls-auth-clients", "no");
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@Test
	void locksAreTakenOverTls() {
		this.runner
			.withPropertyValues(
					"spring.ssl.bundle.pem.redis.truststore.certificate=file:" + files.resolve("server.crt"))
			.run((context) -> {
				Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", 42));
				assertThat(redis.command("KEYS", "lock:*stock:42")).contains("stock:42");
				assertThat(context.getBean(LockInspector.class).find(lease.key(), null)).isPresent();
				assertThat(lease.release()).isTrue();
			});
	}

	@Test
	void aServerWhoseCertificateIsNotTrustedIsRefused() {
		this.runner
			.withPropertyValues(
					"spring.ssl.bundle.pem.redis.truststore.certificate=file:" + files.resolve("stranger.crt"))
			.run((context) -> assertThatThrownBy(() -> context.getBean(LockTemplate.class)).rootCause()
				.isInstanceOf(GeneralSecurityException.class));
	}

	private static void makeCertificate(String name) throws Exception {
		Path store = files.resolve(name + ".p12");
		Path keytool = Path.of(System.getProperty("java.home"), "bin", "keytool");
		Process process = new ProcessBuilder(keytool.toString(), "-genkeypair", "-alias", "key", "-keyalg", "RSA",
				"-dname", "CN=127.0.0.1", "-ext", "san=ip:127.0.0.1", "-storetype", "PKCS12", "-keystore",
				store.toString(), "-storepass", new String(PASSWORD))
			.redirectErrorStream(true)
			.redirectOutput(files.resolve(name + ".log").toFile())
			.start();
		assertThat(process.waitFor()).isZero();
		KeyStore keys = KeyStore.getInstance("PKCS12");
		try (InputStream in = Files.newInputStream(store)) {
			keys.load(in, PASSWORD);
		}
		writePem(name + ".crt", "CERTIFICATE", keys.getCertificate("key").getEncoded());
		writePem(name + ".key", "PRIVATE KEY", keys.getKey("key", PASSWORD).getEncoded());
	}

	private static void writePem(String file, String type, byte[] content) throws IOException {
		String text = Base64.getMimeEncoder(64, new byte[] { '\n' }).encodeToString(content);
		Files.writeString(files.resolve(file),
				"-----BEGIN " + type + "-----\n" + text + "\n-----END " + type + "-----\n");
	}

}
