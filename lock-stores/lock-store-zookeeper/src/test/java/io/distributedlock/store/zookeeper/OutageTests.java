package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.atomic.AtomicInteger;

import org.apache.zookeeper.CreateMode;
import org.apache.zookeeper.KeeperException;
import org.apache.zookeeper.Op;
import org.apache.zookeeper.WatchedEvent;
import org.apache.zookeeper.Watcher.Event.EventType;
import org.apache.zookeeper.Watcher.Event.KeeperState;
import org.apache.zookeeper.ZKUtil;
import org.apache.zookeeper.ZooDefs.Perms;
import org.apache.zookeeper.ZooKeeper;
import org.apache.zookeeper.data.ACL;
import org.apache.zookeeper.data.Id;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;
import static org.assertj.core.api.Assertions.within;
import static org.awaitility.Awaitility.await;

/**
 * What one JVM does about a way to its server that is blocked or cut, about permissions
 * that are missing, and about sessions that are opened or closed meanwhile: whatever it
 * was, it goes on when the cause is gone, without a restart.
 */
@Execution(ExecutionMode.CONCURRENT)
class OutageTests {

	private static final Logger logger = LoggerFactory.getLogger(OutageTests.class);

	private static final Duration TTL = Duration.ofSeconds(10);

	private static final Duration LONG = Duration.ofSeconds(60);

	private static final Duration SHORT = Duration.ofMillis(100);

	private static final List<ACL> OPEN = permissions(Perms.ALL);

	private static final List<ACL> READ_ONLY = permissions(Perms.READ | Perms.ADMIN);

	private static final List<ACL> ADMIN_ONLY = permissions(Perms.ADMIN);

	private static ZooKeeperServerProcess server;

	private final Wire wire = new Wire(server.port());

	private final Wire second = new Wire(server.port());

	private final Cluster direct = new Cluster(server.connectString());

	private final Cluster wired = new Cluster(this.wire.connectString());

	private final Cluster both = new Cluster(this.wire.connectString() + "," + this.second.connectString());

	/** Permissions are changed in it. */
	private final String namespace = "outage-" + AttemptId.random();

	private final LockKey key = LockKey.of("outage", AttemptId.random().toString());

	private final AttemptId attempt = AttemptId.random();

	@BeforeAll
	static void start() {
		server = ZooKeeperServerProcess.start();
	}

	@AfterAll
	static void stop() {
		server.close();
	}

	@AfterEach
	void close() throws Exception {
		this.wire.free();
		this.wire.mend();
		this.direct.close();
		this.both.close();
		this.wired.close();
		this.wire.close();
		this.second.close();
	}

	private static List<ACL> permissions(int permissions) {
		// The client asks such a list whether it has a null in it.
		return Collections.singletonList(new ACL(permissions, new Id("world", "anyone")));
	}

	private ZooKeeperLockStore store(Cluster cluster, String instance, Duration ttl) {
		return cluster.store(instance, (builder) -> builder.namespace(this.namespace).ttl(ttl));
	}

	private static AcquireCommand command(LockKey key, Duration timeout) {
		return command(key, TTL, timeout);
	}

	private static AcquireCommand command(LockKey key, Duration ttl, Duration timeout) {
		return new AcquireCommand(key, AttemptId.random(), ttl, 1, false, timeout);
	}

	private static StoreException failure(CompletionStage<?> stage) {
		return (StoreException) catchThrowableOfType(CompletionException.class, () -> Cluster.answer(stage)).getCause();
	}

	private static void release(ZooKeeperLockStore store, LockKey key, AttemptId attempt, Duration keepFor) {
		assertThat(Cluster.answer(store.release(new ReleaseCommand(key, attempt, keepFor, Cluster.TIMEOUT))))
			.isInstanceOf(ReleaseReply.Released.class);
	}

	@Test
	void whatIsToBeDoneInASessionThatWasClosedSinceItWasIdleIsDoneInAnother() {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		Cluster.acquire(store, this.key, this.attempt, LONG);
		release(store, this.key, this.attempt, Duration.ofMillis(300));
		store.sessions().closeIdle(Duration.ZERO);
		assertThat(store.session(TTL)).isNotNull();
		await().atMost(Duration.ofSeconds(15))
			.until(() -> Cluster
				.answer(store.acquire(command(this.key, SHORT.multipliedBy(10)))) instanceof AcquireReply.Granted);
	}

