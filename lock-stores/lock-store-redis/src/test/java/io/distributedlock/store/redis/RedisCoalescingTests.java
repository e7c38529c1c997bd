package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Rule R8: operations that meet go out together, and do not harm each other.
 */
class RedisCoalescingTests {

	private static final int THREADS = 64;

	private static final int ROUNDS = 50;

	private RedisServerProcess redis;

	private StoreFixture one;

	@BeforeEach
	void start() {
		this.redis = RedisServerProcess.start();
		this.one = StoreFixture.lettuce(this.redis.port());
		this.one.acquire(LockKey.of("warm"), AttemptId.random());
		this.redis.command("CONFIG", "RESETSTAT");
	}

	@AfterEach
	void stop() {
		this.one.close();
		this.redis.close();
	}

	private long calls(String command) {
		Matcher matcher = Pattern.compile("cmdstat_" + command + ":calls=(\\d+)")
			.matcher(this.redis.command("INFO", "commandstats"));
		return matcher.find() ? Long.parseLong(matcher.group(1)) : 0;
	}

	/**
	 * Lets no call be answered before all operations have been given, so that they meet
	 * however fast Redis is.
	 */
	private void whileRedisIsHeld(Runnable operations) {
		this.redis.command("CLIENT", "PAUSE", "60000", "WRITE");
		operations.run();
		this.redis.command("CLIENT", "UNPAUSE");
	}

	@Test
	void manyThreadsOnKeysOfTheirOwnNeedFewerScriptCallsThanOperations() throws Exception {
		ExecutorService threads = Executors.newFixedThreadPool(THREADS);
		List<Future<?>> done = new ArrayList<>();
		for (int i = 0; i < THREADS; i++) {
			LockKey key = LockKey.of("own", i);
			done.add(threads.submit(() -> {
				for (int round = 0; round < ROUNDS; round++) {
					AttemptId attempt = AttemptId.random();
					assertThat(this.one.acquire(key, attempt)).isInstanceOf(Granted.class);
					assertThat(this.one.release(key, attempt)).isEqualTo(new ReleaseReply.Released(false));
				}
			}));
		}
		for (Future<?> future : done) {
			future.get();
		}
		threads.shutdown();
		assertThat(calls("evalsha")).isLessThan(2L * THREADS * ROUNDS / 2);
		// The mark, and the lock that nobody gave back.
		assertThat(this.redis.command("DBSIZE")).isEqualTo(":2");
	}

	@Test
	void loneCallerNeedsOneCallForEachOperation() {
		for (int i = 0; i < 20; i++) {
			AttemptId attempt = AttemptId.random();
			this.one.acquire(LockKey.of("alone"), attempt);
			this.one.release(LockKey.of("alone"), attempt);
		}
		assertThat(calls("evalsha")).isEqualTo(40);
		assertThat(calls("del")).isEqualTo(20);
	}

