package io.distributedlock.test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

/**
 * What the contract cannot ask of every store: behaviour at exact moments, memory, and
 * clocks that jump.
 */
class InMemoryLockServerTests {

	private static final Duration TTL = Duration.ofSeconds(10);

	private static final Duration TIMEOUT = Duration.ofSeconds(1);

	private static final Instant START = Instant.parse("2026-11-20T12:00:00Z");

	private final LockKey key = LockKey.of("stock", 42);

	private final ManualTicker ticker = new ManualTicker();

	private Instant wallClock = START;

	private final InMemoryLockServer server = InMemoryLockServer.builder()
		.ticker(this.ticker)
		.wallClock(() -> this.wallClock)
		.build();

	private final InMemoryLockStore first = this.server.connect("jvm-1");

	private final InMemoryLockStore second = this.server.connect("jvm-2");

	private final AttemptId one = AttemptId.random();

	private final AttemptId two = AttemptId.random();

	@Test
	void aGrantEndsExactlyAfterItsTtl() {
		acquire(this.first, this.one);
		this.ticker.advance(TTL.minusNanos(1));
		assertThat(acquire(this.second, this.two)).isEqualTo(new Refused("jvm-1", Duration.ofNanos(1), false));
		this.ticker.advance(Duration.ofNanos(1));
		assertThat(acquire(this.second, this.two)).isInstanceOf(Granted.class);
	}

