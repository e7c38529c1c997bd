package io.distributedlock.engine;

import java.time.Duration;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector.HotLock;
import io.distributedlock.LockKey;
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
	void anAsynchronousCallerThatWaitsIsCounted() throws Exception {
		Lease held = heldByAnother(this.engine, stock());
		Future<Lease> waiting = this.engine.acquireAsync(stock());
		held.close();
		waiting.get(5, TimeUnit.SECONDS).close();
		assertThat(this.engine.hotKeys()).singleElement().satisfies((hot) -> assertThat(hot.waits()).isEqualTo(1));
	}

}