	@Test
	void keyThatHoldsSomethingElseFailsOnlyItsOwnOperation() {
		this.redis.command("RPUSH", "lock:l:mixed:7", "no lock");
		List<CompletionStage<AcquireReply>> stages = new ArrayList<>();
		whileRedisIsHeld(() -> {
			for (int i = 0; i < 20; i++) {
				stages.add(this.one.store
					.acquire(StoreFixture.command(LockKey.of("mixed", i), AttemptId.random(), 1, false)));
			}
		});
		for (int i = 0; i < 20; i++) {
			CompletionStage<AcquireReply> stage = stages.get(i);
			if (i == 7) {
				assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(stage))
					.withMessageContaining("WRONGTYPE");
			}
			else {
				assertThat(StoreFixture.get(stage)).isInstanceOf(Granted.class);
			}
		}
		assertThat(calls("evalsha")).isLessThan(20);
	}

	@Test
	void acquiresAndReleasesOfAllKindsMeetInOneCallAndEachHasItsOwnAnswer() {
		try (StoreFixture two = StoreFixture.lettuce(this.redis.port()).awaitSignals("two")) {
			AttemptId mine = AttemptId.random();
			for (String held : List.of("plain", "kept", "passed", "busy")) {
				this.one.acquire(LockKey.of(held), mine);
			}
			assertThat(((AcquireReply.Refused) two.enqueue(LockKey.of("passed"), AttemptId.random())).queued())
				.isTrue();
			this.redis.command("RPUSH", "lock:l:odd", "no lock");
			this.redis.command("CONFIG", "RESETSTAT");
			List<CompletionStage<?>> stages = new ArrayList<>();
			// Keep the lane busy until all have been given, so that the others meet.
			this.redis.command("CLIENT", "PAUSE", "60000", "WRITE");
			for (int i = 0; i < 2; i++) {
				stages.add(this.one.store.acquire(StoreFixture.command(LockKey.of("first", i), mine, 1, false)));
			}
			CompletionStage<ReleaseReply> plain = release("plain", mine, Duration.ZERO);
			CompletionStage<AcquireReply> one = acquire("free", 1, StoreFixture.TTL);
			CompletionStage<ReleaseReply> kept = release("kept", mine, Duration.ofSeconds(5));
			CompletionStage<AcquireReply> block = acquire("block", 7, StoreFixture.TTL);
			CompletionStage<ReleaseReply> passed = release("passed", mine, Duration.ZERO);
			CompletionStage<AcquireReply> shorter = acquire("shorter", 1, Duration.ofSeconds(3));
			CompletionStage<AcquireReply> busy = acquire("busy", 1, StoreFixture.TTL);
			CompletionStage<ReleaseReply> notMine = release("busy", AttemptId.random(), Duration.ZERO);
			CompletionStage<AcquireReply> odd = acquire("odd", 1, StoreFixture.TTL);
			this.redis.command("CLIENT", "UNPAUSE");
			assertThat(StoreFixture.get(plain)).isEqualTo(new ReleaseReply.Released(false));
			assertThat(StoreFixture.get(kept)).isEqualTo(new ReleaseReply.Released(false));
			assertThat(StoreFixture.get(passed)).isEqualTo(new ReleaseReply.Released(true));
			assertThat(StoreFixture.get(notMine)).isInstanceOf(ReleaseReply.NotOwner.class);
			assertThat(((Granted) StoreFixture.get(one)).tokens()).isOne();
			assertThat(((Granted) StoreFixture.get(block)).tokens()).isEqualTo(7);
			assertThat(StoreFixture.get(shorter)).isInstanceOf(Granted.class);
			assertThat(((AcquireReply.Refused) StoreFixture.get(busy)).holder()).isEqualTo(this.one.store.instanceId());
			assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(odd))
				.withMessageContaining("WRONGTYPE");
			stages.forEach(StoreFixture::get);
			assertThat(calls("evalsha")).isLessThanOrEqualTo(4);
			assertThat(ttl("free")).isBetween(5000L, 10_000L);
			assertThat(ttl("shorter")).isBetween(1L, 3000L);
			assertThat(ttl("kept")).isBetween(1L, 5000L);
			assertThat(ttl("plain")).isEqualTo(-2);
			assertThat(ttl("busy")).isPositive();
			assertThat(Long.parseLong(this.redis.command("GET", "lock:mark")))
				.isGreaterThanOrEqualTo(((Granted) StoreFixture.get(block)).firstToken() + 6);
		}
	}

	private CompletionStage<AcquireReply> acquire(String key, int tokens, Duration ttl) {
		return this.one.store
			.acquire(new AcquireCommand(LockKey.of(key), AttemptId.random(), ttl, tokens, false, StoreFixture.TIMEOUT));
	}

	private CompletionStage<ReleaseReply> release(String key, AttemptId attempt, Duration keepFor) {
		return this.one.store.release(new ReleaseCommand(LockKey.of(key), attempt, keepFor, StoreFixture.TIMEOUT));
	}

	private long ttl(String key) {
		return Long.parseLong(this.redis.command("PTTL", "lock:l:" + key).substring(1));
	}

	@Test
	void operationThatBreaksTheScriptIsFoundBySendingEachAlone() {
		// All keys but those of lock 7; Redis refuses a whole script for one of them.
		this.redis.command("ACL", "SETUSER", "default", "resetkeys", "~lock:mark", "~lock:?:mixed:[0-6]",
				"~lock:?:mixed:[89]", "~lock:?:mixed:1?");
		List<CompletionStage<AcquireReply>> stages = new ArrayList<>();
		whileRedisIsHeld(() -> {
			for (int i = 0; i < 20; i++) {
				stages.add(this.one.store
					.acquire(StoreFixture.command(LockKey.of("mixed", i), AttemptId.random(), 1, false)));
			}
		});
		for (int i = 0; i < 20; i++) {
			CompletionStage<AcquireReply> stage = stages.get(i);
			if (i == 7) {
				assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(stage))
					.withMessageContaining("docs/redis-acl.md");
			}
			else {
				assertThat(StoreFixture.get(stage)).isInstanceOf(Granted.class);
			}
		}
	}

	@Test
	void tokensOfEachKeyRiseAndTheMarkIsAboveAll() {
		long[] last = new long[300];
		for (int round = 0; round < 2; round++) {
			List<CompletionStage<AcquireReply>> stages = new ArrayList<>();
			AttemptId attempt = AttemptId.random();
			for (int i = 0; i < last.length; i++) {
				stages.add(this.one.store
					.acquire(StoreFixture.command(LockKey.of("token", i), attempt, 1 + i % 5, false)));
			}
			for (int i = 0; i < last.length; i++) {
				Granted granted = (Granted) StoreFixture.get(stages.get(i));
				assertThat(granted.tokens()).isEqualTo(1 + i % 5);
				assertThat(granted.firstToken()).isGreaterThan(last[i]);
				last[i] = granted.firstToken() + granted.tokens() - 1;
				this.one.release(LockKey.of("token", i), attempt);
			}
			assertThat(Long.parseLong(this.redis.command("GET", "lock:mark")))
				.isGreaterThanOrEqualTo(Arrays.stream(last).max().orElseThrow());
		}
	}

	@Test
	void oneKeyThatIsAskedForTwiceInOneCallIsGrantedOnce() {
		LockKey key = LockKey.of("twice");
		List<CompletionStage<AcquireReply>> stages = new ArrayList<>();
		whileRedisIsHeld(() -> {
			for (int i = 0; i < 50; i++) {
				stages.add(this.one.store.acquire(StoreFixture.command(key, AttemptId.random(), 3, false)));
			}
		});
		assertThat(stages.stream().map(StoreFixture::get).filter(Granted.class::isInstance)).hasSize(1);
	}

	@Test
	void manyRenewalsGoInBatchesAndEachHasItsOwnAnswer() {
		List<RenewCommand> commands = new ArrayList<>();
		for (int i = 0; i < 1000; i++) {
			AttemptId attempt = AttemptId.random();
			LockKey key = LockKey.of("lease", i);
			if (i % 10 != 0) {
				this.one.store.acquire(StoreFixture.command(key, attempt, 1, false));
			}
			commands.add(new RenewCommand(key, attempt, Duration.ofSeconds(30), StoreFixture.TIMEOUT));
		}
		this.one.acquire(LockKey.of("last"), AttemptId.random());
		this.redis.command("CONFIG", "RESETSTAT");
		List<RenewReply> replies = StoreFixture.get(this.one.store.renew(commands));
		for (int i = 0; i < 1000; i++) {
			assertThat(replies.get(i)).isEqualTo((i % 10 != 0) ? RenewReply.RENEWED : RenewReply.NOT_OWNER);
		}
		assertThat(calls("evalsha")).isLessThanOrEqualTo(1 + 1000 / Lane.MOST_PER_CALL);
	}

}
