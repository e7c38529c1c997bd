package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link TimerWheel}.
 */
class TimerWheelTests {

	private static final long TICK = 10;

	private final TimerWheel wheel = new TimerWheel(TICK, 0);

	@Test
	void anEntryIsDueInItsTickAndOnce() {
		Item item = new Item();
		this.wheel.schedule(item, 55);
		assertThat(drain(49)).isEmpty();
		assertThat(drain(60)).containsExactly(item);
		assertThat(drain(20_000)).isEmpty();
	}

	@Test
	void anEntryThatWasRemovedIsNeverDue() {
		Item first = new Item();
		Item second = new Item();
		Item third = new Item();
		this.wheel.schedule(first, 55);
		this.wheel.schedule(second, 56);
		this.wheel.schedule(third, 57);
		assertThat(this.wheel.remove(second)).isTrue();
		assertThat(this.wheel.remove(second)).isFalse();
		assertThat(drain(100)).containsExactlyInAnyOrder(first, third);
	}

	@Test
	void anEntryFurtherThanOneTurnStaysUntilItsTurn() {
		Item item = new Item();
		this.wheel.schedule(item, 1024 * TICK * 3 + 5);
		for (long now = 0; now < 1024 * TICK * 3; now += 500) {
			assertThat(drain(now)).isEmpty();
		}
		assertThat(drain(1024 * TICK * 3 + TICK)).containsExactly(item);
	}

	@Test
	void anEntryThatIsOverdueIsDueAtTheNextDrain() {
		drain(1000);
		Item item = new Item();
		this.wheel.schedule(item, 3);
		assertThat(drain(1010)).containsExactly(item);
	}

	@Test
	void afterALongPauseEachEntryIsDueOnce() {
		List<Item> items = new ArrayList<>();
		for (int i = 0; i < 3000; i++) {
			Item item = new Item();
			items.add(item);
			this.wheel.schedule(item, i * TICK);
		}
		assertThat(drain(1_000_000)).containsExactlyInAnyOrderElementsOf(items);
	}

	@Test
	void itIsQuietUntilTheFirstEntry() {
		assertThat(this.wheel.quietFor(0, 500)).isEqualTo(500);
		this.wheel.schedule(new Item(), 205);
		assertThat(this.wheel.quietFor(0, 500)).isEqualTo(210);
		assertThat(this.wheel.quietFor(0, 100)).isEqualTo(100);
	}

	@Test
	void nothingIsLostOrDoubledWhileThreadsAddAndRemoveAndOneDrains() throws Exception {
		TimerWheel shared = new TimerWheel(1000, 0);
		AtomicBoolean stop = new AtomicBoolean();
		AtomicInteger drained = new AtomicInteger();
		long start = System.nanoTime();
		Thread drainer = new Thread(() -> {
			List<TimerWheel.Entry> due = new ArrayList<>();
			while (!stop.get()) {
				shared.drain(System.nanoTime() - start, due);
			}
			shared.drain(Long.MAX_VALUE / 4, due);
			due.forEach((entry) -> ((Item) entry).drained.incrementAndGet());
			drained.set(due.size());
		});
		drainer.start();
		int threads = 3;
		int each = 20_000;
		AtomicInteger removed = new AtomicInteger();
		CountDownLatch done = new CountDownLatch(threads);
		List<Item> all = new ArrayList<>();
		for (int i = 0; i < threads * each; i++) {
			all.add(new Item());
		}
		for (int t = 0; t < threads; t++) {
			int from = t * each;
			new Thread(() -> {
				for (int i = 0; i < each; i++) {
					Item item = all.get(from + i);
					shared.schedule(item, System.nanoTime() - start + ThreadLocalRandom.current().nextInt(3000));
					if (i % 2 == 0 && shared.remove(item)) {
						item.removed = true;
						removed.incrementAndGet();
					}
				}
				done.countDown();
			}).start();
		}
		done.await();
		stop.set(true);
		drainer.join();
		assertThat(drained.get() + removed.get()).isEqualTo(threads * each);
		assertThat(all).allSatisfy((item) -> assertThat(item.drained.get()).isEqualTo(item.removed ? 0 : 1));
	}

	private List<TimerWheel.Entry> drain(long now) {
		List<TimerWheel.Entry> due = new ArrayList<>();
		this.wheel.drain(now, due);
		return due;
	}

	private static final class Item extends TimerWheel.Entry {

		private final AtomicInteger drained = new AtomicInteger();

		private volatile boolean removed;

	}

}
