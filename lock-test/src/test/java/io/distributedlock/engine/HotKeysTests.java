package io.distributedlock.engine;

import java.time.Duration;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.HotLock;
import io.distributedlock.LockKey;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.MultiLease;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

/**
 * Which keys callers wait for most.
 */
class HotKeysTests extends EngineFixture {

	private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

	private final ManualTicker ticker = new ManualTicker();

	private final HotKeys hotKeys = new HotKeys(new Clock(this.ticker));

	@Test
	void theHeaviestKeyComesFirstWithItsShareOfAllWaiting() {
		this.hotKeys.waited(LockKey.of("stock", 1), "redis", SECOND);
		this.hotKeys.waited(LockKey.of("stock", 2), "redis", SECOND);
		this.hotKeys.waited(LockKey.of("stock", 2), "redis", 2 * SECOND);
		HotLock first = this.hotKeys.snapshot().get(0);
		assertThat(first.key()).isEqualTo(LockKey.of("stock", 2));
		assertThat(first.store()).isEqualTo("redis");
		assertThat(first.share()).isCloseTo(0.75, within(0.001));
		assertThat(first.waits()).isEqualTo(2);
		assertThat(first.longestWait()).isEqualTo(Duration.ofSeconds(2));
	}

	@Test
	void aHotKeyIsFoundAmongManyColdOnesInBoundedMemory() {
		LockKey hot = LockKey.of("stock", "hot");
		for (int i = 0; i < 10_000; i++) {
			this.hotKeys.waited(LockKey.of("stock", i), "redis", SECOND);
			if (i % 10 == 0) {
				this.hotKeys.waited(hot, "redis", SECOND);
			}
		}
		assertThat(this.hotKeys.snapshot()).hasSize(HotKeys.COUNTERS);
		assertThat(this.hotKeys.snapshot().get(0).key()).isEqualTo(hot);
		// What others had in the counter before is not claimed for it.
		assertThat(this.hotKeys.snapshot().get(0).share()).isBetween(0.05, 0.091);
	}

	@Test
	void whatWasHotLongAgoGivesWayToWhatIsHotNow() {
		this.hotKeys.waited(LockKey.of("stock", "old"), "redis", 10 * SECOND);
		this.ticker.advance(Duration.ofMinutes(5));
		this.hotKeys.waited(LockKey.of("stock", "new"), "redis", SECOND);
		assertThat(this.hotKeys.snapshot().get(0).key()).isEqualTo(LockKey.of("stock", "new"));
		this.ticker.advance(Duration.ofHours(1));
		assertThat(this.hotKeys.snapshot()).isEmpty();
	}

	@Test
	void onlyThoseWhoHadToWaitAreCounted() throws Exception {
		for (int i = 0; i < 100; i++) {
			this.engine.acquire(stock()).close();
			this.engine.acquireAsync(stock()).get(5, TimeUnit.SECONDS).close();
		}
		assertThat(this.engine.hotKeys()).isEmpty();
		Lease held = heldByAnother(this.engine, stock());
		Future<Lease> waiting = waitingThread(this.engine, stock());
		held.close();
		waiting.get(5, TimeUnit.SECONDS).close();
		assertThat(this.engine.hotKeys()).singleElement().satisfies((hot) -> {
			assertThat(hot.key()).isEqualTo(key());
			assertThat(hot.store()).isEqualTo(this.faults.store().name());
			assertThat(hot.share()).isCloseTo(1, within(0.001));
			assertThat(hot.waits()).isEqualTo(1);
		});
	}

	@Test
	void aCounterThatIsReplacedIsTheSmallestOfAll() {
		for (int i = 0; i < HotKeys.COUNTERS; i++) {
			this.hotKeys.waited(LockKey.of("stock", i), "redis", SECOND);
		}
		// All but one have grown since they came.
		for (int i = 0; i < HotKeys.COUNTERS; i++) {
			if (i != 77) {
				this.hotKeys.waited(LockKey.of("stock", i), "redis", (1 + i) * SECOND);
			}
		}
		this.ticker.advance(Duration.ofSeconds(30));
		this.hotKeys.waited(LockKey.of("stock", "new"), "redis", SECOND);
		assertThat(this.hotKeys.snapshot()).hasSize(HotKeys.COUNTERS)
			.extracting(HotLock::key)
			.contains(LockKey.of("stock", "new"), LockKey.of("stock", 0), LockKey.of("stock", 127))
			.doesNotContain(LockKey.of("stock", 77));
	}

