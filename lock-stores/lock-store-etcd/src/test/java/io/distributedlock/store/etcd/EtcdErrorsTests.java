package io.distributedlock.store.etcd;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What is said when something is wrong with etcd or with how it is used.
 */
class EtcdErrorsTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private final List<AutoCloseable> resources = new ArrayList<>();

	@BeforeEach
	void needsEtcd() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
	}

	@AfterEach
	void close() throws Exception {
		for (int i = this.resources.size() - 1; i >= 0; i--) {
			this.resources.get(i).close();
		}
	}

	private EtcdServer server(String... arguments) {
		EtcdServer etcd = EtcdServer.start(arguments);
		this.resources.add(etcd);
		return etcd;
	}

	private StoreFixture connect(EtcdServer etcd, String user, String password) {
		StoreFixture fixture = new StoreFixture(
				Client.builder().endpoints(etcd.endpoint()).user(bytes(user)).password(bytes(password)).build(),
				etcd.endpoint());
		this.resources.add(fixture);
		return fixture;
	}

	private static ByteSequence bytes(String text) {
		return ByteSequence.from(text, StandardCharsets.UTF_8);
	}

	private static EtcdServer withUsers(EtcdServer etcd) {
		etcd.etcdctl("user", "add", "root:secret");
		etcd.etcdctl("user", "grant-role", "root", "root");
		etcd.etcdctl("user", "add", "shop:secret");
		etcd.etcdctl("role", "add", "shop");
		etcd.etcdctl("user", "grant-role", "shop", "shop");
		etcd.etcdctl("auth", "enable");
		return etcd;
	}

	@Test
	void aWrongPasswordIsNamedAndNotShown() {
		EtcdServer etcd = withUsers(server());
		StoreFixture shop = connect(etcd, "shop", "wrong-password");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> shop.acquire(KEY, AttemptId.random()))
			.withMessageContaining("user name and password")
			.withMessageContaining(etcd.endpoint())
			.satisfies((ex) -> assertThat(ex.getMessage()).doesNotContain("wrong-password"))
			.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isFalse())
			.satisfies((ex) -> assertThat(ex.isRetryable()).isFalse());
	}

	@Test
	void aMissingPermissionIsNamedWithTheCommandThatGrantsIt() {
		EtcdServer etcd = withUsers(server());
		StoreFixture shop = connect(etcd, "shop", "secret");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> shop.acquire(KEY, AttemptId.random()))
			.withMessageContaining("etcdctl role grant-permission ROLE readwrite /distributed-lock/ --prefix=true")
			.satisfies((ex) -> assertThat(ex.isRetryable()).isFalse());
		assertThatExceptionOfType(StoreException.class).isThrownBy(shop.store::check)
			.withMessageContaining("grant-permission");
	}

	@Test
	void aUserWithThePermissionThatTheMessageNamesCanLock() {
		EtcdServer etcd = withUsers(server());
		etcd.etcdctl("--user", "root:secret", "role", "grant-permission", "shop", "readwrite", "/distributed-lock/",
				"--prefix=true");
		StoreFixture shop = connect(etcd, "shop", "secret");
		assertThat(shop.store.check()).isEmpty();
		AttemptId attempt = shop.hold(KEY, StoreFixture.TTL);
		AttemptId waiter = AttemptId.random();
		StoreFixture other = connect(etcd, "shop", "secret");
		other.enqueue(KEY, waiter);
		assertThat(shop.release(KEY, attempt)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> other.reserved.contains(waiter));
		assertThat(other.acquireAgain(KEY, waiter)).isInstanceOf(Granted.class);
	}

	@Test
	void aUserWithThatPermissionCanShareLocksAndWaitInStrictOrder() {
		EtcdServer etcd = withUsers(server());
		etcd.etcdctl("--user", "root:secret", "role", "grant-permission", "shop", "readwrite", "/distributed-lock/",
				"--prefix=true");
		StoreFixture shop = connect(etcd, "shop", "secret");
		StoreFixture other = connect(etcd, "shop", "secret");
		AttemptId reader = AttemptId.random();
		assertThat(StoreFixture.get(shop.store.acquireShared(
				new SharedAcquireCommand(KEY, reader, Share.READERS, StoreFixture.TTL, true, StoreFixture.TIMEOUT))))
			.isInstanceOf(Granted.class);
		AcquireCommand caller = new AcquireCommand(KEY, AttemptId.random(), StoreFixture.TTL, 1, false,
				StoreFixture.TIMEOUT);
		assertThat(StoreFixture.get(other.store.acquireInOrder(List.of(caller))))
			.allMatch((reply) -> reply instanceof Refused refused && refused.queued());
		assertThat(StoreFixture.get(
				shop.store.renewShared(List.of(new RenewCommand(KEY, reader, StoreFixture.TTL, StoreFixture.TIMEOUT)))))
			.containsExactly(RenewReply.RENEWED);
		assertThat(StoreFixture
			.get(shop.store.releaseShared(new ReleaseCommand(KEY, reader, Duration.ZERO, StoreFixture.TIMEOUT))))
			.isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> other.reserved.contains(caller.attempt()));
		Granted granted = (Granted) StoreFixture.get(other.store.acquireInOrder(List.of(caller))).get(0);
		assertThat(StoreFixture.get(shop.store.inspect(KEY, StoreFixture.TIMEOUT))).isPresent();
		assertThat(StoreFixture.get(shop.store.forceRelease(KEY, granted.firstToken(), StoreFixture.TIMEOUT))).isTrue();
		await().until(() -> other.revoked.contains(caller.attempt()));
	}

	@Test
	void aTokenThatTheServerHasForgottenIsFetchedAnew() {
		EtcdServer etcd = withUsers(server());
		etcd.etcdctl("--user", "root:secret", "role", "grant-permission", "shop", "readwrite", "/distributed-lock/",
				"--prefix=true");
		StoreFixture shop = connect(etcd, "shop", "secret");
		AttemptId attempt = shop.hold(KEY, StoreFixture.TTL);
		// Simple tokens live in the memory of the server.
		etcd.kill();
		etcd.restart();
		await().atMost(Duration.ofSeconds(15))
			.ignoreExceptions()
			.until(() -> shop.renew(KEY, attempt, StoreFixture.TTL) == RenewReply.RENEWED);
		assertThat(shop.release(KEY, attempt)).isEqualTo(new ReleaseReply.Released(false));
	}

	@Test
	void whenThereIsNoSpaceLeftLocksCanBeRenewedAndReleasedButNotTaken() {
		EtcdServer etcd = server("--quota-backend-bytes", "2000000");
		StoreFixture one = StoreFixture.of(etcd);
		this.resources.add(one);
		// To fill it takes a while.
		Duration ttl = Duration.ofSeconds(60);
		AttemptId held = one.hold(KEY, ttl);
		String filling = "x".repeat(100_000);
		assertThatExceptionOfType(IllegalStateException.class).isThrownBy(() -> {
			for (int i = 0; i < 100; i++) {
				etcd.etcdctl("put", "filling" + i, filling);
			}
		}).withMessageContaining("space exceeded");
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> one.acquire(LockKey.of("stock", 43), AttemptId.random()))
			.withMessageContaining("etcdctl alarm disarm");
		assertThat(one.renew(KEY, held, ttl)).isEqualTo(RenewReply.RENEWED);
		assertThat(one.release(KEY, held)).isEqualTo(new ReleaseReply.Released(false));
	}

	@Test
	void aServerThatIsNotThereIsNamed() {
		String nobody = "http://127.0.0.1:" + EtcdServer.freePort();
		Client client = Client.builder().endpoints(nobody).waitForReady(false).build();
		this.resources.add(client::close);
		try (EtcdLockStore store = EtcdLockStore.builder(client).endpoints(List.of(nobody)).build()) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(store::check)
				.withMessageContaining(nobody)
				.withMessageContaining("Is it up, and are the endpoints right?")
				.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isFalse())
				.satisfies((ex) -> assertThat(ex.isRetryable()).isTrue());
		}
	}

	@Test
	void aClientThatWaitsForItsConnectionTimesOutAndTheServersAreNamed() {
		String nobody = "http://127.0.0.1:" + EtcdServer.freePort();
		Client client = Client.builder().endpoints(nobody).build();
		this.resources.add(client::close);
		try (EtcdLockStore store = EtcdLockStore.builder(client)
			.endpoints(List.of(nobody))
			.commandTimeout(Duration.ofMillis(300))
			.build()) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(store::check)
				.withMessageContaining(nobody)
				.withMessageContaining("TLS");
		}
	}

	@Test
	void aServerWithoutTlsIsNamedWhenTheClientWantsIt() throws Exception {
		EtcdServer etcd = server();
		Client client = Client.builder().endpoints(etcd.endpoint().replace("http:", "https:")).sslContext((ssl) -> {
		}).waitForReady(false).build();
		this.resources.add(client::close);
		try (EtcdLockStore store = EtcdLockStore.builder(client).endpoints(List.of(etcd.endpoint())).build()) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(store::check)
				.withMessageContaining("TLS")
				.withMessageContaining(etcd.endpoint())
				.withMessageNotContaining("null")
				.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isFalse());
		}
	}

	@Test
	void aServerThatHangsUpWhileTheClientWantsTlsIsNamed() throws Exception {
		try (ServerSocket rude = new ServerSocket(0, 50, InetAddress.getLoopbackAddress())) {
			new Thread(() -> hangUp(rude)).start();
			String endpoint = "https://127.0.0.1:" + rude.getLocalPort();
			Client client = Client.builder().endpoints(endpoint).sslContext((ssl) -> {
			}).waitForReady(false).build();
			this.resources.add(client::close);
			try (EtcdLockStore store = EtcdLockStore.builder(client).endpoints(List.of(endpoint)).build()) {
				assertThatExceptionOfType(StoreException.class).isThrownBy(store::check)
					.withMessageContaining("No TLS connection to etcd (Connection reset)")
					.withMessageContaining(endpoint)
					.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isFalse());
			}
		}
	}

	/**
	 * Reads a little of what clients say, and resets the connection.
	 */
	private static void hangUp(ServerSocket server) {
		try {
			while (true) {
				try (Socket client = server.accept()) {
					client.getInputStream().read();
					client.setSoLinger(true, 0);
				}
			}
		}
		catch (IOException ex) {
			// The test has ended.
		}
	}

	@Test
	void whatIsNoLockIsNotTakenForOne() {
		EtcdServer etcd = server();
		etcd.etcdctl("put", "/distributed-lock/l/stock:42", "mine");
		StoreFixture one = StoreFixture.of(etcd);
		this.resources.add(one);
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(KEY, AttemptId.random()))
			.withMessageContaining("/distributed-lock/l/stock:42")
			.withMessageContaining("prefix of their own")
			.satisfies((ex) -> assertThat(ex.isRetryable()).isFalse());
	}

	@Test
	void aGrantWhoseQueueCannotBeReadIsNotSaidToBeUnexecuted() {
		EtcdServer etcd = server();
		StoreFixture one = StoreFixture.of(etcd);
		this.resources.add(one);
		String foreign = "/distributed-lock/q/stock:42/other";
		etcd.etcdctl("put", foreign, "mine");
		AttemptId attempt = AttemptId.random();
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(KEY, attempt))
			.withMessageContaining(foreign)
			.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isTrue());
		assertThat(etcd.etcdctl("get", "/distributed-lock/l/stock:42")).as("was executed").contains(attempt.toString());
		etcd.etcdctl("del", foreign);
		one.abandon(KEY, attempt);
		assertThat(etcd.etcdctl("get", "/distributed-lock/l/stock:42")).isEmpty();
	}

	@Test
	void noLockIsGivenWhenTheRevisionHasFallen() throws Exception {
		EtcdServer etcd = server();
		StoreFixture one = StoreFixture.of(etcd);
		this.resources.add(one);
		for (int i = 0; i < 20; i++) {
			one.release(KEY, one.hold(KEY, StoreFixture.TTL));
		}
		etcd.kill();
		// As if an old snapshot had been restored.
		try (Stream<Path> files = Files.walk(etcd.directory().resolve("data"))) {
			files.sorted(Comparator.reverseOrder()).forEach((file) -> file.toFile().delete());
		}
		etcd.restart();
		await().atMost(Duration.ofSeconds(15))
			.untilAsserted(() -> assertThatExceptionOfType(StoreException.class)
				.isThrownBy(() -> one.acquire(KEY, AttemptId.random()))
				.withMessageContaining("--bump-revision"));
	}

}
