package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.zookeeper.server.ZooKeeperEnsemble;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * What happens when servers die, stop or come back, and what is left behind.
 */
class FaultTests {

	private static final Logger logger = LoggerFactory.getLogger(FaultTests.class);

	private static final Duration TTL = Duration.ofSeconds(10);

	private final LockKey key = LockKey.of("fault", 1);

	private final AttemptId attempt = AttemptId.random();

	private final List<AutoCloseable> resources = new ArrayList<>();

	private Cluster cluster(AutoCloseable server, String connectString) {
		Cluster cluster = new Cluster(connectString);
		this.resources.add(cluster::close);
		this.resources.add(server);
		return cluster;
	}

	@AfterEach
	void close() throws Exception {
		for (AutoCloseable resource : this.resources) {
			resource.close();
		}
	}

	@Test
	void whenTheLeaderIsKilledUnderSixteenThreadsNobodyOverlapsAndAllGoesOn() throws Exception {
		ZooKeeperEnsemble ensemble = ZooKeeperEnsemble.start();
		Cluster cluster = cluster(ensemble, ensemble.connectString());
		List<LockEngine> jvms = List.of(cluster.engine("jvm-1"), cluster.engine("jvm-2"));
		LoadUnderFaults load = new LoadUnderFaults(jvms, 8, "leader");
		await().atMost(Duration.ofSeconds(20)).until(() -> load.count("success") > 200);
		ZooKeeperServerProcess leader = ensemble.leader();
		leader.kill();
		long killed = System.nanoTime();
		long before = load.count("success");
		await().atMost(Duration.ofSeconds(30)).until(() -> load.count("success") > before + 50);
		Duration recovered = Duration.ofNanos(System.nanoTime() - killed);
		leader.restart();
		long then = load.count("success");
		await().atMost(Duration.ofSeconds(30)).until(() -> load.count("success") > then + 200);
		load.stop();
		logger.info("Leader killed under 16 threads: locking again after {} ms; {}", recovered.toMillis(), load);
		assertThat(load.wrong()).isEmpty();
		assertThat(load.longest()).isLessThan(LoadUnderFaults.WAIT.plus(LoadUnderFaults.COMMAND).plusSeconds(3));
		LockKey fresh = LockKey.of("fresh");
		assertThat(Cluster.acquire(cluster.store("jvm-3"), fresh, this.attempt, TTL))
			.isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void whileTheOnlyServerIsAwayCallsEndInTimeAndAfterwardsAllWorksWithoutARestart() throws Exception {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		List<LockEngine> jvms = List.of(cluster.engine("jvm-1"), cluster.engine("jvm-2"));
		LoadUnderFaults load = new LoadUnderFaults(jvms, 8, "restart");
		await().atMost(Duration.ofSeconds(20)).until(() -> load.count("success") > 200);
		server.kill();
		long outages = load.count("outage");
		await().atMost(Duration.ofSeconds(20)).until(() -> load.count("outage") > outages + 32);
		server.restart();
		long before = load.count("success");
		await().atMost(Duration.ofSeconds(30)).until(() -> load.count("success") > before + 200);
		load.stop();
		logger.info("Server killed and restarted under 16 threads: {}", load);
		assertThat(load.wrong()).isEmpty();
		assertThat(load.longest()).isLessThan(LoadUnderFaults.WAIT.plus(LoadUnderFaults.COMMAND).plusSeconds(3));
	}

	@Test
	void aLockSurvivesARestartOfTheServerAndTokensRiseOverIt() throws Exception {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		ZooKeeperLockStore store = cluster.store("jvm-1", (builder) -> builder.ttl(Duration.ofSeconds(60)));
		Duration ttl = Duration.ofSeconds(60);
		AcquireReply.Granted granted = (AcquireReply.Granted) Cluster.acquire(store, this.key, this.attempt, ttl);
		server.kill();
		await().until(() -> !store.session(ttl).isConnected());
		assertThat(Cluster.renew(store, this.key, this.attempt, ttl)).isInstanceOfSatisfying(RenewReply.Failed.class,
				(failed) -> assertThat(failed.cause()).matches(StoreException::isRetryable));
		server.restart();
		await().atMost(Duration.ofSeconds(20))
			.until(() -> Cluster.renew(store, this.key, this.attempt, ttl) == RenewReply.RENEWED);
		assertThat(Cluster
			.answer(store.release(new ReleaseCommand(this.key, this.attempt, Duration.ZERO, Cluster.TIMEOUT))))
			.isEqualTo(new ReleaseReply.Released(false));
		AcquireReply.Granted next = (AcquireReply.Granted) Cluster.acquire(store, this.key, AttemptId.random(), ttl);
		assertThat(next.firstToken()).isGreaterThan(granted.firstToken());
	}

	@Test
	void everyCommandEndsByItsTimeoutWhileTheServerIsFrozenAndWhatComesTooLateIsTakenBack() throws Exception {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		ZooKeeperLockStore store = cluster.store("jvm-1");
		ZooKeeperLockStore other = cluster.store("jvm-2");
		Cluster.acquire(store, LockKey.of("warm"), AttemptId.random(), TTL);
		server.freeze();
		Duration timeout = Duration.ofMillis(300);
		List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
		long before = System.nanoTime();
		for (int i = 0; i < 100; i++) {
			replies.add(store
				.acquire(new AcquireCommand(LockKey.of("fault", i), AttemptId.random(), TTL, 1, false, timeout)));
		}
		replies
			.forEach((reply) -> assertThatThrownBy(() -> Cluster.answer(reply)).hasCauseInstanceOf(StoreException.class)
				.hasMessageContaining("not answered in time"));
		assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(timeout.plusSeconds(5));
		server.thaw();
		await().atMost(Duration.ofSeconds(9)).untilAsserted(() -> {
			for (int i = 0; i < 100; i++) {
				LockKey next = LockKey.of("fault", i);
				assertThat(Cluster.answer(other.inspect(next, Cluster.TIMEOUT))).as("%s", next).isEmpty();
			}
		});
	}

	@Test
	void keysThatWereUsedOnceLeaveNothingBehind() throws Exception {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		ZooKeeperLockStore store = cluster.store("jvm-1");
		LockEngine engine = cluster.engine(store);
		LockEngine rival = cluster.engine("jvm-2");
		for (int i = 0; i < 500; i++) {
			engine.acquire(LockRequest.of("once", i)).close();
		}
		LoadUnderFaults load = new LoadUnderFaults(List.of(engine, rival), 2, "contended");
		await().until(() -> load.count("success") > 100);
		load.stop();
		assertThat(load.wrong()).isEmpty();
		ZooKeeper zk = store.session(TTL).zk();
		await().untilAsserted(() -> {
			int nodes = zk.getAllChildrenNumber("/distributed-lock");
			int buckets = zk.getChildren("/distributed-lock/held", false).size()
					+ zk.getChildren("/distributed-lock/wait", false).size();
			int sessions = zk.getChildren("/distributed-lock/jvm", false).size();
			// The two buckets of each, and held, wait and jvm.
			assertThat(nodes).isEqualTo(buckets + sessions + 3);
		});
	}

	@Test
	void whatJvmsThatAllDiedHaveLeftIsSweptAway() throws Exception {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		ZooKeeperLockStore dead = cluster.store("jvm-1");
		ZooKeeperLockStore alsoDead = cluster.store("jvm-2");
		ZooKeeperLockStore living = cluster.store("jvm-3", (builder) -> builder.queueEntryTtl(Duration.ofMillis(50)));
		Cluster.acquire(dead, this.key, this.attempt, Duration.ofSeconds(1));
		Link link = living.session(TTL);
		ZooKeeper zk = link.zk();
		String left = "/distributed-lock/wait/" + zk.getChildren("/distributed-lock/wait", false).get(0) + "/fault:1";
		// A place in the queue of a JVM that cannot take it back any more.
		alsoDead.subscribe(new Deaf());
		await().until(() -> alsoDead.session(TTL).canBeSignalled());
		Cluster.answer(alsoDead
			.acquireOrEnqueue(new AcquireCommand(this.key, AttemptId.random(), TTL, 1, false, Cluster.TIMEOUT)));
		assertThat(zk.exists(left, false)).isNotNull();
		dead.close();
		alsoDead.close();
		living.context().sweep(link);
		await().atMost(Duration.ofSeconds(15)).pollInterval(Duration.ofMillis(100)).until(() -> {
			Cluster.answer(living.inspect(this.key, Cluster.TIMEOUT));
			living.context().sweep(link);
			return zk.exists(left, false) == null;
		});
	}

	@Test
	void locksWithAnAuthorizationBelongToItsUserAlone() {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		ZooKeeperLockStore store = cluster.store("jvm-1",
				(builder) -> builder.authorization("digest", "shop:secret".getBytes()));
		ZooKeeperLockStore colleague = cluster.store("jvm-2",
				(builder) -> builder.authorization("digest", "shop:secret".getBytes()));
		assertThat(Cluster.acquire(store, this.key, this.attempt, TTL)).isInstanceOf(AcquireReply.Granted.class);
		assertThat(Cluster.acquire(colleague, this.key, AttemptId.random(), TTL))
			.isInstanceOf(AcquireReply.Refused.class);
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> cluster.store("jvm-3",
					(builder) -> builder.authorization("digest", "thief:guess".getBytes())
						.connectionTimeout(Duration.ofSeconds(2))))
			.withMessageContaining("no permission")
			.withMessageContaining(server.connectString())
			.withMessageNotContaining("guess")
			.matches((failure) -> !failure.isRetryable());
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> cluster.store("jvm-4", (builder) -> builder.connectionTimeout(Duration.ofSeconds(2))))
			.withMessageContaining("no permission");
		// Another namespace is open to all.
		assertThat(Cluster.acquire(cluster.store("jvm-5", (builder) -> builder.namespace("team/locks")), this.key,
				this.attempt, TTL))
			.isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void aReleaseSentAgainAfterALostAnswerLeavesTheNextHolderItsLock() throws Exception {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		ZooKeeperLockStore store = cluster.store("jvm-1");
		ZooKeeperLockStore other = cluster.store("jvm-2");
		Cluster.acquire(store, this.key, this.attempt, TTL);
		Grant grant = store.context().local(this.key.id()).grant(this.attempt);
		// The release is executed, but its answer does not come.
		store.session(TTL).zk().delete(store.context().layout().held(this.key.id()), -1);
		grant.unsure();
		AttemptId next = AttemptId.random();
		assertThat(Cluster.acquire(other, this.key, next, TTL)).isInstanceOf(AcquireReply.Granted.class);
		assertThat(Cluster
			.answer(store.release(new ReleaseCommand(this.key, this.attempt, Duration.ZERO, Cluster.TIMEOUT))))
			.isInstanceOf(ReleaseReply.NotOwner.class);
		assertThat(Cluster.renew(other, this.key, next, TTL)).isEqualTo(RenewReply.RENEWED);
	}

