package io.distributedlock.store.zookeeper;

import java.io.IOException;
import java.time.Duration;

import org.apache.zookeeper.KeeperException.Code;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import io.distributedlock.spi.StoreException;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Settings that cannot work, and what failures say.
 */
class SettingsTests {

	private final Failures failures = new Failures("zk1:2181");

	@Test
	void settingsThatCannotWorkSayWhatToUse() {
		ZooKeeperLockStore.Builder builder = ZooKeeperLockStore.builder("127.0.0.1:1");
		assertThatIllegalArgumentException().isThrownBy(() -> ZooKeeperLockStore.builder(" "))
			.withMessageContaining("zk1:2181");
		assertThatIllegalArgumentException().isThrownBy(() -> ZooKeeperLockStore.builder("zk1:2181/app"))
			.withMessageContaining("namespace");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.namespace("/x"))
			.withMessageContaining("namespace '/x'");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.instanceId("a b"))
			.withMessageContaining("instance id 'a b'");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.authorization(" ", new byte[0]))
			.withMessageContaining("digest");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.reservation(Duration.ZERO))
			.withMessageContaining("reservation");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.queueEntryTtl(Duration.ofMillis(-1)))
			.withMessageContaining("queue entry ttl");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.commandTimeout(Duration.ofMillis(9)))
			.withMessageContaining("command timeout");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.connectionTimeout(Duration.ofMillis(9)))
			.withMessageContaining("connection timeout");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.tickTime(Duration.ofMillis(9)))
			.withMessageContaining("tick time");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.ttl(Duration.ofMillis(9)))
			.withMessageContaining("ttl");
	}

	@Test
	void whereNobodyListensBuildingFailsInTimeAndNamesTheServers() throws IOException {
		int port = ZooKeeperServerProcess.freePort();
		long start = System.nanoTime();
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> ZooKeeperLockStore.builder("127.0.0.1:" + port)
				.authorization("digest", "user:secret".getBytes())
				.connectionTimeout(Duration.ofMillis(500))
				.build())
			.withMessageContaining("127.0.0.1:" + port)
			.withMessageNotContaining("secret")
			.matches(StoreException::isRetryable);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(8));
	}

	@ParameterizedTest
	@EnumSource(Code.class)
	void everyFailureNamesTheServersAndSaysSomething(Code code) {
		StoreException failure = this.failures.of(code);
		assertThat(failure.getMessage()).contains("zk1:2181").hasSizeGreaterThan(40);
		boolean unknown = switch (code) {
			case NOAUTH, AUTHFAILED, INVALIDACL, NOTREADONLY, QUOTAEXCEEDED, UNIMPLEMENTED, THROTTLEDOP -> false;
			default -> true;
		};
		assertThat(failure.mayHaveExecuted()).isEqualTo(unknown);
	}

	@Test
	void whatNobodyCanMendByWaitingIsNotTriedAgain() {
		assertThat(this.failures.of(Code.NOAUTH).isRetryable()).isFalse();
		assertThat(this.failures.of(Code.NOAUTH)).hasMessageContaining("permission");
		assertThat(this.failures.ttlTooLong("60 s", "36 s").isRetryable()).isFalse();
		assertThat(this.failures.ttlTooLong("60 s", "36 s")).hasMessageContaining("maxSessionTimeout");
		assertThat(this.failures.of(Code.CONNECTIONLOSS).isRetryable()).isTrue();
		assertThat(this.failures.of(Code.SESSIONEXPIRED).isRetryable()).isTrue();
	}

	@Test
	void sessionsAreRoundedUpByASixteenthAtMost() {
		for (long millis = 500; millis < 100_000; millis += 37) {
			long rounded = Sessions.rounded(Duration.ofMillis(millis)).toMillis();
			assertThat(rounded).isBetween(millis, millis + millis / 16 + 1);
		}
		assertThat(Sessions.rounded(Duration.ofSeconds(34))).isEqualTo(Sessions.rounded(Duration.ofMillis(34_100)));
	}

}
