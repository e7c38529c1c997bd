package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.LockStatistics;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOutcome;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * Who would wait in vain is refused at once.
 */
class SheddingTests extends EngineFixture {

	private static final Duration HOLD = Duration.ofSeconds(1);

	private final ManualTicker ticker = new ManualTicker();

	private final LockEngine shedding = engine(
			(builder) -> builder.store(InMemoryLockServer.create().connect("shedding"))
				.ticker(this.ticker)
				.handoff(1024, Duration.ofSeconds(20)));

	private static LockRequest wanted(Duration waitTime) {
		return stock().withShed(true).withWaitTime(waitTime).withOwner(LockOwner.create("caller"));
	}

	private static LockRequest patient() {
		return stock().withWaitTime(Duration.ofMinutes(1));
	}

	/** Callers come one after the other and hold the lock equally long. */
	private Lease busyFor(int turns) throws Exception {
		Lease held = this.shedding.acquire(wanted(Duration.ofSeconds(10)));
		for (int i = 0; i < turns; i++) {
			CompletableFuture<Lease> next = this.shedding.acquireAsync(wanted(Duration.ofSeconds(10)));
			this.ticker.advance(HOLD);
			held.close();
			held = next.get(5, TimeUnit.SECONDS);
		}
		return held;
	}

	private List<CompletableFuture<Lease>> line(int callers) {
		List<CompletableFuture<Lease>> line = new ArrayList<>();
		for (int i = 0; i < callers; i++) {
			line.add(this.shedding.acquireAsync(patient()));
		}
		return line;
	}

	@Test
	void whoCannotBeServedInItsWaitTimeIsRefusedAtOnceAndToldWhy() throws Exception {
		Lease held = busyFor(20);
		List<CompletableFuture<Lease>> line = line(10);
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.shedding.acquire(wanted(Duration.ofSeconds(10))))
			.satisfies((refused) -> assertThat(refused.reason()).isEqualTo(Reason.PREDICTED_TIMEOUT))
			.withMessageContaining("10 callers of this instance wait already")
			.withMessageContaining("predicted wait 11000ms")
			.withMessageContaining("wait time 10000ms");
		assertThat(this.shedding.tryAcquire(wanted(Duration.ofSeconds(10)))).isEmpty();
		LockStatistics statistics = this.shedding.statistics().get(0);
		assertThat(statistics.refused()).isEqualTo(2);
		assertThat(statistics.shed()).isEqualTo(2);
		// Those that were there before are all served.
		held.close();
		for (CompletableFuture<Lease> waiting : line) {
			waiting.get(5, TimeUnit.SECONDS).close();
		}
	}

	@Test
	void whoCanBeServedIsLetInBehindTheSameLine() throws Exception {
		Lease held = busyFor(20);
		List<CompletableFuture<Lease>> line = line(10);
		CompletableFuture<Lease> patient = this.shedding.acquireAsync(wanted(Duration.ofSeconds(20)));
		assertThat(patient).isNotDone();
		held.close();
		for (CompletableFuture<Lease> waiting : line) {
			waiting.get(5, TimeUnit.SECONDS).close();
		}
		patient.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	void nobodyIsRefusedWithoutTheSetting() throws Exception {
		Lease held = busyFor(20);
		line(10);
		CompletableFuture<Lease> waiting = this.shedding.acquireAsync(stock().withWaitTime(Duration.ofSeconds(5)));
		assertThat(waiting).isNotDone();
		held.close();
	}

	@Test
	void aColdGateLetsEverybodyIn() {
		this.shedding.acquire(wanted(Duration.ofSeconds(10)));
		assertThat(line(100)).noneMatch(CompletableFuture::isDone);
		assertThat(refused(Duration.ofMillis(1))).isFalse();
	}

	@Test
	void theFirstInLineIsLetInHoweverLongHoldsAre() throws Exception {
		Lease held = busyFor(20);
		CompletableFuture<Lease> first = this.shedding.acquireAsync(wanted(Duration.ofMillis(800)));
		assertThat(first).isNotDone();
		held.close();
		first.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	void aWrongPredictionIsCorrectedByTheGrantsThatFollow() throws Exception {
		Lease held = busyFor(100);
		List<CompletableFuture<Lease>> slow = line(10);
		assertThat(refused(Duration.ofSeconds(8))).isTrue();
		// Holds are short from now on.
		for (int i = 0; i < 200; i++) {
			slow.add(this.shedding.acquireAsync(patient()));
			this.ticker.advance(Duration.ofMillis(1));
			held.close();
			held = slow.remove(0).get(5, TimeUnit.SECONDS);
		}
		assertThat(slow).hasSize(10);
		assertThat(refused(Duration.ofSeconds(8))).isFalse();
		held.close();
	}

	@Test
	void aGateThatWasIdleHasForgottenWhatItKnew() throws Exception {
		busyFor(100).close();
		eventually().until(() -> this.shedding.gateCount() == 0);
		this.shedding.acquire(wanted(Duration.ofSeconds(10)));
		line(20);
		assertThat(refused(Duration.ofMillis(100))).isFalse();
	}

	@Test
	void theHolderEntersAgainThoughOthersAreRefused() throws Exception {
		LockOwner owner = LockOwner.create("holder");
		Lease last = busyFor(20);
		CompletableFuture<Lease> next = this.shedding.acquireAsync(wanted(Duration.ofSeconds(10)).withOwner(owner));
		last.close();
		Lease held = next.get(5, TimeUnit.SECONDS);
		line(50);
		assertThat(refused(Duration.ofMillis(100))).isTrue();
		this.shedding.acquire(wanted(Duration.ofMillis(100)).withOwner(owner)).close();
		held.close();
	}

	@Test
	void whoTriesOnceOfManyLocksIsToldThatTheLockIsTakenNotThatItWouldBe() throws Exception {
		Lease held = busyFor(20);
		line(10);
		assertThat(this.shedding.tryAcquireEach(List.of(wanted(Duration.ofSeconds(10))))).singleElement()
			.isInstanceOfSatisfying(LockOutcome.Refused.class,
					(refused) -> assertThat(refused.reason().reason()).isEqualTo(Reason.BUSY));
		held.close();
	}

	@Test
	void strictOrderAndPermitsAreNotPredicted() {
		assertThatIllegalArgumentException().isThrownBy(() -> stock().withShed(true).withFair(true))
			.withMessageContaining("Leave out shed");
		assertThatIllegalArgumentException().isThrownBy(() -> stock().withShed(true).withPermits(2))
			.withMessageContaining("Leave out shed");
	}

	private boolean refused(Duration waitTime) {
		CompletableFuture<Lease> asked = this.shedding.acquireAsync(wanted(waitTime));
		try {
			asked.get(300, TimeUnit.MILLISECONDS);
			return false;
		}
		catch (TimeoutException ex) {
			return false;
		}
		catch (Exception ex) {
			return ex.getCause() instanceof LockNotAcquiredException refusal
					&& refusal.reason() == Reason.PREDICTED_TIMEOUT;
		}
	}

}
