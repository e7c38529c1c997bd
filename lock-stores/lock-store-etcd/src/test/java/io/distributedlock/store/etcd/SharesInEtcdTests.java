package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Where shares are in etcd, and what becomes of them when something else is done to it.
 */
class SharesInEtcdTests {

	static EtcdServer etcd;

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

	@Test
	void aShareWhoseRecordIsGoneIsLostAndDoesNotComeToLifeAgain() {
		LockKey key = LockKey.of("gone", 1);
		try (StoreFixture first = StoreFixture.of(etcd); StoreFixture second = StoreFixture.of(etcd)) {
			AttemptId reader = AttemptId.random();
			assertThat(share(first, key, reader, false)).isInstanceOf(Granted.class);
			etcd.etcdctl("del", "/distributed-lock/l/" + key.id());
			AttemptId other = AttemptId.random();
			assertThat(share(second, key, other, false)).isInstanceOf(Granted.class);
			assertThat(renew(first, key, reader)).isEqualTo(RenewReply.NOT_OWNER);
			assertThat(renew(second, key, other)).isEqualTo(RenewReply.RENEWED);
			StoreFixture.get(first.store.abandonShared(new AbandonCommand(key, reader, StoreFixture.TIMEOUT)));
			assertThat(shares(key)).singleElement().asString().endsWith(other.toString());
		}
	}

	@Test
	void theRecordOutlivesTheJvmThatWroteItLast() {
		LockKey key = LockKey.of("moves", 1);
		Duration ttl = Duration.ofSeconds(2);
		try (StoreFixture living = StoreFixture.of(etcd)) {
			AttemptId reader = AttemptId.random();
			try (StoreFixture leaving = StoreFixture.of(etcd)) {
				assertThat(share(living, key, reader, false, ttl)).isInstanceOf(Granted.class);
				AttemptId last = AttemptId.random();
				assertThat(share(leaving, key, last, false, ttl)).isInstanceOf(Granted.class);
				StoreFixture.get(leaving.store
					.releaseShared(new ReleaseCommand(key, last, Duration.ZERO, StoreFixture.TIMEOUT)));
			}
			long end = System.nanoTime() + Duration.ofSeconds(7).toNanos();
			while (System.nanoTime() < end) {
				assertThat(renew(living, key, reader, ttl)).isEqualTo(RenewReply.RENEWED);
				await().pollDelay(Duration.ofMillis(300)).until(() -> true);
			}
			try (StoreFixture writer = StoreFixture.of(etcd)) {
				assertThat(writer.acquire(key, AttemptId.random())).isInstanceOf(Refused.class);
			}
		}
	}

	@Test
	void aReservationByAFormerVersionIsAShareForWhoAskedForOne() {
		LockKey key = LockKey.of("former", 1);
		try (StoreFixture holder = StoreFixture.of(etcd); StoreFixture waiting = StoreFixture.of(etcd)) {
			AttemptId writer = holder.hold(key, Duration.ofSeconds(30));
			AttemptId reader = AttemptId.random();
			assertThat(share(waiting, key, reader, true)).isInstanceOf(Refused.class);
			String place = "/distributed-lock/q/" + key.id() + "/" + waiting.store.instanceId() + "/readers";
			assertThat(etcd.etcdctl("get", place, "--print-value-only")).contains(" READERS ");
			// What a former version writes when it passes the lock on.
			String reserved = KeyLayout.text(new LockRecord(LockRecord.State.RESERVED, reader,
					waiting.store.instanceId(), Duration.ofSeconds(1), false, 0, 0, 0, 0)
				.encode());
			etcd.etcdctl("put", "/distributed-lock/l/" + key.id(), reserved);
			etcd.etcdctl("del", place);
			assertThat(share(waiting, key, reader, true)).isInstanceOf(Granted.class);
			assertThat(share(holder, key, AttemptId.random(), false)).isInstanceOf(Granted.class);
			assertThat(holder.acquire(key, writer)).isInstanceOf(Refused.class);
		}
	}

	private static List<String> shares(LockKey key) {
		return etcd.etcdctl("get", "/distributed-lock/s/" + key.id() + "/", "--prefix", "--keys-only")
			.lines()
			.filter((line) -> !line.isBlank())
			.toList();
	}

	private static AcquireReply share(StoreFixture jvm, LockKey key, AttemptId attempt, boolean queue) {
		return share(jvm, key, attempt, queue, StoreFixture.TTL);
	}

	private static AcquireReply share(StoreFixture jvm, LockKey key, AttemptId attempt, boolean queue, Duration ttl) {
		return StoreFixture.get(jvm.store
			.acquireShared(new SharedAcquireCommand(key, attempt, Share.READERS, ttl, queue, StoreFixture.TIMEOUT)));
	}

	private static RenewReply renew(StoreFixture jvm, LockKey key, AttemptId attempt) {
		return renew(jvm, key, attempt, StoreFixture.TTL);
	}

	private static RenewReply renew(StoreFixture jvm, LockKey key, AttemptId attempt, Duration ttl) {
		return StoreFixture
			.get(jvm.store.renewShared(List.of(new RenewCommand(key, attempt, ttl, StoreFixture.TIMEOUT))))
			.get(0);
	}

}