	@Test
	void theCountersAreThoseOfAPlainSearchForTheSmallest() {
		Map<LockKey, Double> plain = new HashMap<>();
		Random random = new Random(7);
		for (int i = 0; i < 20_000; i++) {
			LockKey key = LockKey.of("stock", (int) Math.abs(random.nextGaussian() * 200));
			long nanos = SECOND + random.nextInt(1_000_000_000);
			this.hotKeys.waited(key, "redis", nanos);
			double inherited = 0;
			if (!plain.containsKey(key) && plain.size() == HotKeys.COUNTERS) {
				LockKey smallest = Collections.min(plain.entrySet(), Map.Entry.comparingByValue()).getKey();
				inherited = plain.remove(smallest);
			}
			plain.merge(key, inherited + nanos, (before, now) -> before + nanos);
		}
		assertThat(this.hotKeys.snapshot()).extracting(HotLock::key)
			.containsExactlyInAnyOrderElementsOf(plain.keySet());
	}

	@Test
	void aCallerThatWantsSeveralLocksIsCountedForEachThatItWaitsFor() throws Exception {
		Lease second = heldByAnother(this.engine, account("b"));
		Lease first = heldByAnother(this.engine, account("a"));
		Future<MultiLease> waiting = waitingForBoth();
		first.close();
		eventually().until(() -> this.engine.held().size() == 2 && waiters(this.engine) == 1);
		second.close();
		assertThat(waiting.get(5, TimeUnit.SECONDS).release()).isTrue();
		assertThat(this.engine.hotKeys()).hasSize(2).allSatisfy((hot) -> assertThat(hot.waits()).isEqualTo(1));
	}

	@Test
	void aCallerWhoseNextLockCameBeforeItWokeIsCountedToo() throws Exception {
		Lease second = heldByAnother(this.engine, account("b"));
		Lease first = heldByAnother(this.engine, account("a"));
		CompletableFuture<MultiLease> had = new CompletableFuture<>();
		Thread sleeper = new Thread(() -> {
			try {
				had.complete(this.engine.acquireAll(both()));
			}
			catch (RuntimeException ex) {
				had.completeExceptionally(ex);
			}
		});
		sleeper.start();
		eventually().until(() -> waiters(this.engine) == 1 && sleeper.getState() == Thread.State.TIMED_WAITING);
		// The closing thread asks for the second lock on behalf of the sleeper, and frees
		// it at once: mostly before the sleeper has woken.
		first.close();
		second.close();
		assertThat(had.get(5, TimeUnit.SECONDS).release()).isTrue();
		assertThat(this.engine.hotKeys()).extracting((hot) -> hot.key()).contains(account("a").key());
		assertThat(this.engine.hotKeys()).hasSize(2);
	}

	@Test
	void anAsynchronousCallerThatWantsSeveralLocksIsCounted() throws Exception {
		Lease second = heldByAnother(this.engine, account("b"));
		Lease first = heldByAnother(this.engine, account("a"));
		CompletableFuture<MultiLease> waiting = this.engine.acquireAllAsync(both());
		first.close();
		eventually().until(() -> this.engine.held().size() == 2 && waiters(this.engine) == 1);
		second.close();
		assertThat(waiting.get(5, TimeUnit.SECONDS).release()).isTrue();
		assertThat(this.engine.hotKeys()).hasSize(2).allSatisfy((hot) -> assertThat(hot.waits()).isEqualTo(1));
	}

	private Future<MultiLease> waitingForBoth() {
		Future<MultiLease> waiting = onThread(() -> this.engine.acquireAll(both()));
		eventually().until(() -> waiters(this.engine) == 1);
		return waiting;
	}

	private static LockRequest account(String id) {
		return LockRequest.of("account", id).withWaitTime(Duration.ofSeconds(20));
	}

	private static List<LockRequest> both() {
		LockOwner owner = LockOwner.create("caller");
		return List.of(account("a").withOwner(owner), account("b").withOwner(owner));
	}

	@Test
	void anAsynchronousCallerThatWaitsIsCounted() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		Future<Lease> waiting = this.engine.acquireAsync(stock());
		held.close();
		waiting.get(5, TimeUnit.SECONDS).close();
		assertThat(this.engine.hotKeys()).singleElement().satisfies((hot) -> assertThat(hot.waits()).isEqualTo(1));
	}

}
