package io.distributedlock.benchmarks.server;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.Test;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

class EtcdServerTests {

	private static final ByteSequence KEY = ByteSequence.from("key", UTF_8);

	@Test
	void requestsAndTheirFsyncsCountButNotWhatTheServerIsAskedForMeasuring() throws Exception {
		assumeTrue(EtcdServer.program().isPresent(), "install etcd-server");
		try (EtcdServer server = EtcdServer.start();
				Client client = Client.builder().endpoints("http://" + server.address()).build()) {
			client.getKVClient().get(KEY).get();
			Counters before = server.counters();
			for (int i = 0; i < 5; i++) {
				client.getKVClient().put(KEY, KEY).get();
				server.ping();
			}

			Counters done = server.counters().since(before);

			assertThat(done.commands()).isEqualTo(5);
			assertThat(done.syncs()).isBetween(5L, 7L);
			server.clear();
			assertThat(client.getKVClient().get(KEY).get().getCount()).isZero();
			assertThat(server.version()).matches("etcd 3\\..+");
		}
	}

}