	@Test
	void aReservationEndsExactlyAfterItsTimeAndWhoeverAsksFirstGetsTheLock() {
		Signals signals = new Signals();
		this.second.subscribe(signals);
		acquire(this.first, this.one);
		assertThat(queue(this.second, this.two)).isEqualTo(new Refused("jvm-1", TTL, true));
		assertThat(release(this.first, this.one)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(signals.reserved).containsExactly(this.two);
		this.ticker.advance(this.server.reservation().minusNanos(1));
		AttemptId third = AttemptId.random();
		assertThat(acquire(this.first, third)).isEqualTo(new Refused("jvm-2", Duration.ofNanos(1), false));
		this.ticker.advance(Duration.ofNanos(1));
		assertThat(acquire(this.first, third)).isInstanceOf(Granted.class);
	}

	@Test
	void aReceiverThatFailsDoesNotDisturbTheReleaseThatSignalsIt() {
		this.second.subscribe(new Signals() {

			@Override
			public void reserved(String keyId, AttemptId attempt) {
				throw new IllegalStateException("planned");
			}

		});
		acquire(this.first, this.one);
		queue(this.second, this.two);
		assertThat(release(this.first, this.one)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(queue(this.second, this.two)).isInstanceOf(Granted.class);
	}

	@Test
	void aWaiterThatDoesNotAskAgainLosesItsPlace() {
		this.second.subscribe(new Signals());
		acquire(this.first, this.one);
		queue(this.second, this.two);
		this.ticker.advance(Duration.ofMillis(1200));
		assertThat(release(this.first, this.one)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(this.server.size()).isZero();
	}

	@Test
	void aClientWithoutAReceiverOfSignalsGetsNoPlace() {
		acquire(this.first, this.one);
		assertThat(queue(this.second, this.two)).isEqualTo(new Refused("jvm-1", TTL, false));
	}

	@Test
	void tokensBeginAtTheWallClocksMicroseconds() {
		assertThat(acquire(this.first, this.one)).isEqualTo(new Granted(START.getEpochSecond() * 1_000_000, 5));
	}

	@Test
	void tokensRiseWhenTheWallClockGoesBackAndBlocksShrinkToOne() {
		Granted before = (Granted) acquire(this.first, this.one);
		release(this.first, this.one);
		this.wallClock = START.minusSeconds(3600);
		Granted after = (Granted) acquire(this.second, this.two);
		assertThat(after.firstToken()).isEqualTo(before.firstToken() + before.tokens());
		assertThat(after.tokens()).isOne();
	}

	@Test
	void nothingIsLeftAfterAMillionKeys() {
		for (int i = 0; i < 1_000_000; i++) {
			AttemptId attempt = AttemptId.random();
			LockKey next = LockKey.of("stock", i);
			this.first.acquire(new AcquireCommand(next, attempt, TTL, 1, false, TIMEOUT));
			this.first.release(new ReleaseCommand(next, attempt, Duration.ZERO, TIMEOUT));
		}
		assertThat(this.server.size()).isZero();
	}

	@Test
	void whatExpiredGoesWithTheTrafficOfOtherKeys() {
		for (int i = 0; i < 1000; i++) {
			this.first.acquire(new AcquireCommand(LockKey.of("dead", i), AttemptId.random(), TTL, 1, false, TIMEOUT));
		}
		this.ticker.advance(TTL);
		for (int i = 0; i < 64 * 16; i++) {
			acquire(this.second, this.two);
			release(this.second, this.two);
		}
		assertThat(this.server.remembered()).isZero();
	}

	@Test
	void aRenewedGrantOutlivesManySweeps() {
		acquire(this.first, this.one);
		for (int i = 0; i < 100; i++) {
			this.ticker.advance(TTL.dividedBy(3));
			assertThat(this.server.size()).isOne();
			assertThat(acquire(this.first, this.one)).isInstanceOf(Granted.class);
		}
	}

	@Test
	void commandsOfAClosedStoreFailAndWhatItHeldStays() {
		acquire(this.first, this.one);
		this.first.close();
		assertThat(failure(this.first.abandon(new AbandonCommand(this.key, this.one, TIMEOUT))))
			.isInstanceOfSatisfying(StoreException.class, (ex) -> {
				assertThat(ex.mayHaveExecuted()).isFalse();
				assertThat(ex).hasMessageContaining("jvm-1").hasMessageContaining("closed");
			});
		assertThat(acquire(this.second, this.two)).isInstanceOf(Refused.class);
	}

	@Test
	void aNetworkDelaysRepliesAndTimesOut() throws InterruptedException {
		ScheduledExecutorService executor = new ScheduledThreadPoolExecutor(1);
		try {
			InMemoryLockServer server = InMemoryLockServer.create();
			InMemoryLockStore near = server.connect("near", executor, () -> Duration.ofMillis(5));
			long before = System.nanoTime();
			assertThat(acquire(near, this.one)).isInstanceOf(Granted.class);
			assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThanOrEqualTo(Duration.ofMillis(10));
			InMemoryLockStore far = server.connect("far", executor, () -> Duration.ofMillis(50));
			AcquireCommand impatient = new AcquireCommand(LockKey.of("other"), this.two, TTL, 1, false,
					Duration.ofMillis(20));
			assertThat(failure(far.acquire(impatient))).isInstanceOfSatisfying(StoreException.class, (ex) -> {
				assertThat(ex.mayHaveExecuted()).isTrue();
				assertThat(ex.isRetryable()).isTrue();
			});
			executor.shutdown();
			assertThat(executor.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
			assertThat(server.size()).as("the late acquire was not executed").isOne();
		}
		finally {
			executor.shutdownNow();
		}
	}

	@Test
	void aTickerDoesNotGoBack() {
		assertThatThrownBy(() -> this.ticker.advance(Duration.ofNanos(-1)))
			.isInstanceOf(IllegalArgumentException.class);
	}

	@Test
	void aTickerMovesItsWallClock() {
		this.ticker.advance(Duration.ofHours(5));
		assertThat(this.ticker.wallClock(START).instant()).isEqualTo(START.plus(Duration.ofHours(5)));
	}

	private AcquireReply acquire(InMemoryLockStore store, AttemptId attempt) {
		return store.acquire(new AcquireCommand(this.key, attempt, TTL, 5, false, TIMEOUT))
			.toCompletableFuture()
			.join();
	}

	private AcquireReply queue(InMemoryLockStore store, AttemptId attempt) {
		return store.acquireOrEnqueue(new AcquireCommand(this.key, attempt, TTL, 5, false, TIMEOUT))
			.toCompletableFuture()
			.join();
	}

	private ReleaseReply release(InMemoryLockStore store, AttemptId attempt) {
		return store.release(new ReleaseCommand(this.key, attempt, Duration.ZERO, TIMEOUT))
			.toCompletableFuture()
			.join();
	}

	private static Throwable failure(CompletionStage<?> stage) {
		return stage.<Throwable>handle((reply, failure) -> failure).toCompletableFuture().join();
	}

	private static class Signals implements SignalReceiver {

		private final List<AttemptId> reserved = new ArrayList<>();

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			this.reserved.add(attempt);
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			throw new AssertionError("nothing is revoked here");
		}

		@Override
		public void resumed() {
			throw new AssertionError("nothing is resumed here");
		}

	}

}
