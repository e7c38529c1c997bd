package io.distributedlock.store.etcd;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.IntStream;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.Client;
import io.etcd.jetcd.KV;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.store.etcd.server.EtcdServer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Leases that many things share, and how requests are made ineffective.
 */
class SessionsTests {

	private static EtcdServer etcd;

	private static Client client;

	private final EtcdErrors errors = new EtcdErrors("test", "/test/");

	private final Timers timers = new Timers("sessions-test");

	private final KeyLayout layout = new KeyLayout("/test/");

	private Transactions transactions;

	private Sessions sessions;

	private int lost;

	@BeforeAll
	static void start() {
		Assumptions.assumeTrue(EtcdServer.isInstalled(), EtcdServer.INSTALL);
		etcd = EtcdServer.start();
		client = Client.builder().endpoints(etcd.endpoint()).build();
	}

	@AfterAll
	static void stop() {
		if (etcd != null) {
			client.close();
			etcd.close();
		}
	}

	@BeforeEach
	void open() {
		this.transactions = new Transactions(client.getKVClient(), new RevisionGuard(), this.errors, this.timers);
		this.sessions = new Sessions(client.getLeaseClient(), client.getKVClient(), this.layout, "jvm", this.errors,
				this.transactions, this.timers, Duration.ofSeconds(5), Duration.ofMillis(100),
				(session) -> this.lost++);
	}

	@AfterEach
	void close() {
		this.sessions.close();
		this.timers.close();
	}

	private Context context() {
		Housekeeping housekeeping = new Housekeeping(Duration.ofSeconds(1));
		return new Context(this.layout, "jvm", Duration.ofSeconds(1), Duration.ofSeconds(1), this.errors, this.timers,
				this.transactions, this.sessions, new Stakes(housekeeping), new Reservations(),
				new Mailbox(client.getWatchClient(), this.layout, "none", this.timers, housekeeping), new Scripts(),
				ConcurrentHashMap.newKeySet());
	}

	private Session session(Duration time) {
		CompletableFuture<Session> found = new CompletableFuture<>();
		this.sessions.use(new Nothing(), time, found::complete);
		return found.join();
	}

	private CompletableFuture<Boolean> submit(Request request, CompletableFuture<Boolean> reply) {
		this.transactions.submit(request);
		return reply;
	}

	private Request write(Session session, CompletableFuture<Boolean> reply) {
		return new Request(System.nanoTime() + 20_000_000_000L, (answer) -> reply.complete(answer.succeeded()),
				reply::completeExceptionally)
			.ifLives(session)
			.put(this.layout.record("late"), KeyLayout.bytes("late"), session.lease);
	}

	@ParameterizedTest
	@CsvSource({ "PT0.5S,1", "PT1S,1", "PT1.001S,2", "PT10S,10", "PT15S,15", "PT17S,18", "PT30S,30", "PT33S,36",
			"PT60S,60", "PT61S,64", "PT1H,3840" })
	void aLeaseIsMadeForAtLeastTheTimeAndForAtMostAnEighthMore(Duration time, int seconds) {
		assertThat(Sessions.seconds(time)).isEqualTo(seconds);
	}

	@Test
	void thingsOfTheSameTtlShareALease() {
		Session first = session(Duration.ofSeconds(5));
		assertThat(session(Duration.ofMillis(4500))).isSameAs(first);
		assertThat(session(Duration.ofSeconds(20))).isNotSameAs(first);
		assertThat(first.aliveUntil() - System.nanoTime()).isGreaterThan(5_000_000_000L);
	}

	@Test
	void aRequestThatArrivesAfterItWasGivenUpDoesNothing() {
		Session session = session(Duration.ofSeconds(5));
		CompletableFuture<Boolean> reply = new CompletableFuture<>();
		Request late = write(session, reply);
		assertThat(this.sessions.fence(session, System.nanoTime() + 5_000_000_000L))
			.succeedsWithin(Duration.ofSeconds(5));
		assertThat(submit(late, reply)).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(false);
		CompletableFuture<Boolean> next = new CompletableFuture<>();
		assertThat(submit(write(session, next), next)).succeedsWithin(Duration.ofSeconds(5)).isEqualTo(true);
	}

	@Test
	void aLeaseThatNothingDependsOnIsGivenUpAfterAWhile() {
		Session session = session(Duration.ofSeconds(1));
		await().pollInterval(Duration.ofMillis(20)).atMost(Duration.ofSeconds(10)).until(() -> {
			this.sessions.tick(System.nanoTime());
			return session.isLost();
		});
		await().atMost(Duration.ofSeconds(15))
			.until(() -> !etcd.etcdctl("lease", "list").contains(Long.toHexString(session.lease)));
		assertThat(this.lost).as("nobody has lost anything").isZero();
		assertThat(session(Duration.ofSeconds(1))).isNotSameAs(session);
	}

