package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Rules R2 to R7: what each script does, seen from two instances.
 */
class RedisLockProtocolTests {

	private static final AtomicInteger KEYS = new AtomicInteger();

	static RedisServerProcess redis;

	static StoreFixture one;

	static StoreFixture two;

	LockKey key;

	final AttemptId a = AttemptId.random();

	final AttemptId b = AttemptId.random();

	final AttemptId c = AttemptId.random();

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
		one = StoreFixture.lettuce(redis.port()).awaitSignals("one");
		two = StoreFixture.lettuce(redis.port()).awaitSignals("two");
	}

	@AfterAll
	static void stop() {
		one.close();
		two.close();
		redis.close();
	}

	@BeforeEach
	void newKey(TestInfo test) {
		this.key = LockKey.of("stock", KEYS.incrementAndGet());
		one.reserved.clear();
		two.reserved.clear();
		one.revoked.clear();
	}

	@AfterEach
	void nothingRemainsButTheMark() {
		redis.command("DEL", record(), "lock:q:" + this.key.id(), "lock:e:" + this.key.id());
	}

	private String record() {
		return "lock:l:" + this.key.id();
	}

	private StoredLock stored() {
		return StoreFixture.get(one.store.inspect(this.key, Duration.ofSeconds(1))).orElseThrow();
	}

	@Test
	void releasedMeansSomeoneElseCanAcquire() {
		assertThat(one.acquire(this.key, this.a)).isInstanceOf(Granted.class);
		assertThat(two.acquire(this.key, this.b)).isInstanceOf(Refused.class);
		assertThat(one.release(this.key, this.a)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(two.acquire(this.key, this.b)).isInstanceOf(Granted.class);
	}

	@Test
	void releaseLeavesNothingButTheMark() {
		one.acquire(this.key, this.a);
		one.release(this.key, this.a);
		assertThat(redis.command("KEYS", "*")).isEqualTo("lock:mark");
	}

	@Test
	void refusalNamesTheHolderAndItsRemainingTime() {
		one.acquire(this.key, this.a);
		Refused refused = (Refused) two.acquire(this.key, this.b);
		assertThat(refused.holder()).isEqualTo(one.store.instanceId());
		assertThat(refused.freeIn()).isBetween(Duration.ofSeconds(9), StoreFixture.TTL);
		assertThat(refused.queued()).isFalse();
	}

	@Test
	void tokensRiseFromGrantToGrantAndFollowTheClock() {
		long last = 0;
		for (int i = 0; i < 100; i++) {
			AttemptId attempt = AttemptId.random();
			Granted granted = (Granted) ((i % 2 == 0) ? one : two).acquire(this.key, attempt);
			assertThat(granted.firstToken()).isGreaterThan(last);
			last = granted.firstToken();
			((i % 2 == 0) ? one : two).release(this.key, attempt);
		}
		assertThat(last).isCloseTo(System.currentTimeMillis() * 1000, org.assertj.core.data.Offset.offset(5_000_000L));
	}

	@Test
	void blockIsReservedAsAWhole() {
		Granted block = (Granted) StoreFixture
			.get(one.store.acquire(StoreFixture.command(this.key, this.a, 64, false)));
		assertThat(block.tokens()).isEqualTo(64);
		assertThat(redis.command("GET", "lock:mark")).isEqualTo(String.valueOf(block.firstToken() + 63));
		one.release(this.key, this.a);
		assertThat(((Granted) two.acquire(this.key, this.b)).firstToken()).isGreaterThan(block.firstToken() + 63);
	}

	@Test
	void tokensRiseEvenIfTheMarkIsAheadOfTheClockAndBlocksHaveSizeOne() {
		long ahead = System.currentTimeMillis() * 1000 + 3_600_000_000L;
		redis.command("SET", "lock:mark", String.valueOf(ahead));
		try {
			Granted granted = (Granted) StoreFixture
				.get(one.store.acquire(StoreFixture.command(this.key, this.a, 64, false)));
			assertThat(granted.firstToken()).isEqualTo(ahead + 1);
			assertThat(granted.tokens()).isOne();
			assertThat(redis.command("GET", "lock:mark")).isEqualTo(String.valueOf(ahead + 1));
		}
		finally {
			redis.command("DEL", "lock:mark");
		}
	}

	@Test
	void tokenOfReadersDoesNotFallWhenTheMarkIsLost() {
		Granted before = (Granted) one.acquire(this.key, this.a);
		one.release(this.key, this.a);
		redis.command("DEL", "lock:mark");
		Granted reader = (Granted) StoreFixture.get(one.store.acquireShared(new SharedAcquireCommand(this.key, this.b,
				Share.READERS, StoreFixture.TTL, false, StoreFixture.TIMEOUT)));
		assertThat(reader.firstToken()).isGreaterThan(before.firstToken());
		StoreFixture.get(one.store.abandonShared(new AbandonCommand(this.key, this.b, StoreFixture.TIMEOUT)));
		Granted after = (Granted) one.acquire(this.key, this.c);
		assertThat(after.firstToken()).isGreaterThan(reader.firstToken());
	}

	@Test
	void markThatIsNoNumberIsRefusedAndNamed() {
		redis.command("SET", "lock:mark", "9999999999999999");
		try {
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(this.key, this.a))
				.withMessageContaining("lock:mark")
				.matches((ex) -> !ex.mayHaveExecuted());
		}
		finally {
			redis.command("DEL", "lock:mark");
		}
		assertThat(redis.command("EXISTS", record())).isEqualTo(":0");
	}

	@Test
	void repeatedAcquireGivesTheSameGrantWithItsFullTtl() {
		AcquireReply first = one.acquire(this.key, this.a);
		redis.command("PEXPIRE", record(), "500");
		assertThat(one.acquireAgain(this.key, this.a)).isEqualTo(first);
		assertThat(Long.parseLong(redis.command("PTTL", record()).substring(1))).isGreaterThan(9000);
	}

	@Test
	void foreignReleaseIsRefusedAndChangesNothing() {
		one.acquire(this.key, this.a);
		assertThat(two.release(this.key, this.b)).isInstanceOf(ReleaseReply.NotOwner.class);
		assertThat(two.acquire(this.key, this.b)).isInstanceOf(Refused.class);
		assertThat(one.release(this.key, this.a)).isInstanceOf(ReleaseReply.Released.class);
		assertThat(one.release(this.key, this.a)).isInstanceOf(ReleaseReply.NotOwner.class);
	}

	@Test
	void renewalSetsTheFullTtlAndNeverMakesAGrant() {
		one.acquire(this.key, this.a);
		redis.command("PEXPIRE", record(), "500");
		assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.RENEWED);
		assertThat(Long.parseLong(redis.command("PTTL", record()).substring(1))).isGreaterThan(9000);
		assertThat(two.renew(this.key, this.b)).isEqualTo(RenewReply.NOT_OWNER);
		redis.command("DEL", record());
		assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.NOT_OWNER);
		assertThat(redis.command("EXISTS", record())).isEqualTo(":0");
	}

	@Test
	void releaseReservesForTheNextWaiterSignalsItAndOnlyItCanClaim() {
		one.acquire(this.key, this.a);
		assertThat(((Refused) two.enqueue(this.key, this.b)).queued()).isTrue();
		assertThat(one.release(this.key, this.a)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> two.reserved.contains(this.b));
		assertThat(one.reserved).isEmpty();
		Refused meanwhile = (Refused) one.acquire(this.key, this.c);
		assertThat(meanwhile.holder()).isEqualTo(two.store.instanceId());
		assertThat(meanwhile.freeIn()).isLessThanOrEqualTo(Duration.ofSeconds(1));
		assertThat(stored().state()).isEqualTo(State.RESERVED);
		assertThat(two.acquireAgain(this.key, this.b)).isInstanceOf(Granted.class);
		assertThat(Long.parseLong(redis.command("PTTL", record()).substring(1))).isGreaterThan(9000);
	}

	@Test
	void expiredReservationGoesToWhoeverAsks() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		one.release(this.key, this.a);
		await().until(() -> one.acquire(this.key, this.c) instanceof Granted);
		assertThat(two.acquireAgain(this.key, this.b)).isInstanceOf(Refused.class);
	}

	@Test
	void waitersAreServedInOrderOfArrivalAndARefreshKeepsThePlace() {
		try (StoreFixture three = StoreFixture.lettuce(redis.port()).awaitSignals("three")) {
			one.acquire(this.key, this.a);
			two.enqueue(this.key, this.b);
			three.enqueue(this.key, this.c);
			two.enqueue(this.key, this.b);
			assertThat(stored().queue()).extracting("instance")
				.containsExactly(two.store.instanceId(), three.store.instanceId());
			one.release(this.key, this.a);
			await().until(() -> two.reserved.contains(this.b));
			two.acquireAgain(this.key, this.b);
			two.release(this.key, this.b);
			await().until(() -> three.reserved.contains(this.c));
		}
	}

	@Test
	void newerAttemptOfAnInstanceTakesThePlaceOfTheOlder() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		two.enqueue(this.key, this.c);
		assertThat(stored().queue()).hasSize(1);
		one.release(this.key, this.a);
		await().until(() -> !two.reserved.isEmpty());
		assertThat(two.reserved).containsExactly(this.c);
	}

	@Test
	void deadWaiterIsSkipped() {
		StoreFixture dying = StoreFixture.lettuce(redis.port()).awaitSignals("dying");
		one.acquire(this.key, this.a);
		dying.enqueue(this.key, this.c);
		dying.close();
		await().until(() -> {
			two.enqueue(this.key, this.b);
			return stored().queue().stream().anyMatch((waiter) -> !waiter.alive());
		});
		assertThat(one.release(this.key, this.a)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> two.reserved.contains(this.b));
		assertThat(redis.command("EXISTS", "lock:q:" + this.key.id())).isEqualTo(":0");
	}

	@Test
	void queueExpiresWithItsWaiters() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		assertThat(Long.parseLong(redis.command("PTTL", "lock:q:" + this.key.id()).substring(1))).isBetween(1L, 2400L);
		assertThat(Long.parseLong(redis.command("PTTL", "lock:e:" + this.key.id()).substring(1))).isBetween(1L, 2400L);
	}

	@Test
	void freeLockIsGrantedWhateverTheQueue() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		redis.command("DEL", record());
		assertThat(one.acquire(this.key, this.c)).isInstanceOf(Granted.class);
	}

	@Test
	void queueThatOutlivedItsRecordIsServedAfterTheNextReCheck() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		redis.command("DEL", record());
		one.acquire(this.key, this.c);
		two.enqueue(this.key, this.b);
		assertThat(one.release(this.key, this.c)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> two.reserved.contains(this.b));
	}

	@Test
	void waiterThatFindsTheLockFreeServesTheOtherWaiters() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		one.enqueue(this.key, this.c);
		redis.command("DEL", record());
		assertThat(two.enqueue(this.key, this.b)).isInstanceOf(Granted.class);
		assertThat(two.release(this.key, this.b)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> one.reserved.contains(this.c));
	}

	@Test
	void waiterThatQueuesLeavesTheHoldersTtlAsItIs() {
		one.acquire(this.key, this.a);
		redis.command("PEXPIRE", record(), "5000");
		two.enqueue(this.key, this.b);
		assertThat(redis.command("GET", record())).startsWith("1w" + this.a);
		assertThat(Long.parseLong(redis.command("PTTL", record()).substring(1))).isBetween(1L, 5000L);
		assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.RENEWED);
	}

	@Test
	void releaseWithoutWaitersCostsTwoCommandsInItsScript() {
		one.acquire(this.key, this.a);
		redis.command("CONFIG", "RESETSTAT");
		one.release(this.key, this.a);
		assertThat(redis.command("INFO", "commandstats")).contains("cmdstat_mget:calls=1,", "cmdstat_del:calls=1,")
			.doesNotContain("zpopmin", "cmdstat_get:", "cmdstat_time:");
	}

	@Test
	void waiterThatFindsTheLockFreeLeavesTheQueue() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		redis.command("DEL", record());
		assertThat(two.enqueue(this.key, this.b)).isInstanceOf(Granted.class);
		assertThat(stored().queue()).isEmpty();
	}

	@Test
	void keptLockBelongsToNobodyAndServesNobodyUntilItsEnd() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		assertThat(one.release(this.key, this.a, Duration.ofSeconds(2))).isEqualTo(new ReleaseReply.Released(false));
		Refused refused = (Refused) two.enqueue(this.key, this.b);
		assertThat(refused.holder()).isNull();
		assertThat(refused.freeIn()).isBetween(Duration.ofMillis(1), Duration.ofSeconds(2));
		assertThat(stored().state()).isEqualTo(State.COOLING);
		assertThat(one.release(this.key, this.a)).isInstanceOf(ReleaseReply.NotOwner.class);
		await().until(() -> two.enqueue(this.key, this.b) instanceof Granted);
	}

	@Test
	void successorIsGrantedAtOnceIfNobodyElseWaits() {
		Granted first = (Granted) one.acquire(this.key, this.a);
		ReleaseReply.Succeeded next = (ReleaseReply.Succeeded) one.releaseAndEnqueue(this.key, this.a, this.b, 8);
		assertThat(next.firstToken()).isGreaterThan(first.firstToken());
		assertThat(next.tokens()).isEqualTo(8);
		assertThat(one.renew(this.key, this.b)).isEqualTo(RenewReply.RENEWED);
		assertThat(one.releaseAndEnqueue(this.key, this.a, this.b, 8)).isEqualTo(next);
	}

	@Test
	void successorWaitsBehindOthers() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		assertThat(one.releaseAndEnqueue(this.key, this.a, this.c, 8)).isEqualTo(new ReleaseReply.Queued(true));
		await().until(() -> two.reserved.contains(this.b));
		assertThat(one.releaseAndEnqueue(this.key, this.a, this.c, 8)).isEqualTo(new ReleaseReply.Queued(true));
		two.acquireAgain(this.key, this.b);
		two.release(this.key, this.b);
		await().until(() -> one.reserved.contains(this.c));
	}

	@Test
	void foreignExchangeGivesNothing() {
		one.acquire(this.key, this.a);
		assertThat(two.releaseAndEnqueue(this.key, this.b, this.c, 8)).isInstanceOf(ReleaseReply.NotOwner.class);
		assertThat(stored().queue()).isEmpty();
	}

	@Test
	void extensionGivesMoreTokensUnlessSomebodyWaits() {
		Granted granted = (Granted) one.acquire(this.key, this.a);
		redis.command("PEXPIRE", record(), "500");
		ExtendReply.Extended more = (ExtendReply.Extended) one.extend(this.key, this.a, 16);
		assertThat(more.firstToken()).isGreaterThan(granted.firstToken());
		assertThat(more.tokens()).isEqualTo(16);
		assertThat(Long.parseLong(redis.command("PTTL", record()).substring(1))).isGreaterThan(9000);
		assertThat(stored().lastToken()).isEqualTo(more.firstToken() + 15);
		two.enqueue(this.key, this.b);
		assertThat(one.extend(this.key, this.a, 16)).isInstanceOf(ExtendReply.Yield.class);
		assertThat(two.extend(this.key, this.b, 16)).isInstanceOf(ExtendReply.NotOwner.class);
	}

	@Test
	void abandonTakesAwayGrantReservationAndQueueEntry() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		one.abandon(this.key, this.a);
		await().until(() -> two.reserved.contains(this.b));
		two.abandon(this.key, this.b);
		assertThat(one.acquire(this.key, this.a)).isInstanceOf(Granted.class);
		two.enqueue(this.key, this.b);
		two.abandon(this.key, this.b);
		assertThat(stored().queue()).isEmpty();
		two.abandon(this.key, this.b);
		assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.RENEWED);
	}

	@Test
	void abandonOfAnOlderAttemptLeavesTheNewerInTheQueue() {
		one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		two.enqueue(this.key, this.c);
		two.abandon(this.key, this.b);
		assertThat(stored().queue()).hasSize(1);
	}

	@Test
	void inspectionTellsAllAndChangesNothing() {
		assertThat(StoreFixture.get(one.store.inspect(this.key, Duration.ofSeconds(1)))).isEmpty();
		Granted granted = (Granted) one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		StoredLock lock = stored();
		assertThat(lock.state()).isEqualTo(State.HELD);
		assertThat(lock.instance()).isEqualTo(one.store.instanceId());
		assertThat(lock.firstToken()).isEqualTo(granted.firstToken());
		assertThat(lock.lastToken()).isEqualTo(granted.firstToken());
		assertThat(lock.remaining()).isBetween(Duration.ofSeconds(9), StoreFixture.TTL);
		assertThat(lock.queue()).singleElement().satisfies((waiter) -> {
			assertThat(waiter.instance()).isEqualTo(two.store.instanceId());
			assertThat(waiter.alive()).isTrue();
			assertThat(Duration.between(waiter.since(), java.time.Instant.now()).abs())
				.isLessThan(Duration.ofSeconds(5));
		});
	}

	@Test
	void forcedReleaseNeedsATokenOfTheGrantTellsTheHolderAndPassesTheLockOn() {
		Granted granted = (Granted) one.acquire(this.key, this.a);
		two.enqueue(this.key, this.b);
		assertThat(StoreFixture.get(two.store.forceRelease(this.key, granted.firstToken() - 1, Duration.ofSeconds(1))))
			.isFalse();
		assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.RENEWED);
		assertThat(StoreFixture.get(two.store.forceRelease(this.key, granted.firstToken(), Duration.ofSeconds(1))))
			.isTrue();
		await().until(() -> one.revoked.contains(this.a) && two.reserved.contains(this.b));
		assertThat(one.renew(this.key, this.a)).isEqualTo(RenewReply.NOT_OWNER);
	}

	@Test
	void recordOfANewerVersionIsAnErrorOfItsOwn() {
		redis.command("SET", record(), "2something new");
		for (Runnable call : java.util.List.<Runnable>of(() -> one.acquire(this.key, this.a),
				() -> one.release(this.key, this.a), () -> one.extend(this.key, this.a, 1),
				() -> one.abandon(this.key, this.a), this::stored)) {
			assertThatExceptionOfType(StoreException.class).isThrownBy(call::run)
				.withMessageContaining("newer version")
				.matches((ex) -> !ex.isRetryable());
		}
		assertThat(one.renew(this.key, this.a)).isInstanceOfSatisfying(RenewReply.Failed.class,
				(failed) -> assertThat(failed.cause()).hasMessageContaining("newer version"));
		assertThat(redis.command("GET", record())).isEqualTo("2something new");
	}

	@Test
	void keyThatHoldsSomethingElseIsAnErrorThatNamesIt() {
		redis.command("RPUSH", record(), "x");
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.acquire(this.key, this.a))
			.withMessageContaining("WRONGTYPE")
			.withMessageContaining("distributed-lock.redis.prefix");
		redis.command("SET", "lock:q:" + this.key.id(), "x");
		redis.command("DEL", record());
		one.acquire(this.key, this.a);
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> two.enqueue(this.key, this.b))
			.withMessageContaining("WRONGTYPE");
		redis.command("SET", record(), redis.command("GET", record()).replaceFirst("^1h", "1w"));
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> one.release(this.key, this.a))
			.withMessageContaining("WRONGTYPE");
	}

	@Test
	void keysThatLookAlikeAreDifferentLocks() {
		LockKey plain = LockKey.of("q", "a");
		LockKey tricky = LockKey.of("q:a");
		assertThat(one.acquire(plain, this.a)).isInstanceOf(Granted.class);
		assertThat(one.acquire(tricky, this.b)).isInstanceOf(Granted.class);
		one.release(plain, this.a);
		one.release(tricky, this.b);
	}

}
