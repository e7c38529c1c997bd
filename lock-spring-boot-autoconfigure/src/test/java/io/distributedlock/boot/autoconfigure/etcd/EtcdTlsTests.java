package io.distributedlock.boot.autoconfigure.etcd;

import java.nio.file.Path;
import java.time.Duration;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.FailureAnalyses;
import io.distributedlock.store.etcd.server.EtcdServer;
import io.distributedlock.store.etcd.server.SelfSignedCertificate;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ssl.SslAutoConfiguration;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * TLS to a real etcd that asks for a password as well.
 */
class EtcdTlsTests {

	@TempDir
	private static Path directory;

	private static SelfSignedCertificate mine;

	private static EtcdServer etcd;

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(SslAutoConfiguration.class, EtcdLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class))
		.withPropertyValues("distributed-lock.etcd.endpoints=" + etcd.endpoint(), "distributed-lock.etcd.username=root",
				"distributed-lock.etcd.password=secret", "distributed-lock.etcd.ssl.bundle=etcd");

	@BeforeAll
	static void start() {
		assumeThat(EtcdServer.isInstalled()).as(EtcdServer.INSTALL).isTrue();
		mine = SelfSignedCertificate.create(directory, "mine");
		etcd = EtcdServer.start("--cert-file", mine.certificate().toString(), "--key-file", mine.key().toString());
		etcd.etcdctl("user", "add", "root:secret");
		etcd.etcdctl("user", "grant-role", "root", "root");
		etcd.etcdctl("auth", "enable");
	}

	@AfterAll
	static void stop() {
		if (etcd != null) {
			etcd.close();
		}
	}

	private ApplicationContextRunner trusting(SelfSignedCertificate trusted) {
		return this.runner
			.withPropertyValues("spring.ssl.bundle.pem.etcd.truststore.certificate=" + trusted.certificate().toUri());
	}

	@Test
	void aLockIsHeldOverTlsByUserAndPassword() {
		trusting(mine).run((context) -> {
			assertThat(context).hasNotFailed();
			try (Lease lease = context.getBean(LockTemplate.class)
				.acquire(LockRequest.of("stock", 42).withWaitTime(Duration.ofSeconds(20)))) {
				assertThat(lease.isHeld()).isTrue();
				assertThat(
						etcd.etcdctl("--user", "root:secret", "get", "--prefix", "--keys-only", "/distributed-lock/l/"))
					.contains("stock:42");
			}
			assertThat(context.getBean(LockInspector.class).stores()).containsExactly("etcd");
		});
	}

	@Test
	void aServerThatIsNotTrustedIsAnErrorAtStartUpThatSaysSo() {
		trusting(SelfSignedCertificate.create(directory, "other")).run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).contains("No TLS connection to etcd")
				.contains("unable to find valid certification path")
				.contains("does the client trust the server's certificate (ssl.bundle)?")
				.contains(etcd.endpoint())
				.doesNotContain("secret");
		});
	}

	@Test
	void aWrongPasswordIsNamedOverTlsToo() {
		trusting(mine).withPropertyValues("distributed-lock.etcd.password=geheim").run((context) -> {
			FailureAnalysis analysis = FailureAnalyses.of(context.getStartupFailure());
			assertThat(analysis.getDescription()).contains("user name and password").doesNotContain("geheim");
		});
	}

}