	@Test
	void aLeaseThatWasRevokedIsReplaced() {
		Session session = session(Duration.ofSeconds(5));
		etcd.etcdctl("lease", "revoke", Long.toHexString(session.lease));
		assertThat(this.sessions.keepAlive(session)).failsWithin(Duration.ofSeconds(5));
		assertThat(this.lost).isEqualTo(1);
		assertThat(session(Duration.ofSeconds(5))).isNotSameAs(session);
	}

	@Test
	void aGrantThatMayBeOnAnotherLeaseIsNotGoneWithItsOwn() {
		Session session = session(Duration.ofSeconds(5));
		Session other = session(Duration.ofSeconds(20));
		LockKey key = LockKey.of("moved");
		Context context = context();
		Stake stake = context.stakes().open(key, AttemptId.random());
		LockRecord held = LockRecord.held(stake.attempt, "jvm", Duration.ofSeconds(5), 1).written(1);
		assertThat(stake.held(session, held, 1, List.of(), System.nanoTime() + 5_000_000_000L)).isTrue();
		etcd.freeze();
		try {
			new ExtendOperation(context, key,
					new RenewCommand(key, stake.attempt, Duration.ofSeconds(20), Duration.ofSeconds(2)))
				.start();
			session.end();
			assertThat(stake.isGoneWithItsLease()).isFalse();
			assertThat(stake.doubtful()).isSameAs(other);
		}
		finally {
			etcd.thaw();
		}
	}

	@Test
	void aReservationOrACoolingIsEndedHoweverOftenItFails() {
		try (Client nowhere = Client.builder().endpoints("http://127.0.0.1:1").waitForReady(false).build()) {
			this.transactions = new Transactions(nowhere.getKVClient(), new RevisionGuard(), this.errors, this.timers);
			Context context = context();
			Wheel wheel = context.stakes().wheel();
			Overdue overdue = Overdue.record(context, LockKey.of("cooling"), 7, System.nanoTime(), null);
			AtomicLong now = new AtomicLong(System.nanoTime());
			for (int i = 0; i < 10; i++) {
				overdue.ended();
				await().pollInterval(Duration.ofMillis(5))
					.atMost(Duration.ofSeconds(10))
					.until(() -> wheel.turn(now.addAndGet(60_000_000_000L)).contains(overdue));
			}
		}
	}

	@Test
	void anAttemptThatGetsTheLockReservedWhileItIsEndedKeepsNothing() {
		LockKey key = LockKey.of("ended");
		AttemptId attempt = AttemptId.random();
		KV kv = client.getKVClient();
		ByteSequence record = this.layout.record(key.id());
		ByteSequence entry = this.layout.entry(key.id(), "jvm");
		StoreFixture
			.get(kv.put(record, LockRecord.held(AttemptId.random(), "other", Duration.ofSeconds(5), 1).encode()));
		StoreFixture.get(kv.put(entry, QueueEntry.encode(attempt, "jvm", Instant.now())));
		QueueEntry waiting = QueueEntry.decode(StoreFixture.get(kv.get(entry)).getKvs().get(0));
		AtomicInteger calls = new AtomicInteger();
		KV meddled = (KV) Proxy.newProxyInstance(KV.class.getClassLoader(), new Class<?>[] { KV.class },
				(proxy, method, arguments) -> {
					if (calls.incrementAndGet() == 2) {
						StoreFixture.get(kv.put(record, LockRecord.reserved(waiting, Duration.ofSeconds(1)).encode()));
						StoreFixture.get(kv.delete(entry));
					}
					return method.invoke(kv, arguments);
				});
		this.transactions = new Transactions(meddled, new RevisionGuard(), this.errors, this.timers);
		assertThat(new EndOperation(context(), key, attempt, Duration.ofSeconds(5)).start())
			.succeedsWithin(Duration.ofSeconds(5));
		assertThat(StoreFixture.get(kv.get(record)).getKvs()).isEmpty();
		assertThat(StoreFixture.get(kv.get(entry)).getKvs()).isEmpty();
	}

	@Test
	void requestsThatWouldWriteTheSameKeyDoNotMeet() {
		Session session = session(Duration.ofSeconds(5));
		List<CompletableFuture<Boolean>> replies = IntStream.range(0, 20).mapToObj((i) -> {
			CompletableFuture<Boolean> reply = new CompletableFuture<>();
			return submit(write(session, reply), reply);
		}).toList();
		assertThat(replies)
			.allSatisfy((reply) -> assertThat(reply).succeedsWithin(Duration.ofSeconds(20)).isEqualTo(true));
	}

	/**
	 * Somebody who needs a session.
	 */
	private final class Nothing extends Operation<Boolean> {

		Nothing() {
			super(context(), LockKey.of("none"), Duration.ofSeconds(1));
		}

		@Override
		void step() {
		}

	}

}
