package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.options.PutOption;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * More of everything than fits into one of etcd's transactions, which have 128 operations
 * at most.
 */
class ManyInEtcdTests {

	private static final int MANY = 300;

	private static final Duration PATIENCE = Duration.ofSeconds(15);

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
	void allCallersThatWantStrictOrderAtOnceHaveTheirPlaces() {
		LockKey key = LockKey.of("line", 1);
		try (StoreFixture holder = StoreFixture.of(etcd); StoreFixture waiting = StoreFixture.of(etcd)) {
			AttemptId held = holder.hold(key, Duration.ofSeconds(30));
			List<AttemptId> callers = Stream.generate(AttemptId::random).limit(MANY).toList();
			List<AcquireReply> replies = ask(waiting, key, callers);
			assertThat(replies).hasSize(MANY).allMatch((reply) -> reply instanceof Refused refused && refused.queued());
			holder.release(key, held);
			replies = ask(waiting, key, callers);
			assertThat(replies.get(0)).isInstanceOf(Granted.class);
			assertThat(replies.subList(1, MANY))
				.allMatch((reply) -> reply instanceof Refused refused && refused.queued());
		}
	}

	@Test
	void reservationsThatNobodyClaimsDoNotBlockTheLockHoweverManyTheyAre() {
		LockKey key = LockKey.of("pool", 1);
		try (StoreFixture store = StoreFixture.of(etcd)) {
			put(store, record(key), LockRecord.shared("gone", Duration.ofSeconds(1)).encode(), 0);
			leaveShares(store, key, LockRecord.State.RESERVED);
			await().atMost(PATIENCE).until(() -> store.acquire(key, AttemptId.random()) instanceof Granted);
			await().atMost(PATIENCE).untilAsserted(() -> assertThat(shares(key)).isEmpty());
		}
	}

	@Test
	void sharesWhoseRecordIsGoneDoNotBlockTheLockHoweverManyTheyAre() {
		LockKey key = LockKey.of("pool", 2);
		try (StoreFixture store = StoreFixture.of(etcd)) {
			leaveShares(store, key, LockRecord.State.HELD);
			AttemptId attempt = AttemptId.random();
			assertThat(StoreFixture.get(store.store.acquireShared(new SharedAcquireCommand(key, attempt, Share.READERS,
					StoreFixture.TTL, false, StoreFixture.TIMEOUT))))
				.isInstanceOf(Granted.class);
			StoreFixture.get(store.store.abandonShared(new AbandonCommand(key, attempt, StoreFixture.TIMEOUT)));
			await().atMost(PATIENCE).untilAsserted(() -> assertThat(shares(key)).isEmpty());
		}
	}

	@Test
	void theRoomOfAShareStaysTakenWhenItsJvmLeaves() {
		LockKey key = LockKey.of("kept", 1);
		Share two = new Share.Permits(2);
		try (StoreFixture staying = StoreFixture.of(etcd); StoreFixture late = StoreFixture.of(etcd)) {
			assertThat(share(staying, key, two, Duration.ofSeconds(60))).isInstanceOf(Granted.class);
			try (StoreFixture leaving = StoreFixture.of(etcd)) {
				AttemptId attempt = AttemptId.random();
				assertThat(StoreFixture.get(leaving.store.acquireShared(
						new SharedAcquireCommand(key, attempt, two, StoreFixture.TTL, false, StoreFixture.TIMEOUT))))
					.isInstanceOf(Granted.class);
				StoreFixture.get(leaving.store
					.releaseShared(new ReleaseCommand(key, attempt, Duration.ofSeconds(20), StoreFixture.TIMEOUT)));
			}
			assertThat(share(late, key, two, StoreFixture.TTL)).isInstanceOf(Refused.class);
		}
	}

	/** What a JVM has left that hangs, but whose leases live. */
	private static void leaveShares(StoreFixture store, LockKey key, LockRecord.State state) {
		long lease = StoreFixture.get(store.client.getLeaseClient().grant(60)).getID();
		for (int i = 0; i < MANY; i++) {
			AttemptId attempt = AttemptId.random();
			ByteSequence place = KeyLayout.bytes("/distributed-lock/s/" + key.id() + "/" + attempt);
			put(store, place, new StoredPart(place, attempt, "gone", state, new Share.Permits(MANY),
					Duration.ofSeconds(1), 0, 0, lease)
				.encode(), lease);
		}
	}

	private static void put(StoreFixture store, ByteSequence key, ByteSequence value, long lease) {
		StoreFixture.get(store.client.getKVClient().put(key, value, PutOption.builder().withLeaseId(lease).build()));
	}

	private static ByteSequence record(LockKey key) {
		return KeyLayout.bytes("/distributed-lock/l/" + key.id());
	}

	private static List<String> shares(LockKey key) {
		return etcd.etcdctl("get", "/distributed-lock/s/" + key.id() + "/", "--prefix", "--keys-only")
			.lines()
			.filter((line) -> !line.isBlank())
			.toList();
	}

	private static AcquireReply share(StoreFixture jvm, LockKey key, Share share, Duration ttl) {
		return StoreFixture.get(jvm.store
			.acquireShared(new SharedAcquireCommand(key, AttemptId.random(), share, ttl, false, StoreFixture.TIMEOUT)));
	}

	private static List<AcquireReply> ask(StoreFixture jvm, LockKey key, List<AttemptId> callers) {
		return StoreFixture.get(jvm.store.acquireInOrder(callers.stream()
			.map((caller) -> new AcquireCommand(key, caller, StoreFixture.TTL, 1, false, PATIENCE))
			.toList()));
	}

}
