package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockRequest;
import io.distributedlock.test.ManualTicker;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Three JVMs shed callers of one key. Each knows only its own line, but the time from one
 * of its turns to the next holds the turns of the others. Time passes only by hand, so
 * that what is foretold can be compared with what comes true.
 */
class SheddingOverJvmsTests extends EngineFixture {

	private static final int LINE = 8;

	private static final Duration HOLD = Duration.ofSeconds(1);

	private static final Duration ROUND = HOLD.multipliedBy(3);

	private final ManualTicker ticker = new ManualTicker();

	private final List<LockEngine> jvms = IntStream.range(0, 3)
		.mapToObj((i) -> engine((builder) -> builder.store(this.server.connect("shedding-" + i)).ticker(this.ticker)))
		.toList();

	private final List<Caller> waiting = new ArrayList<>();

	private @Nullable Lease held;

	private record Caller(LockEngine jvm, CompletableFuture<Lease> lease, long since) {
	}

	private static LockRequest shed(Duration waitTime) {
		// A ttl that needs no renewal, which would not keep up with a clock that leaps.
		return stock().withShed(true).withWaitTime(waitTime).withTtl(Duration.ofMinutes(50));
	}

	private Caller comes(LockEngine jvm) {
		int before = waiters(jvm);
		Caller caller = new Caller(jvm, jvm.acquireAsync(shed(Duration.ofHours(1))), this.ticker.nanoTime());
		eventually().until(() -> waiters(jvm) > before);
		this.waiting.add(caller);
		return caller;
	}

	/** The holder ends, and the next one comes to hold the lock. */
	private Caller turn(Duration hold) throws Exception {
		this.ticker.advance(hold);
		Objects.requireNonNull(this.held).release();
		eventually().until(() -> this.waiting.stream().anyMatch((caller) -> caller.lease.isDone()));
		Caller next = this.waiting.stream().filter((caller) -> caller.lease.isDone()).findFirst().orElseThrow();
		this.waiting.remove(next);
		this.held = next.lease.get(10, TimeUnit.SECONDS);
		return next;
	}

	/** Whoever is served is followed by another one of the same JVM. */
	private void busyFor(int turns, Duration hold) throws Exception {
		for (int i = 0; i < turns; i++) {
			comes(turn(hold).jvm);
		}
	}

	private void linesAt(List<LockEngine> busy) {
		this.held = busy.get(0).acquireAsync(shed(Duration.ofHours(1))).join();
		for (int i = 0; i < LINE; i++) {
			busy.forEach(this::comes);
		}
	}

	private boolean isRefused(LockEngine jvm, Duration waitTime) {
		int before = waiters(jvm);
		CompletableFuture<Lease> asked = jvm.acquireAsync(shed(waitTime));
		eventually().until(() -> asked.isDone() || waiters(jvm) > before);
		if (!asked.isDone()) {
			asked.cancel(false);
			eventually().until(() -> waiters(jvm) == before);
			return false;
		}
		assertThat(asked.handle((lease, thrown) -> thrown).join()).isInstanceOfSatisfying(
				LockNotAcquiredException.class,
				(refused) -> assertThat(refused.reason()).isEqualTo(Reason.PREDICTED_TIMEOUT));
		return true;
	}

	/** Returns how long a caller that comes now really waits. */
	private Duration truth(LockEngine jvm, Duration hold) throws Exception {
		Caller witness = comes(jvm);
		Caller served = turn(hold);
		while (served != witness) {
			comes(served.jvm);
			served = turn(hold);
		}
		return Duration.ofNanos(this.ticker.nanoTime() - witness.since);
	}

	@Test
	void whoIsRefusedCouldNotHaveBeenServedAndWhoCouldIsLetIn() throws Exception {
		linesAt(this.jvms);
		busyFor(90, HOLD);
		for (LockEngine jvm : this.jvms) {
			List<Duration> refused = new ArrayList<>();
			List<Duration> admitted = new ArrayList<>();
			for (int seconds = 2; seconds <= 60; seconds += 2) {
				Duration waitTime = Duration.ofSeconds(seconds);
				(isRefused(jvm, waitTime) ? refused : admitted).add(waitTime);
			}
			Duration truth = truth(jvm, HOLD);
			assertThat(truth).isGreaterThan(HOLD.multipliedBy(LINE * 2));
			// An eighth of the wait time is kept as a margin.
			assertThat(refused).isNotEmpty()
				.allSatisfy((waitTime) -> assertThat(waitTime.multipliedBy(7).dividedBy(8))
					.isLessThanOrEqualTo(truth.plus(ROUND)));
			assertThat(admitted).isNotEmpty()
				.allSatisfy((waitTime) -> assertThat(waitTime).isGreaterThanOrEqualTo(truth.minus(ROUND)));
		}
	}

	@Test
	void whenTheOtherJvmsHaveGoneTheEstimateFollowsWithinItsMemory() throws Exception {
		LockEngine stays = this.jvms.get(0);
		linesAt(this.jvms);
		busyFor(90, HOLD);
		Duration enough = HOLD.multipliedBy(2 * LINE);
		assertThat(isRefused(stays, enough)).isTrue();
		this.waiting.removeIf((caller) -> caller.jvm != stays && caller.lease.cancel(false));
		eventually().until(
				() -> this.waiting.size() == LINE && this.jvms.stream().skip(1).allMatch((jvm) -> waiters(jvm) == 0));
		busyFor(2 * ServiceRate.MEMORY, HOLD);
		assertThat(isRefused(stays, enough)).isFalse();
		assertThat(truth(stays, HOLD)).isLessThan(enough);
	}

	@Test
	void afterASlowPhaseTheEstimateRecovers() throws Exception {
		linesAt(this.jvms);
		busyFor(60, HOLD.multipliedBy(10));
		Duration enough = ROUND.multipliedBy(2 * LINE);
		assertThat(this.jvms).allMatch((jvm) -> isRefused(jvm, enough));
		// A JVM counts its own turns, of which there is one in three.
		busyFor(3 * 4 * ServiceRate.MEMORY, HOLD);
		assertThat(this.jvms).noneMatch((jvm) -> isRefused(jvm, enough));
		assertThat(truth(this.jvms.get(0), HOLD)).isLessThan(enough);
	}

	@Test
	void aJvmThatIsNewLetsCallersInUntilItHasSeenEnoughTurns() throws Exception {
		LockEngine late = this.jvms.get(2);
		linesAt(this.jvms.subList(0, 2));
		busyFor(40, HOLD);
		for (int i = 0; i < LINE; i++) {
			comes(late);
		}
		assertThat(isRefused(late, HOLD)).isFalse();
		busyFor(3 * (ServiceRate.ENOUGH + 2), HOLD);
		assertThat(isRefused(late, HOLD)).isTrue();
	}

}
