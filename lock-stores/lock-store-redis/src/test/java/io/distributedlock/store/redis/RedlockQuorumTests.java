package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Rule R10: what a majority is needed for, with servers that are gone, that forget, and
 * that hold the lock for others.
 */
class RedlockQuorumTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static final Duration NODE_TIMEOUT = Duration.ofSeconds(1);

	/** What is left behind would live for ten. */
	private static final Duration BEFORE_ITS_TTL = Duration.ofSeconds(8);

	private final AttemptId a = AttemptId.random();

	private final AttemptId b = AttemptId.random();

	private RedlockFixture redlock;

	private RedlockLockStore store;

	@BeforeEach
	void start() {
		this.redlock = new RedlockFixture(5);
		this.store = this.redlock.connect(this.redlock.builder().nodeTimeout(NODE_TIMEOUT));
	}

	@AfterEach
	void stop() {
		this.redlock.close();
	}

	private RedlockLockStore another() {
		return this.redlock.connect(this.redlock.builder().nodeTimeout(NODE_TIMEOUT));
	}

	private void kill(int servers) {
		for (int i = 0; i < servers; i++) {
			this.redlock.server(i).kill();
		}
	}

	private static Duration since(long start) {
		return Duration.ofNanos(System.nanoTime() - start);
	}

	@ParameterizedTest
	@ValueSource(ints = { 0, 1, 2 })
	void allWorksWithAMinorityOfTheServersDown(int down) {
		kill(down);
		long start = System.nanoTime();
		long last = 0;
		for (int i = 0; i < 50; i++) {
			AttemptId attempt = AttemptId.random();
			Granted granted = RedlockFixture.hold(this.store, KEY, attempt);
			assertThat(granted.firstToken()).isGreaterThan(last);
			assertThat(RedlockFixture.renew(this.store, KEY, attempt)).isEqualTo(RenewReply.RENEWED);
			ExtendReply.Extended more = (ExtendReply.Extended) RedlockFixture.extend(this.store, KEY, attempt, 5);
			assertThat(more.firstToken()).isGreaterThan(granted.firstToken());
			last = more.firstToken() + more.tokens() - 1;
			assertThat(RedlockFixture.acquire(this.store, KEY, AttemptId.random())).isInstanceOf(Refused.class);
			assertThat(RedlockFixture.release(this.store, KEY, attempt)).isEqualTo(new ReleaseReply.Released(false));
		}
		// None of the 250 commands waited for a server that is gone.
		assertThat(since(start)).isLessThan(Duration.ofSeconds(5));
		assertThat(StoreFixture.get(this.store.inspect(KEY, RedlockFixture.TIMEOUT))).isEmpty();
	}

	@Test
	void withThreeServersKilledAnAcquireFailsAtOnceAndLeavesNothingBehind() {
		kill(3);
		long start = System.nanoTime();
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedlockFixture.acquire(this.store, KEY, this.a))
			.withMessageContaining("3 of the 5 Redlock servers gave no usable answer, and 3 have to agree")
			.withMessageContaining("127.0.0.1:" + this.redlock.server(0).port())
			.matches(StoreException::isRetryable);
		assertThat(since(start)).isLessThan(NODE_TIMEOUT.plusSeconds(3));
		awaitNothingLeftOn(3, 4);
		for (int i = 0; i < 3; i++) {
			this.redlock.server(i).restart();
		}
		await().ignoreExceptions().until(() -> RedlockFixture.acquire(this.store, KEY, this.b) instanceof Granted);
		assertThat(RedlockFixture.release(this.store, KEY, this.b)).isEqualTo(new ReleaseReply.Released(false));
		awaitNothingLeftOn(0, 1, 2, 3, 4);
	}

	@Test
	void withThreeServersFrozenAnAcquireFailsInTimeAndLeavesNothingBehind() {
		RedlockFixture.hold(this.store, LockKey.of("warm"), AttemptId.random());
		for (int i = 0; i < 3; i++) {
			this.redlock.server(i).freeze();
		}
		long start = System.nanoTime();
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedlockFixture.acquire(this.store, KEY, this.a))
			.matches(StoreException::isRetryable)
			.matches(StoreException::mayHaveExecuted);
		assertThat(since(start)).isBetween(NODE_TIMEOUT, NODE_TIMEOUT.plusSeconds(3));
		awaitNothingLeftOn(3, 4);
		for (int i = 0; i < 3; i++) {
			this.redlock.server(i).thaw();
		}
		// Had it been executed there at last, it would live for ten seconds.
		awaitNothingLeftOn(0, 1, 2, 3, 4);
		await().ignoreExceptions().until(() -> RedlockFixture.acquire(this.store, KEY, this.b) instanceof Granted);
	}

	private void awaitNothingLeftOn(int... servers) {
		await().atMost(BEFORE_ITS_TTL).untilAsserted(() -> {
			for (int server : servers) {
				assertThat(this.redlock.record(server, KEY)).as("record on server " + server).isEmpty();
			}
		});
	}

	@Test
	void theShorterTimeoutOfTheCommandCounts() {
		RedlockLockStore patient = this.redlock.connect(this.redlock.builder().nodeTimeout(Duration.ofSeconds(10)));
		this.redlock.servers.subList(0, 3).forEach((server) -> server.freeze());
		long start = System.nanoTime();
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(patient
			.acquire(new AcquireCommand(KEY, this.a, RedlockFixture.TTL, 1, false, Duration.ofMillis(300)))));
		assertThat(since(start)).isLessThan(Duration.ofSeconds(5));
	}

	@Test
	void aServerRestartedEmptyDoesNotLowerTheToken() {
		// Far above the clock, so that only marks can keep tokens from falling.
		long future = System.currentTimeMillis() * 1000 + 3_600_000_000L;
		this.redlock.servers.forEach((server) -> server.command("SET", "lock:mark", String.valueOf(future)));
		long last = future;
		for (int restarted = 0; restarted < 5; restarted++) {
			this.redlock.server(restarted).kill();
			this.redlock.server(restarted).restart();
			AttemptId attempt = AttemptId.random();
			// Its token is written back to each server that grants it. With fewer than
			// four, the next restart could
			// leave a quorum that does not know it.
			Granted granted = await().ignoreExceptions().until(() -> {
				Granted got = RedlockFixture.hold(this.store, KEY, attempt);
				boolean everywhere = IntStream.range(0, 5)
					.allMatch((server) -> this.redlock.mark(server) >= got.firstToken());
				return everywhere ? got : null;
			}, java.util.Objects::nonNull);
			assertThat(granted.firstToken()).isGreaterThan(last);
			last = granted.firstToken();
			RedlockFixture.release(this.store, KEY, attempt);
			awaitNothingLeftOn(0, 1, 2, 3, 4);
		}
	}

	@Test
	void theTokenIsAboveTheHighestMarkAndWrittenBackToAMajority() {
		long future = System.currentTimeMillis() * 1000 + 3_600_000_000L;
		this.redlock.server(4).command("SET", "lock:mark", String.valueOf(future));
		// Without these two the quorum has to include server 4.
		this.redlock.server(0).kill();
		this.redlock.server(1).kill();
		Granted granted = RedlockFixture.hold(this.store, KEY, this.a);
		assertThat(granted.firstToken()).isEqualTo(future + 1);
		assertThat(List.of(this.redlock.mark(2), this.redlock.mark(3), this.redlock.mark(4)))
			.containsOnly(future + granted.tokens());
		RedlockFixture.release(this.store, KEY, this.a);
		this.redlock.server(4).kill();
		this.redlock.server(0).restart();
		Granted next = await().ignoreExceptions()
			.until(() -> RedlockFixture.hold(another(), KEY, AttemptId.random()), java.util.Objects::nonNull);
		assertThat(next.firstToken()).isGreaterThan(granted.firstToken());
	}

	@Test
	void whatDoesNotPassByItselfIsNotRetryable() {
		this.redlock.servers.subList(0, 3).forEach((server) -> server.command("SET", "lock:mark", "spoilt"));
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedlockFixture.acquire(this.store, KEY, this.a))
			.withMessageContaining("lock:mark")
			.matches((ex) -> !ex.isRetryable());
		awaitNothingLeftOn(0, 1, 2, 3, 4);
	}

	@Test
	void aGrantLivesWithItsMajorityAndARenewalNeverMakesItAgain() {
		RedlockFixture.hold(this.store, KEY, this.a);
		this.redlock.awaitEverywhere(KEY);
		forget(0);
		forget(1);
		assertThat(RedlockFixture.renew(this.store, KEY, this.a)).isEqualTo(RenewReply.RENEWED);
		assertThat(this.redlock.record(0, KEY)).isEmpty();
		assertThat(this.redlock.record(1, KEY)).isEmpty();
		assertThat(RedlockFixture.acquire(another(), KEY, this.b)).isInstanceOf(Refused.class);
		forget(2);
		assertThat(RedlockFixture.renew(this.store, KEY, this.a)).isEqualTo(RenewReply.NOT_OWNER);
		// The minority that still has it is told.
		awaitNothingLeftOn(0, 1, 2, 3, 4);
	}

	@Test
	void aRenewalOrReleaseThatTooFewAnswerIsUnknown() {
		RedlockFixture.hold(this.store, KEY, this.a);
		kill(3);
		assertThat(RedlockFixture.renew(this.store, KEY, this.a)).isInstanceOfSatisfying(RenewReply.Failed.class,
				(failed) -> assertThat(failed.cause().mayHaveExecuted()).isTrue());
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedlockFixture.extend(this.store, KEY, this.a, 5))
			.matches(StoreException::mayHaveExecuted);
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedlockFixture.release(this.store, KEY, this.a))
			.withMessageContaining("could not be given back")
			.matches(StoreException::mayHaveExecuted);
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> RedlockFixture.abandon(this.store, KEY, this.a));
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> StoreFixture.get(this.store.inspect(KEY, RedlockFixture.TIMEOUT)));
		assertThatExceptionOfType(StoreException.class)
			.isThrownBy(() -> StoreFixture.get(this.store.forceRelease(KEY, 1, RedlockFixture.TIMEOUT)));
	}

	@Test
	void aReleaseOfWhatOnlyAMinorityHasIsALoss() {
		RedlockFixture.hold(this.store, KEY, this.a);
		this.redlock.awaitEverywhere(KEY);
		forget(0);
		forget(1);
		forget(2);
		assertThat(RedlockFixture.release(this.store, KEY, this.a)).isEqualTo(new ReleaseReply.NotOwner());
		awaitNothingLeftOn(0, 1, 2, 3, 4);
	}

	@Test
	void whatAMinoritySplitsIsRefusedAndTakenBackAndTheSameAttemptGetsItLater() {
		occupy(0, "other");
		occupy(1, "other");
		occupy(2, "other");
		Refused refused = (Refused) RedlockFixture.acquire(this.store, KEY, this.a);
		assertThat(refused.holder()).isEqualTo("other");
		assertThat(refused.freeIn()).isBetween(Duration.ofSeconds(50), Duration.ofSeconds(60));
		awaitNothingLeftOn(3, 4);
		forget(0);
		forget(1);
		forget(2);
		Granted granted = RedlockFixture.hold(this.store, KEY, this.a);
		// What is taken back late must not hit this grant.
		assertThat(this.redlock.record(3, KEY)).doesNotContain(this.a.toString());
		assertThat(RedlockFixture.renew(this.store, KEY, this.a)).isEqualTo(RenewReply.RENEWED);
		assertThat(StoreFixture.get(this.store.inspect(KEY, RedlockFixture.TIMEOUT)).map(StoredLock::firstToken))
			.contains(granted.firstToken());
		assertThat(RedlockFixture.extend(this.store, KEY, this.a, 3)).isInstanceOf(ExtendReply.Extended.class);
		assertThat(RedlockFixture.release(this.store, KEY, this.a)).isEqualTo(new ReleaseReply.Released(false));
		awaitNothingLeftOn(0, 1, 2, 3, 4);
	}

	@Test
	void aSplitVoteIsTriedAgainWhileThereIsTime() {
		// Nobody has a majority: two for one, one for another, two free.
		occupy(0, "one");
		occupy(1, "one");
		occupy(2, "other");
		long start = System.nanoTime();
		assertThat(RedlockFixture.acquire(this.store, KEY, this.a)).isInstanceOf(Refused.class);
		assertThat(since(start)).as("three random pauses").isGreaterThan(Duration.ofNanos(900_000));
		occupy(0, "one", 3);
		occupy(1, "one", 3);
		occupy(2, "other", 3);
		await().until(() -> RedlockFixture.acquire(this.store, KEY, this.a) instanceof Granted);
	}

	@Test
	void aMinorityThatIsKeptDoesNotKeepTheLock() {
		RedlockFixture.hold(this.store, KEY, this.a);
		this.redlock.awaitEverywhere(KEY);
		assertThat(RedlockFixture.release(this.store, KEY, this.a, Duration.ofSeconds(30)))
			.isEqualTo(new ReleaseReply.Released(false));
		assertThat(StoreFixture.get(this.store.inspect(KEY, RedlockFixture.TIMEOUT)).map(StoredLock::state))
			.contains(StoredLock.State.COOLING);
		assertThat(RedlockFixture.acquire(another(), KEY, this.b)).isInstanceOf(Refused.class);
		await().untilAsserted(() -> assertThat(IntStream.range(0, 5))
			.allSatisfy((server) -> assertThat(this.redlock.record(server, KEY)).startsWith("1c")));
		forget(0);
		forget(1);
		forget(2);
		assertThat(StoreFixture.get(this.store.inspect(KEY, RedlockFixture.TIMEOUT))).isEmpty();
		assertThat(RedlockFixture.acquire(another(), KEY, this.b)).isInstanceOf(AcquireReply.Granted.class);
	}

	private void forget(int server) {
		this.redlock.server(server).command("DEL", "lock:l:" + KEY.id());
	}

	private void occupy(int server, String instance) {
		occupy(server, instance, 60_000);
	}

	private void occupy(int server, String instance, long millis) {
		this.redlock.server(server)
			.command("SET", "lock:l:" + KEY.id(), "1h" + AttemptId.random() + "0".repeat(32) + instance, "PX",
					String.valueOf(millis));
	}

}