	@Test
	void closingAnIdleSessionKeepsNobodyWaitingWhileTheServerDoesNotAnswer() {
		ZooKeeperLockStore store = store(this.wired, "jvm-1", TTL);
		Cluster.acquire(store, this.key, this.attempt, LONG);
		release(store, this.key, this.attempt, Duration.ZERO);
		Link idle = store.session(LONG);
		this.wire.block();
		long before = System.nanoTime();
		store.sessions().closeIdle(Duration.ZERO);
		Duration taken = Duration.ofNanos(System.nanoTime() - before);
		this.wire.free();
		assertThat(taken).isLessThan(Duration.ofSeconds(5));
		assertThat(store.session(LONG)).isNotSameAs(idle);
		await().until(() -> !idle.zk().getState().isAlive());
	}

	@Test
	void aKeyWhoseNodeCannotBeReadSaysSoEachTimeAndWorksWhenTheNodeIsGone() throws Exception {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		Cluster.acquire(store, this.key, this.attempt, TTL);
		release(store, this.key, this.attempt, Duration.ZERO);
		ZooKeeper zk = store.session(TTL).zk();
		String path = store.context().layout().held(this.key.id());
		zk.create(path, ("1 " + this.attempt + " jvm-9 jvm-9.x ttl 1 1 1").getBytes(), OPEN, CreateMode.PERSISTENT);
		for (int i = 0; i < 3; i++) {
			assertThat(failure(store.acquire(command(this.key, Cluster.TIMEOUT))))
				.hasMessageContaining("delete the node");
		}
		zk.delete(path, -1);
		assertThat(Cluster.acquire(store, this.key, this.attempt, TTL)).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void aKeyWithoutPermissionSaysSoEachTimeAndWorksWhenItIsGiven() throws Exception {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		ZooKeeper zk = store.session(TTL).zk();
		String path = store.context().layout().wait(this.key.id());
		Cluster.acquire(store, this.key, this.attempt, TTL);
		release(store, this.key, this.attempt, Duration.ZERO);
		zk.create(path, WaitRecord.EMPTY.bytes(), ADMIN_ONLY, CreateMode.PERSISTENT);
		Cluster.answer(store.inspect(LockKey.of("other"), Cluster.TIMEOUT));
		store.context().seen(this.key.id(), new View(null, null, -1, null));
		for (int i = 0; i < 3; i++) {
			assertThat(failure(store.acquire(command(this.key, Cluster.TIMEOUT)))).hasMessageContaining("no permission")
				.matches((failure) -> !failure.mayHaveExecuted());
		}
		zk.setACL(path, OPEN, -1);
		assertThat(Cluster.acquire(store, this.key, this.attempt, TTL)).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void whatCannotBeTakenBackKeepsNobodyWaitingAndIsTakenBackWhenItCanBe() throws Exception {
		ZooKeeperLockStore store = store(this.wired, "jvm-1", TTL);
		ZooKeeperLockStore other = store(this.direct, "jvm-2", TTL);
		Cluster.acquire(store, this.key, this.attempt, TTL);
		release(store, this.key, this.attempt, Duration.ZERO);
		ZooKeeper zk = other.session(TTL).zk();
		String path = store.context().layout().held(this.key.id());
		this.wire.block();
		CompletionStage<AcquireReply> late = store.acquire(command(this.key, SHORT));
		assertThat(failure(late)).hasMessageContaining("in time");
		// Deletions need a permission on the bucket.
		String bucket = store.context().layout().waitBucket(Layout.bucket(this.key.id()));
		zk.setACL(bucket, permissions(Perms.ADMIN | Perms.WRITE), -1);
		this.wire.free();
		assertThat(failure(store.acquire(command(this.key, Cluster.TIMEOUT)))).hasMessageContaining("no permission");
		zk.setACL(bucket, OPEN, -1);
		await().atMost(Duration.ofSeconds(15)).until(() -> zk.exists(path, false) == null);
		assertThat(Cluster.acquire(store, this.key, this.attempt, TTL)).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void commandsThatTimeOutBehindOneWithoutAnswerDoNotPileUpAndTheKeyGoesOn() {
		ZooKeeperLockStore store = store(this.wired, "jvm-1", LONG);
		Cluster.acquire(store, this.key, this.attempt, LONG);
		this.wire.block();
		CompletionStage<AcquireReply> stuck = store.acquire(command(this.key, LONG, Duration.ofSeconds(30)));
		List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
		for (int i = 0; i < 10_000; i++) {
			replies.add(store.acquire(command(this.key, LONG, SHORT)));
		}
		replies.forEach((reply) -> assertThat(failure(reply)).hasMessageContaining("in time"));
		await().until(() -> store.context().commands().open().size() < 10);
		// These are not over: each is worked off as soon as it is its turn.
		List<CompletionStage<ReleaseReply>> releases = new ArrayList<>();
		for (int i = 0; i < 10_000; i++) {
			releases.add(store
				.release(new ReleaseCommand(this.key, AttemptId.random(), Duration.ZERO, Duration.ofSeconds(30))));
		}
		this.wire.free();
		assertThat(Cluster.answer(stuck)).isInstanceOf(AcquireReply.Refused.class);
		releases.forEach((reply) -> assertThat(Cluster.answer(reply)).isInstanceOf(ReleaseReply.NotOwner.class));
		release(store, this.key, this.attempt, Duration.ZERO);
	}

	@Test
	void commandsOfManyKeysLeaveNothingBehindWhileThereIsNoConnection() throws Exception {
		ZooKeeperLockStore store = store(this.wired, "jvm-1", TTL);
		Link link = store.session(TTL);
		this.wire.cut();
		await().until(() -> !link.isConnected());
		List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
		for (int i = 0; i < 500; i++) {
			replies.add(store.acquire(command(LockKey.of("outage", i), SHORT)));
		}
		replies.forEach((reply) -> assertThat(failure(reply)).matches((failure) -> !failure.mayHaveExecuted()));
		await().until(() -> store.context().commands().open().size() == 0);
		this.wire.mend();
		assertThat(Cluster.acquire(store, this.key, this.attempt, TTL)).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void aSessionThatCouldNotBePreparedIsPreparedAgainAfterAnInterruption() throws Exception {
		ZooKeeperLockStore store = store(this.both, "jvm-1", TTL);
		ZooKeeper zk = store(this.direct, "jvm-2", TTL).session(TTL).zk();
		zk.setACL("/" + this.namespace + "/jvm", READ_ONLY, -1);
		try {
			AcquireCommand refused = new AcquireCommand(this.key, this.attempt, LONG, 1, false, SHORT.multipliedBy(3));
			failure(store.acquire(refused));
			await().until(() -> store.sessions().forTtl(LONG).trouble() != null);
			this.wire.cut();
			this.second.cut();
			// It is tried again after a second, and there is no connection then.
			await().pollDelay(Duration.ofMillis(1100)).until(() -> true);
			this.wire.mend();
			this.second.mend();
		}
		finally {
			zk.setACL("/" + this.namespace + "/jvm", OPEN, -1);
		}
		assertThat(Cluster.acquire(store, this.key, this.attempt, LONG)).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void aServerThatFallsSilentIsLeftForAnotherOneLongBeforeTheSessionEnds() {
		Duration ttl = Duration.ofSeconds(20);
		try (ZooKeeperLockStore store = store(this.both, "jvm-1", ttl)) {
			Cluster.acquire(store, this.key, this.attempt, ttl);
			Wire used = this.wire.isInUse() ? this.wire : this.second;
			used.block();
			long blocked = System.nanoTime();
			await().atMost(Duration.ofSeconds(20))
				.until(() -> Cluster.answer(store.renew(List.of(new RenewCommand(this.key, this.attempt, ttl, SHORT))))
					.get(0) == RenewReply.RENEWED);
			Duration taken = Duration.ofNanos(System.nanoTime() - blocked);
			logger.info("A server fell silent: locking again through another one after {} ms", taken.toMillis());
			// The client itself would notice after 13 s.
			assertThat(taken).isLessThan(ttl.dividedBy(2));
			used.free();
		}
	}

	/** Moves the key's node, as for a longer ttl, but nobody is told. */
	private Grant moveUnseen(ZooKeeperLockStore store) throws Exception {
		Cluster.acquire(store, LockKey.of("open", this.key.id()), AttemptId.random(), LONG);
		AcquireReply.Granted granted = (AcquireReply.Granted) Cluster.acquire(store, this.key, this.attempt, TTL);
		Link longer = store.session(LONG);
		String path = store.context().layout().held(this.key.id());
		byte[] record = new HeldRecord(this.attempt, "jvm-1", longer.name(), LONG, granted.firstToken(), 1,
				granted.firstToken())
			.extended(LONG, 0);
		longer.zk().multi(List.of(Op.delete(path, -1), Op.create(path, record, OPEN, CreateMode.EPHEMERAL)));
		Grant grant = store.context().local(this.key.id()).grant(this.attempt);
		grant.unsure();
		return grant;
	}

	@Test
	void aRenewalCountsOnlyInTheSessionThatTheNodeIsOf() throws Exception {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		moveUnseen(store);
		assertThat(Cluster.renew(store, this.key, this.attempt, TTL)).isEqualTo(RenewReply.RENEWED);
		HeldRecord held = store.session(LONG).load(this.key.id()).join().held();
		Grant renewed = store.context().local(this.key.id()).grant(this.attempt);
		assertThat(renewed.link.name()).isEqualTo(held.session());
		release(store, this.key, this.attempt, Duration.ZERO);
		assertThat(Cluster.answer(store.inspect(this.key, Cluster.TIMEOUT))).isEmpty();
	}

	@Test
	void aMoveWhoseAnswerWasLostIsKnownBeforeTheOldSessionCanEnd() throws Exception {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		Grant before = moveUnseen(store);
		LocalKey local = store.context().local(this.key.id());
		MoveTask move = new MoveTask(store.context(), new RenewCommand(this.key, this.attempt, LONG, Cluster.TIMEOUT),
				store.sessions().forTtl(LONG));
		move.submitted(local);
		assertThat(move.settle(before, store.session(LONG)).join()).isTrue();
		store.context().lost(before.link);
		Grant known = local.grant(this.attempt);
		assertThat(known).isNotSameAs(before);
		assertThat(known.link).isSameAs(store.session(LONG));
		assertThat(known.deadline()).isCloseTo(before.deadline(), within(1_000_000L));
	}

	@Test
	void deletingANodeFromAnotherSessionThanItsOwnNeverMeetsTheNextHoldersNode() throws Exception {
		ZooKeeperLockStore dead = store(this.direct, "jvm-1", TTL);
		ZooKeeperLockStore store = store(this.direct, "jvm-2", TTL);
		Cluster.acquire(dead, this.key, this.attempt, TTL);
		Link link = store.session(TTL);
		HeldRecord seen = link.load(this.key.id()).join().held();
		// Between look and deletion the session ends, and somebody else gets the key.
		dead.session(TTL).zk().close();
		AttemptId next = AttemptId.random();
		assertThat(Cluster.acquire(store, this.key, next, TTL)).isInstanceOf(AcquireReply.Granted.class);
		List<Op> deletion = store.context().delete(this.key.id(), seen, link);
		assertThat(link.commit(deletion).join().code()).isEqualTo(KeeperException.Code.NONODE);
		assertThat(Cluster.renew(store, this.key, next, TTL)).isEqualTo(RenewReply.RENEWED);
	}

	@Test
	void whenTheLockNodesAreDeletedTheStoreMakesThemAnewAndGoesOn() throws Exception {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		Cluster.acquire(store, this.key, this.attempt, TTL);
		Link before = store.session(TTL);
		ZKUtil.deleteRecursive(before.zk(), "/" + this.namespace);
		await().atMost(Duration.ofSeconds(15)).until(() -> before.hasEnded());
		assertThat(Cluster.renew(store, this.key, this.attempt, TTL)).isEqualTo(RenewReply.NOT_OWNER);
		assertThat(Cluster.acquire(store, this.key, AttemptId.random(), TTL)).isInstanceOf(AcquireReply.Granted.class);
		assertThat(store.session(TTL)).isNotSameAs(before);
	}

	@Test
	void whenItsAuthorizationWasRefusedTheStoreTriesAgainWithANewHandle() {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		Cluster.acquire(store, this.key, this.attempt, TTL);
		Link before = store.session(TTL);
		// The client's handle is of no use after this.
		before.zk().getTestable().queueEvent(new WatchedEvent(EventType.None, KeeperState.AuthFailed, null));
		await().until(before::hasEnded);
		await().until(() -> store.session(TTL) != null);
		assertThat(Cluster.acquire(store, this.key, AttemptId.random(), TTL)).isInstanceOf(AcquireReply.Granted.class);
		assertThat(store.session(TTL)).isNotSameAs(before);
	}

	@Test
	void aSignalThatIsNotUnderstoodMakesAllThatWaitAskAgain() throws Exception {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		AtomicInteger resumed = new AtomicInteger();
		store.subscribe(new SignalReceiver() {

			@Override
			public void reserved(String keyId, AttemptId attempt) {
				// Not what is sent here.
			}

			@Override
			public void revoked(String keyId, AttemptId attempt) {
				// Not what is sent here.
			}

			@Override
			public void resumed() {
				resumed.incrementAndGet();
			}

		});
		Link link = store.session(TTL);
		await().until(link::canBeSignalled);
		// What its connecting makes it say comes before this answer.
		Cluster.acquire(store, this.key, this.attempt, TTL);
		resumed.set(0);
		link.zk().setData(store.context().layout().inbox(link.name()), "2 what a later version says".getBytes(), -1);
		await().until(() -> resumed.get() > 0);
	}

	@Test
	void aCoolingTimeThatEndsDuringAnOutageIsEndedAfterIt() throws Exception {
		ZooKeeperLockStore store = store(this.wired, "jvm-1", TTL);
		ZooKeeperLockStore other = store(this.direct, "jvm-2", TTL);
		Duration cooling = Duration.ofSeconds(2);
		Cluster.acquire(store, this.key, this.attempt, TTL);
		release(store, this.key, this.attempt, cooling);
		this.wire.cut();
		// It is to be ended after the time, and that command has a second.
		await().pollDelay(cooling.plusMillis(1200)).until(() -> true);
		this.wire.mend();
		ZooKeeper zk = other.session(TTL).zk();
		await().atMost(Duration.ofSeconds(9))
			.until(() -> zk.exists(store.context().layout().wait(this.key.id()), false) == null);
	}

	@Test
	void oneKeyWithoutPermissionDoesNotKeepTheOthersFromBeingRenewed() throws Exception {
		ZooKeeperLockStore store = store(this.direct, "jvm-1", TTL);
		LockKey other = LockKey.of("outage", AttemptId.random().toString());
		AttemptId another = AttemptId.random();
		Cluster.acquire(store, this.key, this.attempt, TTL);
		Cluster.acquire(store, other, another, TTL);
		store.session(TTL).zk().setACL(store.context().layout().held(this.key.id()), ADMIN_ONLY, -1);
		List<RenewReply> replies = Cluster
			.answer(store.renew(List.of(new RenewCommand(this.key, this.attempt, TTL, Cluster.TIMEOUT),
					new RenewCommand(other, another, TTL, Cluster.TIMEOUT))));
		assertThat(replies.get(0)).isInstanceOfSatisfying(RenewReply.Failed.class,
				(failed) -> assertThat(failed.cause()).hasMessageContaining("no permission"));
		assertThat(replies.get(1)).isEqualTo(RenewReply.RENEWED);
	}

	@Test
	void oneKeyWithoutPermissionDoesNotKeepTheOthersOfItsTransactionFromBeingGranted() throws Exception {
		ZooKeeperLockStore store = store(this.wired, "jvm-1", TTL);
		ZooKeeper zk = store(this.direct, "jvm-2", TTL).session(TTL).zk();
		List<LockKey> keys = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			LockKey next = LockKey.of("batch", i);
			AttemptId first = AttemptId.random();
			Cluster.acquire(store, next, first, TTL);
			release(store, next, first, Duration.ZERO);
			keys.add(next);
		}
		String forbidden = store.context().layout().heldBucket(Layout.bucket(keys.get(7).id()));
		assertThat(keys.stream().filter((one) -> store.context().layout().held(one.id()).startsWith(forbidden)))
			.hasSize(1);
		zk.setACL(forbidden, READ_ONLY, -1);
		try {
			this.wire.block();
			List<CompletionStage<AcquireReply>> replies = keys.stream()
				.map((one) -> store.acquire(command(one, Cluster.TIMEOUT)))
				.toList();
			this.wire.free();
			assertThat(failure(replies.get(7))).hasMessageContaining("no permission");
			for (int i = 0; i < replies.size(); i++) {
				if (i != 7) {
					assertThat(Cluster.answer(replies.get(i))).isInstanceOf(AcquireReply.Granted.class);
				}
			}
		}
		finally {
			zk.setACL(forbidden, OPEN, -1);
		}
	}

	@Test
	void closingTheStoreSaysOfACommandThatWasSentThatItMayHaveBeenExecuted() throws Exception {
		ZooKeeperLockStore store = store(this.wired, "jvm-1", TTL);
		Cluster.acquire(store, this.key, this.attempt, TTL);
		await().until(() -> store.context().commands().open().isEmpty());
		this.wire.block();
		CompletionStage<ReleaseReply> sent = store
			.release(new ReleaseCommand(this.key, this.attempt, Duration.ZERO, Cluster.TIMEOUT));
		CompletionStage<AcquireReply> behind = store.acquire(command(this.key, Cluster.TIMEOUT));
		store.context().close();
		assertThat(failure(sent)).matches(StoreException::mayHaveExecuted);
		assertThat(failure(behind)).matches((failure) -> !failure.mayHaveExecuted());
	}

}
