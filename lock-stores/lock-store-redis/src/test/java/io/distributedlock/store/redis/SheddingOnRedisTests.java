package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Three JVMs over one Redis shed callers of one key. The engines' time passes only by
 * hand, so that what is foretold can be compared with what comes true.
 */
class SheddingOnRedisTests {

	private static final int LINE = 6;

	private static final Duration HOLD = Duration.ofSeconds(1);

	private static final Duration ROUND = HOLD.multipliedBy(3);

	private final ManualTicker ticker = new ManualTicker();

	private final List<LockEngine> jvms = new ArrayList<>();

	private final List<Caller> waiting = new ArrayList<>();

	private RedisServerProcess redis;

	private record Caller(LockEngine jvm, CompletableFuture<Lease> lease) {
	}

	@BeforeEach
	void start() {
		this.redis = RedisServerProcess.start();
		for (int i = 0; i < 3; i++) {
			RedisLockStore store = RedisLockStore.builder(StoreFixture.lettuceFactory(this.redis.port()))
				.instanceId("jvm-" + i)
				.build();
			this.jvms.add(LockEngine.builder().store(store).ticker(this.ticker).build());
		}
	}

	@AfterEach
	void stop() {
		this.jvms.forEach(LockEngine::close);
		this.redis.close();
	}

	private static LockRequest shed(Duration waitTime) {
		return LockRequest.of("stock", 42)
			.withShed(true)
			.withWaitTime(waitTime)
			// Needs no renewal, which would not keep up with a clock that leaps.
			.withTtl(Duration.ofMinutes(50));
	}

	private static int waiters(LockEngine jvm) {
		return jvm.waiting().stream().mapToInt(WaitedLock::waiters).sum();
	}

	private Caller comes(LockEngine jvm) {
		int before = waiters(jvm);
		Caller caller = new Caller(jvm, jvm.acquireAsync(shed(Duration.ofHours(1))));
		await().pollInterval(Duration.ofMillis(2)).until(() -> waiters(jvm) > before);
		this.waiting.add(caller);
		return caller;
	}

	private Lease turn(Lease held) throws Exception {
		this.ticker.advance(HOLD);
		held.release();
		await().pollInterval(Duration.ofMillis(2))
			.until(() -> this.waiting.stream().anyMatch((caller) -> caller.lease.isDone()));
		Caller next = this.waiting.stream().filter((caller) -> caller.lease.isDone()).findFirst().orElseThrow();
		this.waiting.remove(next);
		Lease lease = next.lease.get(10, TimeUnit.SECONDS);
		comes(next.jvm);
		return lease;
	}

	private boolean isRefused(LockEngine jvm, Duration waitTime) {
		int before = waiters(jvm);
		CompletableFuture<Lease> asked = jvm.acquireAsync(shed(waitTime));
		await().pollInterval(Duration.ofMillis(2)).until(() -> asked.isDone() || waiters(jvm) > before);
		if (!asked.isDone()) {
			asked.cancel(false);
			await().pollInterval(Duration.ofMillis(2)).until(() -> waiters(jvm) == before);
			return false;
		}
		assertThat(asked.handle((lease, thrown) -> thrown).join()).isInstanceOfSatisfying(
				LockNotAcquiredException.class,
				(refused) -> assertThat(refused.reason()).isEqualTo(Reason.PREDICTED_TIMEOUT));
		return true;
	}

	@Test
	void whoIsRefusedCouldNotHaveBeenServedAndWhoCouldIsLetIn() throws Exception {
		Lease held = this.jvms.get(0).acquireAsync(shed(Duration.ofHours(1))).get(10, TimeUnit.SECONDS);
		for (int i = 0; i < LINE; i++) {
			this.jvms.forEach(this::comes);
		}
		for (int i = 0; i < 60; i++) {
			held = turn(held);
		}
		LockEngine jvm = this.jvms.get(1);
		List<Duration> refused = new ArrayList<>();
		List<Duration> admitted = new ArrayList<>();
		for (int seconds = 2; seconds <= 60; seconds += 2) {
			Duration waitTime = Duration.ofSeconds(seconds);
			(isRefused(jvm, waitTime) ? refused : admitted).add(waitTime);
		}
		CompletableFuture<Lease> witness = comes(jvm).lease;
		long asked = this.ticker.nanoTime();
		while (!witness.isDone()) {
			held = turn(held);
		}
		Duration truth = Duration.ofNanos(this.ticker.nanoTime() - asked);
		held.release();
		// Alone, it would be a turn for each in its own line.
		assertThat(truth).isGreaterThan(HOLD.multipliedBy(LINE * 2));
		assertThat(refused).isNotEmpty()
			.allSatisfy((waitTime) -> assertThat(waitTime.multipliedBy(7).dividedBy(8))
				.isLessThanOrEqualTo(truth.plus(ROUND)));
		assertThat(admitted).isNotEmpty()
			.allSatisfy((waitTime) -> assertThat(waitTime).isGreaterThanOrEqualTo(truth.minus(ROUND)));
	}

}
