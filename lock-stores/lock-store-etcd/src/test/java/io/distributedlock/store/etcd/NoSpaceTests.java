package io.distributedlock.store.etcd;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.etcd.server.EtcdCluster;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What "no space left" means: a server that finds its space used up when it executes a
 * transaction says so, and has executed it all the same.
 */
class NoSpaceTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static final String RECORD = "/distributed-lock/l/stock:42";

	private static final int QUOTA = 1_000_000;

	private static final int LAST = 60_000;

	private static final int MANY = 5;

	private final List<AutoCloseable> resources = new ArrayList<>();

	private final HttpClient http = HttpClient.newHttpClient();

	private EtcdServer leader;

	private EtcdServer follower;

	@BeforeEach
	void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		EtcdCluster etcd = EtcdCluster.start(2, "--quota-backend-bytes", String.valueOf(QUOTA), "--backend-batch-limit",
				"1");
		this.resources.add(etcd);
		this.leader = etcd.leader();
		this.follower = etcd.servers().stream().filter((server) -> server != this.leader).findFirst().orElseThrow();
	}

	@AfterEach
	void close() throws Exception {
		for (int i = this.resources.size() - 1; i >= 0; i--) {
			this.resources.get(i).close();
		}
	}

	@Test
	void aTransactionThatIsExecutedAsTheSpaceEndsIsNotSaidToBeUnexecuted() {
		StoreFixture one = connect();
		one.release(KEY, one.hold(KEY, StoreFixture.TTL));
		Client client = Client.builder().endpoints(this.leader.endpoint()).build();
		this.resources.add(client);
		fill(client);
		AttemptId attempt = AttemptId.random();
		CompletionStage<AcquireReply> acquired;
		// Without the other member nothing is executed, but all is accepted in order:
		// there
		// is space for each request now, and not when it is executed.
		this.follower.freeze();
		try {
			for (int i = 0; i < MANY; i++) {
				client.getKVClient().put(KeyLayout.bytes("last" + i), value(LAST));
			}
			awaitPending(MANY);
			acquired = one.store
				.acquire(new AcquireCommand(KEY, attempt, StoreFixture.TTL, 1, false, Duration.ofSeconds(10)));
			awaitPending(MANY + 1);
		}
		finally {
			this.follower.thaw();
		}
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(acquired))
			.withMessageContaining("etcdctl alarm disarm")
			.satisfies((ex) -> assertThat(ex.isRetryable()).isTrue())
			.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isTrue());
		assertThat(this.leader.etcdctl("get", RECORD)).as("was executed").contains(attempt.toString());
		// The answer was not lost, so nothing of it can come later: no write is needed to
		// prevent that, and deletions are taken.
		one.abandon(KEY, attempt);
		assertThat(this.leader.etcdctl("get", RECORD)).isEmpty();
	}

	private StoreFixture connect() {
		StoreFixture fixture = StoreFixture.of(this.leader);
		this.resources.add(fixture);
		return fixture;
	}

	/**
	 * Leaves space for one more value, but not for several.
	 */
	private void fill(Client client) {
		long left = QUOTA;
		for (int i = 0; left > 2 * LAST; i++) {
			int length = (left > 4 * LAST) ? LAST / 2 : LAST / 10;
			StoreFixture.get(client.getKVClient().put(KeyLayout.bytes("filling" + i), value(length)));
			left = QUOTA
					- StoreFixture.get(client.getMaintenanceClient().statusMember(this.leader.endpoint())).getDbSize();
		}
		assertThat(left).isGreaterThan(LAST + 1000);
	}

	private void awaitPending(int count) {
		await().pollInterval(Duration.ofMillis(10)).until(() -> pending() == count);
	}

	private static ByteSequence value(int length) {
		return KeyLayout.bytes("x".repeat(length));
	}

	/**
	 * Counts the requests that wait for the other member.
	 */
	private int pending() throws IOException, InterruptedException {
		HttpRequest request = HttpRequest.newBuilder(URI.create(this.leader.endpoint() + "/metrics")).build();
		return this.http.send(request, HttpResponse.BodyHandlers.ofString())
			.body()
			.lines()
			.filter((line) -> line.startsWith("etcd_server_proposals_pending "))
			.mapToInt((line) -> (int) Double.parseDouble(line.split(" ")[1]))
			.findFirst()
			.orElseThrow();
	}

}
