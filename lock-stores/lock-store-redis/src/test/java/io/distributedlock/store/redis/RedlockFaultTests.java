package io.distributedlock.store.redis;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Rule R10: servers that stop answering, answers that get lost, and what is cleaned up
 * after that.
 */
class RedlockFaultTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static final Duration NODE_TIMEOUT = Duration.ofMillis(500);

	/** What is left behind would live for ten. */
	private static final Duration BEFORE_ITS_TTL = Duration.ofSeconds(8);

	private final AttemptId a = AttemptId.random();

	private final List<MuteProxy> proxies = new ArrayList<>();

	private RedlockFixture redlock;

	@BeforeEach
	void start() {
		this.redlock = new RedlockFixture(5);
	}

	@AfterEach
	void stop() {
		this.redlock.close();
		this.proxies.forEach(MuteProxy::close);
	}

	private RedlockLockStore connect() {
		return this.redlock.connect(this.redlock.builder().nodeTimeout(NODE_TIMEOUT));
	}

	/**
	 * Connects through proxies.
	 */
	private RedlockLockStore connectThroughProxies() {
		for (RedisServerProcess server : this.redlock.servers) {
			this.proxies.add(new MuteProxy(server.port()));
		}
		return this.redlock.connect(RedlockLockStore
			.builder(this.proxies.stream().map((proxy) -> StoreFixture.lettuceFactory(proxy.port())).toList())
			.nodeTimeout(NODE_TIMEOUT));
	}

	private static Duration since(long start) {
		return Duration.ofNanos(System.nanoTime() - start);
	}

	/**
	 * Lets all servers know the clock and the scripts: those that never saw a script
	 * cannot ask for it when their answers are lost.
	 */
	private void warmUp(RedlockLockStore store) {
		LockKey warm = LockKey.of("warm");
		AttemptId attempt = AttemptId.random();
		RedlockFixture.hold(store, warm, attempt);
		this.redlock.awaitEverywhere(warm);
		RedlockFixture.abandon(store, warm, attempt);
		await().untilAsserted(() -> {
			for (int i = 0; i < 5; i++) {
				assertThat(this.redlock.record(i, warm)).isEmpty();
			}
		});
	}

	private void awaitNothingLeft() {
		await().atMost(BEFORE_ITS_TTL).untilAsserted(() -> {
			for (int i = 0; i < 5; i++) {
				assertThat(this.redlock.record(i, KEY)).as("record on server " + i).isEmpty();
			}
		});
	}

	@Test
	void aFrozenServerCostsItsTimeoutOnceEvenWhereItsVoteMatters() {
		Duration timeout = Duration.ofSeconds(3);
		RedlockLockStore store = this.redlock.connect(this.redlock.builder().nodeTimeout(timeout));
		RedlockFixture.hold(store, LockKey.of("warm"), this.a);
		// Two are taken and two are free: the fifth decides.
		for (int i = 0; i < 2; i++) {
			this.redlock.server(i)
				.command("SET", "lock:l:" + KEY.id(), "1h" + AttemptId.random() + "0".repeat(32) + "other", "PX",
						"60000");
		}
		this.redlock.server(4).freeze();
		long start = System.nanoTime();
		assertThat(StoreFixture.get(store.acquire(patient(this.a)))).isInstanceOf(Refused.class);
		assertThat(since(start)).isBetween(timeout, timeout.plusSeconds(3));
		List<AttemptId> attempts = new ArrayList<>();
		AtomicInteger refused = new AtomicInteger();
		for (int i = 0; i < 20; i++) {
			AttemptId attempt = AttemptId.random();
			attempts.add(attempt);
			store.acquire(patient(attempt)).thenAccept((reply) -> refused.incrementAndGet());
		}
		// All but the one that finds out whether the server is back.
		await().atMost(timeout.minusMillis(500)).until(() -> refused.get() >= 19);
		this.redlock.server(4).thaw();
		await().until(() -> refused.get() == 20);
		attempts.forEach((attempt) -> RedlockFixture.abandon(store, KEY, attempt));
		await().ignoreExceptions()
			.until(() -> RedlockFixture.acquire(store, KEY, AttemptId.random()) instanceof Granted);
	}

	private static AcquireCommand patient(AttemptId attempt) {
		return new AcquireCommand(KEY, attempt, Duration.ofSeconds(30), 1, false, Duration.ofSeconds(10));
	}

	@Test
	void aFrozenServerDoesNotDelayAMajority() {
		RedlockLockStore store = connect();
		this.redlock.server(1).freeze();
		this.redlock.server(3).freeze();
		int delayed = 0;
		for (int i = 0; i < 50; i++) {
			long start = System.nanoTime();
			AttemptId attempt = AttemptId.random();
			RedlockFixture.hold(store, KEY, attempt);
			assertThat(RedlockFixture.release(store, KEY, attempt)).isEqualTo(new ReleaseReply.Released(false));
			if (since(start).compareTo(NODE_TIMEOUT) >= 0) {
				delayed++;
			}
		}
		// A busy machine may delay one, but not the frozen servers all of them.
		assertThat(delayed).isLessThan(5);
	}

	@Test
	void whatAServerDidNotHearOfIsTakenBackWhenItAnswersAgain() {
		RedlockLockStore store = connect();
		RedlockFixture.hold(store, KEY, this.a);
		this.redlock.awaitEverywhere(KEY);
		this.redlock.server(4).freeze();
		assertThat(RedlockFixture.release(store, KEY, this.a)).isEqualTo(new ReleaseReply.Released(false));
		await().until(() -> store.leftBehind() > 0);
		this.redlock.server(4).thaw();
		await().atMost(BEFORE_ITS_TTL).untilAsserted(() -> assertThat(this.redlock.record(4, KEY)).isEmpty());
		await().untilAsserted(() -> assertThat(store.leftBehind()).isZero());
	}

	@Test
	void aServerThatDidNotHearOfAMinHoldKeepsTheLockForTheRestOfIt() {
		RedlockLockStore store = connect();
		keepWithoutTheLastServer(store, Duration.ofSeconds(30));
		assertThat(this.redlock.record(4, KEY)).startsWith("1h");
		await().atMost(BEFORE_ITS_TTL).untilAsserted(() -> assertThat(this.redlock.record(4, KEY)).startsWith("1c"));
		await().untilAsserted(() -> assertThat(store.leftBehind()).isZero());
		assertThat(RedlockFixture.acquire(connect(), KEY, AttemptId.random())).isInstanceOf(Refused.class);
	}

	@Test
	void aServerThatDidNotHearOfAMinHoldIsFreeWhenItIsOver() {
		RedlockLockStore store = connect();
		keepWithoutTheLastServer(store, Duration.ofMillis(1));
		// Its record would live for ten seconds.
		awaitNothingLeft();
		await().untilAsserted(() -> assertThat(store.leftBehind()).isZero());
	}

	/**
	 * Holds the lock on all servers, and gives it back while one of them is left out.
	 */
	private void keepWithoutTheLastServer(RedlockLockStore store, Duration keepFor) {
		RedlockFixture.hold(store, KEY, this.a);
		this.redlock.awaitEverywhere(KEY);
		await().until(() -> store.leftBehind() == 0);
		this.redlock.server(4).freeze();
		RedlockFixture.hold(store, LockKey.of("warm"), AttemptId.random());
		// Then its time is over, and it is silent.
		await().until(() -> store.leftBehind() == 0);
		store.acquire(RedlockFixture.command(LockKey.of("probe"), AttemptId.random(), 1));
		assertThat(RedlockFixture.release(store, KEY, this.a, keepFor)).isEqualTo(new ReleaseReply.Released(false));
		this.redlock.server(4).thaw();
	}

	@Test
	void anAcquireWhoseAnswersAreLostLeavesNothingBehind() {
		RedlockLockStore store = connectThroughProxies();
		warmUp(store);
		this.proxies.subList(0, 3).forEach(MuteProxy::mute);
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> RedlockFixture.acquire(store, KEY, this.a))
			.matches(StoreException::mayHaveExecuted);
		awaitNothingLeft();
		this.proxies.forEach(MuteProxy::speak);
		await().ignoreExceptions()
			.until(() -> RedlockFixture.acquire(store, KEY, AttemptId.random()) instanceof Granted);
		await().untilAsserted(() -> assertThat(store.leftBehind()).isZero());
	}

	@Test
	void aGrantWhoseTokenIsNotConfirmedDoesNotCountAndIsTakenBack() {
		RedlockLockStore store = connectThroughProxies();
		warmUp(store);
		// All grant it, and none answers when it is to write the token. Only the one
		// whose
		// offer was the highest need not write it, whichever that is.
		String raise = new String(LockScript.RAISE.digest(), StandardCharsets.US_ASCII);
		this.proxies.forEach((proxy) -> proxy.muteFrom(raise));
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> RedlockFixture.acquire(store, KEY, this.a))
			.withMessageContaining("fencing token could not be confirmed")
			.matches(StoreException::mayHaveExecuted);
		awaitNothingLeft();
	}

	@Test
	void aReleaseWhoseAnswersAreLostIsUnknownAndCanBeSentAgain() {
		RedlockLockStore store = connectThroughProxies();
		RedlockFixture.hold(store, KEY, this.a);
		this.proxies.subList(0, 3).forEach(MuteProxy::mute);
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> RedlockFixture.release(store, KEY, this.a))
			.matches(StoreException::mayHaveExecuted);
		this.proxies.forEach(MuteProxy::speak);
		await().ignoreExceptions()
			.untilAsserted(() -> assertThat(RedlockFixture.release(store, KEY, this.a))
				.isInstanceOf(ReleaseReply.NotOwner.class));
		assertThat(RedlockFixture.hold(connect(), KEY, AttemptId.random())).isNotNull();
	}

	@Test
	void aMinorityThatLostTheLockHelpsNobodyToAMajority() {
		RedlockLockStore store = connect();
		RedlockFixture.hold(store, KEY, this.a);
		this.redlock.awaitEverywhere(KEY);
		// As after a jump of their clocks by more than the ttl, or a restart.
		this.redlock.server(0).command("FLUSHALL");
		this.redlock.server(1).command("FLUSHALL");
		RedlockLockStore other = connect();
		for (int i = 0; i < 20; i++) {
			AcquireReply reply = RedlockFixture.acquire(other, KEY, AttemptId.random());
			assertThat(reply).isInstanceOf(Refused.class);
		}
		assertThat(RedlockFixture.release(store, KEY, this.a)).isEqualTo(new ReleaseReply.Released(false));
	}

}
