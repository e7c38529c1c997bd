package io.distributedlock.store.zookeeper;

import java.io.BufferedReader;
import java.time.Duration;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;

import org.apache.zookeeper.Watcher;
import org.apache.zookeeper.ZooKeeper;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LossReason;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.zookeeper.server.ZooKeeperServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

/**
 * What the end of a session means for the locks in it, and what does not end it.
 */
class SessionTests {

	private static final Logger logger = LoggerFactory.getLogger(SessionTests.class);

	private static ZooKeeperServerProcess server;

	private final Cluster cluster = new Cluster(server.connectString());

	private final LockKey key = LockKey.of("session", AttemptId.random().toString());

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
		this.cluster.close();
	}

	private LockRequest request() {
		return LockRequest.of("session", this.key.parts().get(0)).withWaitTime(Duration.ofSeconds(20));
	}

	/** Ends a session behind the back of its client. */
	private static void expire(Link link) throws Exception {
		CountDownLatch connected = new CountDownLatch(1);
		ZooKeeper thief = new ZooKeeper(server.connectString(), 5000, (event) -> {
			if (event.getState() == Watcher.Event.KeeperState.SyncConnected) {
				connected.countDown();
			}
		}, link.zk().getSessionId(), link.zk().getSessionPasswd());
		assertThat(connected.await(10, TimeUnit.SECONDS)).isTrue();
		thief.close();
	}

	@Test
	void whoHoldsALockWhileItsSessionExpiresIsToldAndNobodyOverlapsAtTheFencedTable() throws Exception {
		ZooKeeperLockStore store = this.cluster.store("jvm-1");
		LockEngine first = this.cluster.engine(store);
		LockEngine second = this.cluster.engine("jvm-2");
		FencedTable table = new FencedTable();
		Duration ttl = Duration.ofSeconds(10);
		Lease lease = first.acquire(request().withTtl(ttl));
		Queue<LossReason> reasons = new ConcurrentLinkedQueue<>();
		AtomicLong told = new AtomicLong();
		lease.onLost((exception) -> {
			reasons.add(exception.reason());
			told.set(System.nanoTime());
		});
		assertThat(table.write(lease.fencingToken())).isTrue();
		long expired = System.nanoTime();
		expire(store.session(ttl));
		await().until(() -> told.get() != 0);
		logger.info("The session of a holder was ended: it was told after {} ms",
				Duration.ofNanos(told.get() - expired).toMillis());
		assertThat(Duration.ofNanos(told.get() - expired)).isLessThan(ttl.dividedBy(2));
		assertThat(reasons).hasSize(1);
		assertThat(lease.state()).isEqualTo(LeaseState.LOST);
		try (Lease next = second.acquire(request())) {
			assertThat(next.fencingToken()).isGreaterThan(lease.fencingToken());
			assertThat(table.write(next.fencingToken())).isTrue();
			assertThat(table.write(lease.fencingToken())).as("a late write of the first holder").isFalse();
		}
		assertThat(lease.release()).isFalse();
		// The same JVM goes on in a new session.
		try (Lease again = first.acquire(request().withTtl(ttl))) {
			assertThat(table.write(again.fencingToken())).isTrue();
		}
		assertThat(table.refused()).isEqualTo(1);
	}

	@Test
	void aWaiterWhoseSessionExpiresIsServedAllTheSame() throws Exception {
		ZooKeeperLockStore holders = this.cluster.store("jvm-1");
		LockEngine first = this.cluster.engine(holders);
		ZooKeeperLockStore store = this.cluster.store("jvm-2");
		LockEngine second = this.cluster.engine(store);
		Lease held = first.acquire(request().withTtl(Duration.ofSeconds(10)));
		CountDownLatch served = new CountDownLatch(1);
		Thread waiter = new Thread(() -> {
			second.acquire(request().withTtl(Duration.ofSeconds(10))).close();
			served.countDown();
		});
		waiter.start();
		await()
			.until(() -> Cluster.answer(holders.inspect(this.key, Cluster.TIMEOUT)).orElseThrow().queue().size() == 1);
		expire(store.session(Duration.ofSeconds(10)));
		held.close();
		assertThat(served.await(15, TimeUnit.SECONDS)).isTrue();
		waiter.join();
	}

	@Test
	void aJvmThatIsStoppedInItsTracksLosesTheLockAndKnowsItWhenItGoesOn() throws Exception {
		Duration ttl = Duration.ofSeconds(2);
		Process holder = holder(ttl);
		try (BufferedReader output = holder.inputReader()) {
			long token = Long.parseLong(output.readLine());
			LockEngine other = this.cluster.engine("jvm-2");
			signal(holder, "STOP");
			long stopped = System.nanoTime();
			try (Lease lease = other.acquire(request())) {
				Duration taken = Duration.ofNanos(System.nanoTime() - stopped);
				logger.info("A JVM with a ttl of {} ms was stopped: its lock was free after {} ms", ttl.toMillis(),
						taken.toMillis());
				// Renewed at a third of the ttl.
				assertThat(taken).isGreaterThan(ttl.dividedBy(2)).isLessThan(ttl.plusSeconds(9));
				assertThat(lease.fencingToken()).isGreaterThan(token);
				signal(holder, "CONT");
				String line = output.readLine();
				while (line.startsWith("held")) {
					// What it had printed before it was stopped.
					line = output.readLine();
				}
				assertThat(line).as("the first thing that the stopped JVM says").isEqualTo("lost");
				assertThat(lease.isHeld()).isTrue();
			}
		}
		finally {
			holder.destroyForcibly().waitFor();
		}
	}

	@Test
	void theLockOfAJvmThatDiesIsFreeSoonAfterItsTtl() throws Exception {
		Duration ttl = Duration.ofSeconds(2);
		Process holder = holder(ttl);
		try (BufferedReader output = holder.inputReader()) {
			long token = Long.parseLong(output.readLine());
			LockEngine other = this.cluster.engine("jvm-2");
			holder.destroyForcibly().waitFor();
			long died = System.nanoTime();
			try (Lease lease = other.acquire(request())) {
				Duration taken = Duration.ofNanos(System.nanoTime() - died);
				logger.info("A JVM with a ttl of {} ms was killed: its lock was free after {} ms", ttl.toMillis(),
						taken.toMillis());
				// Two ticks of margin, and the leader looks once per tick.
				assertThat(taken).isLessThan(ttl.plusSeconds(9));
				assertThat(lease.fencingToken()).isGreaterThan(token);
			}
		}
	}

	private Process holder(Duration ttl) throws Exception {
		return new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx96m", "-cp",
				System.getProperty("java.class.path"), Holder.class.getName(), server.connectString(),
				this.key.parts().get(0), String.valueOf(ttl.toMillis()))
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
	}

	private static void signal(Process process, String name) throws Exception {
		new ProcessBuilder("kill", "-" + name, String.valueOf(process.pid())).start().waitFor();
	}

	@Test
	void closingAStoreWhoseLocksAreStillHeldLeavesThemUntilTheirTtlIsOver() throws Exception {
		ZooKeeperLockStore store = this.cluster.store("jvm-1");
		ZooKeeperLockStore other = this.cluster.store("jvm-2");
		Duration ttl = Duration.ofSeconds(1);
		long sent = System.nanoTime();
		assertThat(Cluster.acquire(store, this.key, this.attempt, ttl)).isInstanceOf(AcquireReply.Granted.class);
		store.close();
		await().pollInterval(Duration.ofMillis(50))
			.atMost(Duration.ofSeconds(10))
			.until(() -> Cluster.acquire(other, this.key, AttemptId.random(),
					Duration.ofSeconds(10)) instanceof AcquireReply.Granted);
		assertThat(Duration.ofNanos(System.nanoTime() - sent)).isGreaterThan(ttl);
	}

	@Test
	void closingAStoreThatHoldsNothingEndsItsSession() throws Exception {
		ZooKeeperLockStore store = this.cluster.store("jvm-1");
		String session = store.session(Duration.ofSeconds(10)).name();
		Link other = this.cluster.store("jvm-2").session(Duration.ofSeconds(10));
		assertThat(other.zk().exists("/distributed-lock/jvm/" + session, false)).isNotNull();
		store.close();
		await().until(() -> other.zk().exists("/distributed-lock/jvm/" + session, false) == null);
	}

	@Test
	void aTtlThatIsLongerThanTheServersSessionsIsRefusedAndSaysWhatToDo() {
		ZooKeeperLockStore store = this.cluster.store("jvm-1", (builder) -> builder.ttl(Duration.ofMinutes(5)));
		for (int i = 0; i < 2; i++) {
			assertThatThrownBy(() -> Cluster.acquire(store, this.key, this.attempt, Duration.ofMinutes(5)))
				.hasCauseInstanceOf(StoreException.class)
				.hasMessageContaining("at most 118000 ms")
				.hasMessageContaining("maxSessionTimeout")
				.hasMessageContaining(server.connectString());
		}
		assertThat(Cluster.acquire(store, this.key, this.attempt, Duration.ofSeconds(118)))
			.isInstanceOf(AcquireReply.Granted.class);
		assertThat(store.check()).singleElement().asString().contains("maxSessionTimeout").contains("300000 ms");
	}

	@Test
	void ttlsThatDifferLittleShareASession() {
		ZooKeeperLockStore store = this.cluster.store("jvm-1");
		Link session = store.session(Duration.ofSeconds(10));
		assertThat(store.session(Duration.ofMillis(9_900))).isSameAs(session);
		assertThat(store.check()).isEmpty();
		Cluster.acquire(store, this.key, this.attempt, Duration.ofSeconds(30));
		assertThat(store.session(Duration.ofSeconds(30))).isNotNull().isNotSameAs(session);
	}

	@Test
	void aGrantThatIsRenewedForLongerThanItsSessionLivesMovesToALongerOne() {
		ZooKeeperLockStore store = this.cluster.store("jvm-1");
		ZooKeeperLockStore other = this.cluster.store("jvm-2");
		AcquireReply.Granted granted = (AcquireReply.Granted) Cluster.acquire(store, this.key, this.attempt,
				Duration.ofSeconds(10));
		assertThat(Cluster.renew(store, this.key, this.attempt, Duration.ofSeconds(60))).isEqualTo(RenewReply.RENEWED);
		assertThat(Cluster.renew(store, this.key, this.attempt, Duration.ofSeconds(10))).isEqualTo(RenewReply.RENEWED);
		assertThat(Cluster.answer(other.inspect(this.key, Cluster.TIMEOUT)))
			.hasValueSatisfying((lock) -> assertThat(lock.firstToken()).isEqualTo(granted.firstToken()));
		assertThat(Cluster.acquire(other, this.key, AttemptId.random(), Duration.ofSeconds(10)))
			.isInstanceOf(AcquireReply.Refused.class);
		assertThat(Cluster.renew(store, this.key, this.attempt, Duration.ofMinutes(10))).isInstanceOfSatisfying(
				RenewReply.Failed.class,
				(failed) -> assertThat(failed.cause()).hasMessageContaining("maxSessionTimeout"));
		assertThat(Cluster.renew(store, this.key, this.attempt, Duration.ofSeconds(10))).isEqualTo(RenewReply.RENEWED);
	}

	/**
	 * Holds the key, and says every 20 ms whether it still does, until it does not.
	 */
	static final class Holder {

		private Holder() {
		}

		public static void main(String[] arguments) throws InterruptedException {
			ZooKeeperLockStore store = ZooKeeperLockStore.builder(arguments[0]).tickTime(Duration.ofSeconds(1)).build();
			try (LockEngine engine = LockEngine.builder().store(store).build()) {
				Lease lease = engine.acquire(LockRequest.of("session", arguments[1])
					.withTtl(Duration.ofMillis(Long.parseLong(arguments[2]))));
				System.out.println(lease.fencingToken());
				while (lease.isHeld()) {
					System.out.println("held");
					TimeUnit.MILLISECONDS.sleep(20);
				}
				System.out.println("lost");
			}
		}

	}

}
