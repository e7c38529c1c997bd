package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockRequest;
import io.distributedlock.spi.LockStore;
import io.distributedlock.store.etcd.server.EtcdServer;
import io.distributedlock.test.KindsContractTests;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Every kind of lock, of three JVMs over one etcd.
 */
class KindsOnEtcdTests extends KindsContractTests {

	private static final Logger logger = LoggerFactory.getLogger(KindsOnEtcdTests.class);

	static EtcdServer etcd;

	private final List<Client> clients = new ArrayList<>();

	@BeforeAll
	static void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		etcd = EtcdServer.start();
	}

	@AfterAll
	static void stop() {
		if (etcd != null) {
			etcd.close();
		}
	}

	@Override
	protected LockStore createStore(String instance) {
		Client client = closing(Client.builder().endpoints(etcd.endpoint()).waitForReady(false).build());
		this.clients.add(client);
		return EtcdLockStore.builder(client).instanceId(instance).build();
	}

	@Override
	protected void assertNothingLeft() {
		assertThat(etcd.etcdctl("get", "/distributed-lock/", "--prefix", "--keys-only").lines())
			.noneMatch((key) -> key.matches("/distributed-lock/[lqs]/.*"));
	}

	@Override
	protected Duration longHold() {
		// The longest lease that the record of a shared lock can be on lives for 3 s, the
		// ttl in whole seconds, and a margin of 2 s.
		return Duration.ofSeconds(6);
	}

	@Test
	void readersOfAJvmThatDiesLetTheWriterInAndThoseOfOthersKeepTheirShares() throws Exception {
		LockRequest write = request("book");
		LockRequest read = write.withMode(LockMode.READ).withTtl(Duration.ofSeconds(2));
		Lease living = acquire(jvm(1), read);
		// The record is on a lease of the one that came last.
		Lease dying = acquire(jvm(0), read);
		// Nothing of this JVM reaches etcd any more.
		this.clients.get(0).close();
		long killed = System.nanoTime();
		eventually().until(() -> !dying.isHeld());
		Future<?> writer = run(() -> {
			jvm(2).acquire(write).close();
			return null;
		});
		eventually()
			.until(() -> jvm(1).find(write.key(), null).filter((lock) -> lock.shares().size() == 1).isPresent());
		logger.info("The share of a dead JVM with a ttl of 2 s was gone after {} ms",
				(System.nanoTime() - killed) / 1_000_000);
		assertThat(living.isHeld()).isTrue();
		assertThat(writer).isNotDone();
		living.close();
		all(List.of(writer));
	}

}
