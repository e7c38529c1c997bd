package io.distributedlock.store.etcd;

import java.io.BufferedReader;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * What happens when etcd, the way there, or another JVM fails.
 */
class EtcdFaultTests {

	private static final Logger logger = LoggerFactory.getLogger(EtcdFaultTests.class);

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static final String RECORD = "/distributed-lock/l/stock:42";

	private static final Duration SHORT = Duration.ofMillis(300);

	private static final Duration COOLING = Duration.ofSeconds(1);

	private final AttemptId a = AttemptId.random();

	private final AttemptId b = AttemptId.random();

	private final List<AutoCloseable> resources = new ArrayList<>();

	private EtcdServer etcd;

	@BeforeEach
	void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		this.etcd = EtcdServer.start();
	}

	@AfterEach
	void stop() throws Exception {
		for (AutoCloseable resource : this.resources) {
			resource.close();
		}
		if (this.etcd != null) {
			this.etcd.close();
		}
	}

	private StoreFixture connect() {
		StoreFixture fixture = StoreFixture.of(this.etcd);
		this.resources.add(fixture);
		return fixture;
	}

	@Test
	void anAcquireThatTheServerGetsLateIsUndoneWhenItIsAbandoned() {
		StoreFixture one = connect();
		StoreFixture two = connect();
		one.release(KEY, one.hold(KEY, StoreFixture.TTL));
		this.etcd.freeze();
		try {
			assertThatExceptionOfType(StoreException.class)
				.isThrownBy(() -> one.acquire(KEY, this.a, StoreFixture.TTL, SHORT, false))
				.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isTrue())
				.satisfies((ex) -> assertThat(ex.isRetryable()).isTrue())
				.withMessageContaining(this.etcd.endpoint());
		}
		finally {
			this.etcd.thaw();
		}
		one.abandon(KEY, this.a);
		assertThat(one.renew(KEY, this.a, StoreFixture.TTL)).isEqualTo(RenewReply.NOT_OWNER);
		AttemptId next = two.hold(KEY, StoreFixture.TTL);
		assertThat(two.release(KEY, next)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(two.store.inspect(KEY, StoreFixture.TIMEOUT)).succeedsWithin(StoreFixture.TIMEOUT)
			.satisfies((lock) -> assertThat(lock).isEmpty());
	}

	@Test
	void anAcquireThatNobodyAbandonsEndsWithItsTtl() {
		StoreFixture one = connect();
		StoreFixture two = connect();
		Duration ttl = Duration.ofMillis(1500);
		one.release(KEY, one.hold(KEY, ttl));
		this.etcd.freeze();
		try {
			assertThatExceptionOfType(StoreException.class)
				.isThrownBy(() -> one.acquire(KEY, this.a, ttl, SHORT, false));
		}
		finally {
			this.etcd.thaw();
		}
		await().atMost(Duration.ofSeconds(8)).until(() -> two.acquire(KEY, this.b) instanceof Granted);
	}

	@Test
	void anAcquireWhoseAnswerWasLostGetsTheSameGrantWhenItIsSentAgain() {
		StoreFixture one = connect();
		one.release(KEY, one.hold(KEY, StoreFixture.TTL));
		this.etcd.freeze();
		try {
			assertThatExceptionOfType(StoreException.class)
				.isThrownBy(() -> one.acquire(KEY, this.a, StoreFixture.TTL, SHORT, false));
		}
		finally {
			this.etcd.thaw();
		}
		assertThat(one.acquireAgain(KEY, this.a)).isInstanceOf(Granted.class);
		assertThat(one.renew(KEY, this.a, StoreFixture.TTL)).isEqualTo(RenewReply.RENEWED);
		assertThat(one.release(KEY, this.a)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(connect().acquire(KEY, this.b)).isInstanceOf(Granted.class);
	}

	@Test
	void aCoolingWhoseAnswerWasLostIsReleasedWhenItIsSentAgain() {
		StoreFixture one = connect();
		AttemptId held = coolDownWithoutAnswer(one);
		assertThat(coolDown(one, held, StoreFixture.TIMEOUT)).isEqualTo(new ReleaseReply.Released(false));
		StoreFixture two = connect();
		await().atMost(Duration.ofSeconds(8)).until(() -> two.acquire(KEY, this.b) instanceof Granted);
	}

	@Test
	void aCoolingThatNobodySeesToIsEndedByWhoAsksForTheLock() {
		StoreFixture one = connect();
		coolDownWithoutAnswer(one);
		// The others of its ttl keep the lease alive.
		StoreFixture two = connect();
		AttemptId other = one.hold(LockKey.of("stock", 43), COOLING);
		await().atMost(Duration.ofSeconds(8)).until(() -> {
			one.renew(LockKey.of("stock", 43), other, COOLING);
			return two.acquire(KEY, this.b) instanceof Granted;
		});
	}

	private AttemptId coolDownWithoutAnswer(StoreFixture one) {
		AttemptId held = one.hold(KEY, COOLING);
		this.etcd.freeze();
		try {
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> coolDown(one, held, SHORT))
				.satisfies((ex) -> assertThat(ex.mayHaveExecuted()).isTrue());
		}
		finally {
			this.etcd.thaw();
		}
		await().until(() -> this.etcd.etcdctl("get", RECORD).contains("COOLING"));
		return held;
	}

	private static ReleaseReply coolDown(StoreFixture fixture, AttemptId held, Duration timeout) {
		return StoreFixture.get(fixture.store.release(new ReleaseCommand(KEY, held, COOLING, timeout)));
	}

	@Test
	void requestsThatWaitedForTheServerToComeBackDoNothingOnceTheyWereGivenUp() {
		StoreFixture one = connect();
		one.release(KEY, one.hold(KEY, StoreFixture.TTL));
		this.etcd.kill();
		for (int i = 0; i < 3; i++) {
			AttemptId attempt = AttemptId.random();
			assertThatExceptionOfType(StoreException.class)
				.isThrownBy(() -> one.acquire(KEY, attempt, StoreFixture.TTL, SHORT, false));
			one.store.abandon(new AbandonCommand(KEY, attempt, Duration.ofSeconds(15)));
		}
		this.etcd.restart();
		await().atMost(Duration.ofSeconds(15)).until(() -> connect().acquire(KEY, this.b) instanceof Granted);
	}

	@Test
	void aHolderWhoseLeaseIsRevokedIsToldAtOnce() {
		StoreFixture one = connect();
		StoreFixture two = connect();
		AttemptId held = one.hold(KEY, StoreFixture.TTL);
		AttemptId other = one.hold(LockKey.of("stock", 43), StoreFixture.TTL);
		String lease = this.etcd.etcdctl("get", RECORD, "--write-out=json")
			.replaceAll("(?s).*\"lease\":(\\d+).*", "$1");
		this.etcd.etcdctl("lease", "revoke", Long.toHexString(Long.parseLong(lease)));
		await().atMost(Duration.ofSeconds(5)).until(() -> one.revoked.containsAll(List.of(held, other)));
		assertThat(one.renew(KEY, held, StoreFixture.TTL)).isEqualTo(RenewReply.NOT_OWNER);
		assertThat(one.release(KEY, held)).isEqualTo(new ReleaseReply.NotOwner());
		assertThat(two.acquire(KEY, this.b)).isInstanceOf(Granted.class);
		assertThat(one.acquire(LockKey.of("stock", 43), AttemptId.random())).as("on a new lease")
			.isInstanceOf(Granted.class);
	}

	@Test
	void theLossOfThousandsOfLocksKeepsNobodyFromLocking() {
		StoreFixture one = connect();
		List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
		for (int i = 0; i < 3000; i++) {
			replies.add(one.store.acquire(new AcquireCommand(LockKey.of("many", i), AttemptId.random(),
					Duration.ofSeconds(60), 1, false, Duration.ofSeconds(20))));
		}
		assertThat(replies).allSatisfy((reply) -> assertThat(StoreFixture.get(reply)).isInstanceOf(Granted.class));
		String lease = this.etcd.etcdctl("get", "/distributed-lock/l/many:0", "--write-out=json")
			.replaceAll("(?s).*\"lease\":(\\d+).*", "$1");
		this.etcd.etcdctl("lease", "revoke", Long.toHexString(Long.parseLong(lease)));
		await().until(() -> one.revoked.size() == 3000);
		assertThat(one.acquire(KEY, this.a)).isInstanceOf(Granted.class);
	}

	@Test
	void aRecordThatIsDeletedByHandIsNoticedByTheNextRenewal() {
		StoreFixture one = connect();
		AttemptId held = one.hold(KEY, StoreFixture.TTL);
		this.etcd.etcdctl("del", RECORD);
		assertThat(one.renew(KEY, held, StoreFixture.TTL)).isEqualTo(RenewReply.NOT_OWNER);
		assertThat(one.acquire(KEY, this.b)).isInstanceOf(Granted.class);
	}

	@Test
	void signalsArriveAgainAfterTheirPastWasCompactedAway() {
		StoreFixture one = connect();
		StoreFixture two = connect();
		AttemptId held = one.hold(KEY, StoreFixture.TTL);
		assertThat(two.enqueue(KEY, this.b)).isEqualTo(new Refused(one.store.instanceId(), StoreFixture.TTL, true));
		this.etcd.kill();
		this.etcd.restart();
		this.etcd.etcdctl("put", "something", "else");
		String revision = this.etcd.etcdctl("put", "something", "else", "--write-out=json")
			.replaceAll("(?s).*\"revision\":(\\d+).*", "$1");
		this.etcd.etcdctl("compact", revision);
		await().atMost(Duration.ofSeconds(15)).until(() -> two.resumed.get() > 0);
		await().atMost(Duration.ofSeconds(15))
			.until(() -> one.renew(KEY, held, StoreFixture.TTL) == RenewReply.RENEWED);
		await().until(() -> two.enqueue(KEY, this.b) instanceof Refused refused && refused.queued());
		two.reserved.clear();
		assertThat(one.release(KEY, held)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> two.reserved.contains(this.b));
		assertThat(two.acquireAgain(KEY, this.b)).isInstanceOf(Granted.class);
	}

	@Test
	void locksAreStillHeldAfterARestartOfTheServerAndTokensRise() {
		StoreFixture one = connect();
		AttemptId attempt = AttemptId.random();
		Granted before = (Granted) one.acquire(KEY, attempt);
		this.etcd.kill();
		this.etcd.restart();
		await().atMost(Duration.ofSeconds(15))
			.ignoreExceptions()
			.until(() -> one.renew(KEY, attempt, StoreFixture.TTL) == RenewReply.RENEWED);
		assertThat(connect().acquire(KEY, this.b)).isInstanceOf(Refused.class);
		assertThat(one.release(KEY, attempt)).isEqualTo(new ReleaseReply.Released(false));
		Granted after = (Granted) connect().acquire(KEY, this.b);
		assertThat(after.firstToken()).isGreaterThan(before.firstToken());
	}

	@Test
	void theLocksOfAKilledJvmAreFreeWithinTheBound() throws Exception {
		Process holder = holder(2);
		long killed = System.nanoTime();
		holder.destroyForcibly();
		Duration took = freeAfter(killed);
		logger.info("Ttl 2 s: the lock of a killed JVM was free after {} ms", took.toMillis());
		assertThat(took).isLessThan(bound(Duration.ofSeconds(2)));
		await()
			.until(() -> this.etcd.etcdctl("get", "/distributed-lock/i/victim", "--prefix", "--keys-only").isBlank());
	}

	@Test
	void aPausedJvmLosesItsLocksWithinTheBoundAndIsTold() throws Exception {
		Process holder = holder(2);
		try (BufferedReader said = holder.inputReader()) {
			long paused = System.nanoTime();
			new ProcessBuilder("kill", "-STOP", String.valueOf(holder.pid())).start().waitFor();
			Duration took = freeAfter(paused);
			logger.info("Ttl 2 s: the lock of a paused JVM was free after {} ms", took.toMillis());
			assertThat(took).isLessThan(bound(Duration.ofSeconds(2)));
			new ProcessBuilder("kill", "-CONT", String.valueOf(holder.pid())).start().waitFor();
			assertThat(said.readLine()).isEqualTo("lost");
		}
		finally {
			holder.destroyForcibly();
		}
	}

	/** What the documentation promises, and a little for this machine. */
	private static Duration bound(Duration ttl) {
		return ttl.plusMillis(3500).plusSeconds(3);
	}

	private Duration freeAfter(long since) {
		StoreFixture one = connect();
		await().atMost(Duration.ofSeconds(20))
			.pollInterval(Duration.ofMillis(20))
			.until(() -> one.acquire(LockKey.of("victim"), this.a) instanceof Granted);
		return Duration.ofNanos(System.nanoTime() - since);
	}

	private Process holder(int ttl) throws IOException {
		Process holder = new ProcessBuilder(System.getProperty("java.home") + "/bin/java", "-Xmx128m", "-cp",
				System.getProperty("java.class.path"), Holder.class.getName(), this.etcd.endpoint(),
				String.valueOf(ttl))
			.redirectError(ProcessBuilder.Redirect.INHERIT)
			.start();
		this.resources.add(holder::destroyForcibly);
		BufferedReader said = holder.inputReader();
		assertThat(said.readLine()).isEqualTo("held");
		return holder;
	}

	/**
	 * A JVM that holds a lock until it has lost it.
	 */
	static final class Holder {

		private Holder() {
		}

		public static void main(String[] arguments) throws InterruptedException {
			Client client = Client.builder().endpoints(arguments[0]).build();
			LockEngine engine = LockEngine.builder()
				.store(EtcdLockStore.builder(client).instanceId("victim").build())
				.build();
			Duration ttl = Duration.ofSeconds(Long.parseLong(arguments[1]));
			Lease lease = engine.acquire(LockRequest.of("victim").withTtl(ttl).withWaitTime(Duration.ofSeconds(15)));
			System.out.println("held");
			while (lease.isHeld()) {
				Thread.sleep(10);
			}
			System.out.println("lost");
		}

	}

}