	@Test
	void whoGotTheKeyBeforeAQueueDoesNotReleaseTheNodeOfWhoeverCameAfterAForceRelease() throws Exception {
		ZooKeeperServerProcess server = ZooKeeperServerProcess.start();
		Cluster cluster = cluster(server, server.connectString());
		ZooKeeperLockStore store = cluster.store("jvm-1");
		ZooKeeperLockStore waiter = cluster.store("jvm-2");
		ZooKeeperLockStore other = cluster.store("jvm-3");
		StoreContext context = store.context();
		Link link = store.session(TTL);
		waiter.subscribe(new Deaf());
		await().until(() -> waiter.session(TTL).canBeSignalled());
		AttemptId first = AttemptId.random();
		Cluster.acquire(store, this.key, first, TTL);
		Cluster.answer(waiter
			.acquireOrEnqueue(new AcquireCommand(this.key, AttemptId.random(), TTL, 1, false, Cluster.TIMEOUT)));
		// The holder's node goes, the queue stays, and the key is had before the queue.
		link.zk().delete(context.layout().held(this.key.id()), -1);
		context.gone(context.local(this.key.id()).grant(first));
		assertThat(Cluster.acquire(store, this.key, this.attempt, TTL)).isInstanceOf(AcquireReply.Granted.class);
		// What a force release and the leaving of the waiter do, of which it is not told.
		link.zk().delete(context.layout().held(this.key.id()), -1);
		link.zk().delete(context.layout().wait(this.key.id()), -1);
		context.seen(this.key.id(), link.load(this.key.id()).join());
		AttemptId next = AttemptId.random();
		assertThat(Cluster.acquire(other, this.key, next, TTL)).isInstanceOf(AcquireReply.Granted.class);
		assertThat(Cluster
			.answer(store.release(new ReleaseCommand(this.key, this.attempt, Duration.ZERO, Cluster.TIMEOUT))))
			.isInstanceOf(ReleaseReply.NotOwner.class);
		assertThat(Cluster.renew(other, this.key, next, TTL)).isEqualTo(RenewReply.RENEWED);
	}

	/** A receiver that does nothing, so that its JVM has a place but never comes back. */
	private static final class Deaf implements SignalReceiver {

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			// Deaf.
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			// Deaf.
		}

		@Override
		public void resumed() {
			// Deaf.
		}

	}

}
