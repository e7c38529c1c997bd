package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.QueueingLockStore.Successor;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.awaitility.Awaitility.await;

/**
 * Grants that replicas have to have: what happens when one is silent or gone.
 */
class RedisReplicasTests {

	private static final Pattern WAITS = Pattern.compile("cmdstat_wait:calls=(\\d+)");

	private static RedisGroup redis;

	private static RedisServerProcess primary;

	private static RedisServerProcess replica;

	private final LockKey key = LockKey.of("stock", UUID.randomUUID());

	private final AttemptId a = AttemptId.random();

	private final AttemptId b = AttemptId.random();

	@BeforeAll
	static void start() {
		redis = RedisGroup.start(2);
		primary = redis.servers().get(0);
		replica = redis.servers().get(1);
	}

	@AfterEach
	void repair() {
		replica.thaw();
		for (RedisServerProcess server : redis.servers().subList(1, 3)) {
			server.command("REPLICAOF", "127.0.0.1", String.valueOf(primary.port()));
		}
		RedisGroup.awaitFollowers(primary, 2);
		primary.command("CONFIG", "RESETSTAT");
		primary.command("DEL", "lock:replicas");
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	private StoreFixture connect(String client, UnaryOperator<RedisLockStore.Builder> settings) {
		return new StoreFixture(
				settings.apply(RedisLockStore.builder(redis.standalone(client)).replicaTimeout(Duration.ofMillis(300)))
					.build());
	}

	private static AcquireCommand patient(LockKey key) {
		return new AcquireCommand(key, AttemptId.random(), StoreFixture.TTL, 1, false, Duration.ofSeconds(10));
	}

	private int waits() {
		Matcher waits = WAITS.matcher(primary.command("INFO", "commandstats"));
		return waits.find() ? Integer.parseInt(waits.group(1)) : 0;
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void aGrantThatAReplicaDoesNotHaveIsRefusedAndCanBeTakenBack(String client) {
		try (StoreFixture one = connect(client, (store) -> store.waitReplicas(2));
				StoreFixture other = connect(client, UnaryOperator.identity())) {
			assertThat(one.acquire(this.key, this.a)).isInstanceOf(Granted.class);
			one.release(this.key, this.a);
			replica.freeze();
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(this.key, this.b))
				.withMessageContaining("Only 1 of 2")
				.withMessageContaining("INFO replication")
				.withMessageContaining("wait-replicas=2")
				.matches((ex) -> ex.isRetryable() && ex.mayHaveExecuted());
			one.abandon(this.key, this.b);
			assertThat(other.acquire(this.key, this.a)).isInstanceOf(Granted.class);
			assertThat(other.release(this.key, this.a)).isEqualTo(new ReleaseReply.Released(false));
			replica.thaw();
			await().atMost(Duration.ofSeconds(10))
				.ignoreExceptions()
				.until(() -> one.acquireAgain(this.key, this.b) instanceof Granted);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void neitherRenewalNorFurtherTokensNorASuccessorCountWithoutTheReplicas(String client) {
		try (StoreFixture one = connect(client, (store) -> store.waitReplicas(2))) {
			one.acquire(this.key, this.a);
			assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.RENEWED);
			assertThat(one.extend(this.key, this.a, 4)).isInstanceOf(ExtendReply.Extended.class);
			replica.freeze();
			assertThat(one.renew(this.key, this.a)).isInstanceOfSatisfying(RenewReply.Failed.class,
					(failed) -> assertThat(failed.cause()).hasMessageContaining("Only 1 of 2"));
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.extend(this.key, this.a, 4))
				.withMessageContaining("Only 1 of 2");
			assertThat(one.releaseAndEnqueue(this.key, this.a, this.b, 4)).isEqualTo(new ReleaseReply.Queued(false));
			assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.NOT_OWNER);
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquireAgain(this.key, this.b))
				.withMessageContaining("Only 1 of 2");
			replica.thaw();
			await().atMost(Duration.ofSeconds(10))
				.ignoreExceptions()
				.until(() -> one.acquireAgain(this.key, this.b) instanceof Granted);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void refusalsAndReleasesDoNotWaitForReplicas(String client) {
		Duration timeout = Duration.ofSeconds(4);
		try (StoreFixture one = connect(client,
				(store) -> store.waitReplicas(2).replicaTimeout(timeout).commandTimeout(Duration.ofSeconds(10)));
				StoreFixture other = connect(client, UnaryOperator.identity())) {
			one.acquire(this.key, this.a);
			replica.freeze();
			List<CompletionStage<AcquireReply>> stuck = new ArrayList<>();
			for (int i = 0; i < 20; i++) {
				stuck.add(one.store.acquire(patient(LockKey.of("stuck", UUID.randomUUID()))));
			}
			assertThat(StoreFixture
				.get(one.store.release(new ReleaseCommand(this.key, this.a, Duration.ZERO, Duration.ofSeconds(10)))))
				.isEqualTo(new ReleaseReply.Released(false));
			assertThat(stuck).as("the replicas are still waited for")
				.noneMatch((stage) -> stage.toCompletableFuture().isDone());
			other.acquire(this.key, this.b);
			await().atMost(Duration.ofSeconds(30))
				.until(() -> stuck.stream().allMatch((stage) -> stage.toCompletableFuture().isDone()));
			assertThat(stuck).allMatch((stage) -> stage.toCompletableFuture().isCompletedExceptionally());
			long start = System.nanoTime();
			assertThat(StoreFixture.get(one.store.acquire(patient(this.key)))).isInstanceOf(Refused.class);
			if (client.equals("lettuce")) {
				assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(timeout.minusMillis(500));
			}
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void renewalsDoNotStandInLineBehindCallsThatWantGrants(String client) {
		try (StoreFixture one = connect(client,
				(store) -> store.waitReplicas(2).replicaTimeout(Duration.ofMillis(600)))) {
			await().atMost(Duration.ofSeconds(10))
				.ignoreExceptions()
				.until(() -> one.acquireAgain(this.key, this.a) instanceof Granted);
			List<AttemptId> holders = new ArrayList<>();
			List<CompletionStage<AcquireReply>> grants = new ArrayList<>();
			for (int i = 0; i < 40; i++) {
				holders.add(AttemptId.random());
				grants.add(one.store.acquire(StoreFixture.command(LockKey.of("line", i), holders.get(i), 1, false)));
			}
			grants.forEach(StoreFixture::get);
			replica.freeze();
			for (int i = 0; i < 40; i++) {
				one.store.releaseAndEnqueue(
						new ReleaseCommand(LockKey.of("line", i), holders.get(i), Duration.ZERO, StoreFixture.TIMEOUT),
						new Successor(AttemptId.random(), StoreFixture.TTL, 1));
			}
			assertThat(one.renew(this.key, this.a)).isInstanceOfSatisfying(RenewReply.Failed.class,
					(failed) -> assertThat(failed.cause()).hasMessageContaining("Only 1 of 2"));
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void ofAllReplicasNoneMayBeMissing(String client) {
		try (StoreFixture one = connect(client, RedisLockStore.Builder::waitForAllReplicas)) {
			assertThat(one.store.check()).isEmpty();
			assertThat(one.acquire(this.key, this.a)).isInstanceOf(Granted.class);
			replica.kill();
			RedisGroup.awaitFollowers(primary, 1);
			assertThat(one.renew(this.key, this.a)).isInstanceOf(RenewReply.Failed.class);
			assertThat(one.store.check()).singleElement()
				.asString()
				.contains("Only 1 of 2", "no lock can be taken", "SET the key lock:replicas to 0");
			replica.restart();
			RedisGroup.awaitFollowers(primary, 2);
			assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.RENEWED);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void aPrimaryThatAllHaveLeftGrantsNothing(String client) {
		redis.servers().subList(1, 3).forEach((server) -> server.command("REPLICAOF", "NO", "ONE"));
		RedisGroup.awaitFollowers(primary, 0);
		try (StoreFixture one = connect(client, RedisLockStore.Builder::waitForAllReplicas)) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(this.key, this.a))
				.withMessageContaining("Only 0 of 1");
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void aConnectionThatBreaksBetweenScriptAndReplicasGrantsNothing(String client) {
		try (StoreFixture one = connect(client,
				(store) -> store.waitReplicas(2).replicaTimeout(Duration.ofMillis(900)))) {
			assertThat(one.acquire(this.key, this.a)).isInstanceOf(Granted.class);
			LockKey other = LockKey.of("stock", UUID.randomUUID());
			replica.freeze();
			CompletableFuture<AcquireReply> pending = one.store.acquire(StoreFixture.command(other, this.b, 1, false))
				.toCompletableFuture();
			await().until(() -> primary.command("INFO", "clients").contains("blocked_clients:1"));
			primary.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
			replica.thaw();
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(pending))
				.matches(StoreException::mayHaveExecuted)
				.withMessageContaining("does not count");
			await().atMost(Duration.ofSeconds(10))
				.ignoreExceptions()
				.until(() -> one.acquireAgain(other, this.b) instanceof Granted);
		}
	}

	@ParameterizedTest
	@ValueSource(strings = { "lettuce", "jedis" })
	void scriptsThatTheServerForgotAreSentAgain(String client) {
		try (StoreFixture one = connect(client, RedisLockStore.Builder::waitForAllReplicas)) {
			for (int i = 0; i < 5; i++) {
				primary.command("SCRIPT", "FLUSH");
				assertThat(one.acquire(this.key, this.a)).isInstanceOf(Granted.class);
				primary.command("SCRIPT", "FLUSH");
				assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.RENEWED);
				assertThat(one.release(this.key, this.a)).isEqualTo(new ReleaseReply.Released(false));
			}
		}
	}

	@Test
	void locksThatDemandNoReplicasNeverWait() {
		try (StoreFixture one = connect("lettuce", UnaryOperator.identity())) {
			one.acquire(this.key, this.a);
			one.renew(this.key, this.a);
			one.release(this.key, this.a);
			assertThat(waits()).isZero();
		}
	}

	@Test
	void manyGrantsShareAWait() {
		try (StoreFixture one = connect("lettuce", (store) -> store.waitReplicas(2))) {
			List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
			// So that they meet however fast Redis is.
			primary.command("CLIENT", "PAUSE", "60000", "WRITE");
			for (int i = 0; i < 640; i++) {
				replies.add(one.store.acquire(patient(LockKey.of("many", i))));
			}
			primary.command("CLIENT", "UNPAUSE");
			assertThat(replies).allMatch((reply) -> StoreFixture.get(reply) instanceof Granted);
			assertThat(waits()).isBetween(10, 64);
		}
	}

	@Test
	void anEngineRefusesTheCallerAndLeavesNothingBehind() {
		LockRequest request = LockRequest.of(this.key, LockSettings.NONE).withWaitTime(Duration.ZERO);
		try (LockEngine engine = LockEngine.builder()
			.store(RedisLockStore.builder(redis.standalone("lettuce"))
				.waitReplicas(2)
				.replicaTimeout(Duration.ofMillis(300))
				.build())
			.build(); StoreFixture other = connect("lettuce", UnaryOperator.identity())) {
			engine.acquire(request).release();
			replica.freeze();
			assertThatExceptionOfType(LockStoreException.class).isThrownBy(() -> engine.acquire(request))
				.withMessageContaining("nothing is held")
				.withMessageContaining("Only 1 of 2");
			await().until(() -> other.acquire(this.key, this.a) instanceof Granted);
		}
	}

	@Test
	void aHandoffWithinTheJvmNeedsNoReplicas() throws InterruptedException {
		LockRequest request = LockRequest.of(this.key, LockSettings.NONE).withWaitTime(Duration.ofSeconds(10));
		AtomicInteger holders = new AtomicInteger();
		Semaphore mayEnd = new Semaphore(0);
		List<Thread> callers = new ArrayList<>();
		try (LockEngine engine = LockEngine.builder()
			.store(RedisLockStore.builder(redis.standalone("lettuce"))
				.waitReplicas(2)
				.replicaTimeout(Duration.ofMillis(300))
				.build())
			.handoff(64, Duration.ofSeconds(30))
			.build()) {
			Lease first = engine.acquire(request);
			for (int i = 0; i < 3; i++) {
				callers.add(new Thread(() -> engine.execute(request, (lease) -> {
					holders.incrementAndGet();
					mayEnd.acquireUninterruptibly();
					return null;
				})));
			}
			callers.forEach(Thread::start);
			await().until(() -> engine.waiting().stream().mapToInt(WaitedLock::waiters).sum() == 3);
			first.release();
			await().until(() -> holders.get() == 1);
			replica.freeze();
			// With a replica frozen the store grants nothing: this one comes from the
			// other
			// caller.
			mayEnd.release();
			await().until(() -> holders.get() == 2);
			replica.thaw();
			mayEnd.release(2);
			for (Thread caller : callers) {
				caller.join(Duration.ofSeconds(10).toMillis());
			}
			assertThat(holders).hasValue(3);
		}
	}

	@Test
	void aReplicaTimeoutThatTheCommandTimeoutDoesNotCoverIsRefused() {
		RedisLockStore.Builder builder = RedisLockStore.builder(redis.standalone("lettuce"))
			.waitReplicas(1)
			.commandTimeout(Duration.ofMillis(400));
		assertThatIllegalArgumentException().isThrownBy(builder::build)
			.withMessageContaining("replica-timeout")
			.withMessageContaining("command-timeout");
		assertThatIllegalArgumentException().isThrownBy(() -> builder.waitReplicas(-1));
	}

}
