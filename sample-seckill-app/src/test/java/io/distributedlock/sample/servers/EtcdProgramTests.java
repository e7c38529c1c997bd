package io.distributedlock.sample.servers;

import java.nio.file.Path;
import java.util.Optional;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link EtcdProgram} where etcd is not installed, and for {@link Programs}.
 */
class EtcdProgramTests {

	@Test
	void aMissingEtcdIsReportedWithWhatToInstall(@TempDir Path temp) {
		assertThatExceptionOfType(ServerException.class)
			.isThrownBy(() -> SharedServer.join(new EtcdProgram(Optional.empty()), temp, 0))
			.withMessageContaining("apt-get install etcd-server")
			.withMessageContaining("--distributed-lock.etcd.endpoints=");
	}

	@Test
	void programsAreFoundWhereAShellFindsThem() {
		assertThat(Programs.find("sh", "/nowhere::/bin")).hasValue(Path.of("/bin/sh"));
		assertThat(Programs.find("sh", "/nowhere")).isEmpty();
		assertThat(Programs.find("no such program")).isEmpty();
	}

}
