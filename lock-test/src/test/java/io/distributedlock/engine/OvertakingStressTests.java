package io.distributedlock.engine;

import java.lang.reflect.Field;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * One hot key with quick holds, and all that callers may do at once: come again, act for
 * each other, give up, be interrupted, be cancelled, try only once.
 */
@Tag("E4")
class OvertakingStressTests extends EngineFixture {

	private static final Duration RUN = Duration.ofMillis(1500);

	private final AtomicInteger waiting = new AtomicInteger();

	private final AtomicInteger begun = new AtomicInteger();

	private final AtomicInteger ended = new AtomicInteger();

	private final AtomicInteger leases = new AtomicInteger();

	private final ConcurrentHashMap<Long, LockOwner> owners = new ConcurrentHashMap<>();

	private final ConcurrentHashMap<LockKey, Inside> inside = new ConcurrentHashMap<>();

	private final LockEngine hot = engine(
			(builder) -> builder.store(this.server.connect("hot")).listener(new LockListener() {

				@Override
				public void onWaiting(LockKey key, String store) {
					OvertakingStressTests.this.waiting.incrementAndGet();
				}

				@Override
				public void onWaitingEnded(LockKey key, String store) {
					OvertakingStressTests.this.waiting.decrementAndGet();
				}

				@Override
				public void onAcquired(Lease lease, Duration waited) {
					OvertakingStressTests.this.begun.incrementAndGet();
				}

				@Override
				public void onReleased(Lease lease, Duration held) {
					OvertakingStressTests.this.ended.incrementAndGet();
				}

			}));

	@RepeatedTest(2)
	void ownersNeverOverlapTokensAreTheirsAloneAndTheLineIsEmptyInTheEnd() throws Exception {
		long end = System.nanoTime() + RUN.toNanos();
		List<Future<?>> workers = new ArrayList<>();
		List<Thread> running = new ArrayList<>();
		for (int i = 0; i < 12; i++) {
			int number = i;
			workers.add(onThread(() -> {
				synchronized (running) {
					running.add(Thread.currentThread());
				}
				while (System.nanoTime() < end) {
					oneStep(number);
				}
				Thread.interrupted();
				return null;
			}));
		}
		while (System.nanoTime() < end) {
			LockSupport.parkNanos(3_000_000);
			synchronized (running) {
				if (!running.isEmpty() && System.nanoTime() < end - 50_000_000) {
					running.get(ThreadLocalRandom.current().nextInt(running.size())).interrupt();
				}
			}
		}
		for (Future<?> worker : workers) {
			worker.get(30, TimeUnit.SECONDS);
		}
		Lease last = this.hot.acquire(stock().withWaitTime(Duration.ofSeconds(5)));
		eventually().until(() -> waiters(this.hot) == 0);
		Gate gate = this.hot.runtime(null).gate(key().id());
		assertThat(counts(gate)).containsOnly(0);
		last.close();
		assertThat(this.leases).hasValueGreaterThan(1000);
		eventually().until(() -> storeIsEmpty() && this.hot.gateCount() == 0);
		eventually().until(() -> this.waiting.get() == 0 && this.begun.get() == this.ended.get());
	}

	private void oneStep(int number) {
		ThreadLocalRandom random = ThreadLocalRandom.current();
		Duration wait = switch (random.nextInt(4)) {
			case 0 -> Duration.ZERO;
			case 1 -> Duration.ofNanos(random.nextInt(1, 2_000_000));
			case 2 -> Duration.ofNanos(random.nextInt(40_000_000, 60_000_000));
			default -> Duration.ofSeconds(10);
		};
		LockRequest request = stock().withWaitTime(wait);
		if (random.nextInt(16) == 0) {
			request = request.withTtl(Duration.ofSeconds(9));
		}
		if (random.nextInt(16) == 0) {
			request = request.withRenew(false);
		}
		CompletableFuture<Lease> other = null;
		try {
			int kind = random.nextInt(12);
			if (kind == 0) {
				other = this.hot
					.acquireAsync(request.withWaitTime(Duration.ofSeconds(10)).withOwner(LockContext.owner()))
					.thenApply(this::work);
			}
			if (kind == 1) {
				CompletableFuture<Lease> mine = this.hot.acquireAsync(request);
				if (random.nextBoolean()) {
					LockSupport.parkNanos(random.nextInt(100_000));
					if (mine.cancel(true)) {
						return;
					}
				}
				work(mine.join());
				return;
			}
			work(this.hot.acquire(request));
		}
		catch (LockException | CompletionException ex) {
			if (!(ex instanceof LockException) && !(ex.getCause() instanceof LockException)) {
				throw ex;
			}
			Thread.interrupted();
		}
		finally {
			if (other != null) {
				try {
					other.join();
				}
				catch (CompletionException ex) {
					assertThat(ex.getCause()).isInstanceOf(LockException.class);
				}
			}
		}
	}

	private Lease work(Lease lease) {
		LockOwner owner = lease.owner();
		assertThat(lease.isHeld()).isTrue();
		assertThat(this.owners.computeIfAbsent(lease.fencingToken(), (token) -> owner)).isSameAs(owner);
		this.inside.compute(key(), (key, before) -> {
			assertThat(before == null || before.owner == owner).as("%s is alone", lease).isTrue();
			return new Inside(owner, (before != null) ? before.calls + 1 : 1);
		});
		if (ThreadLocalRandom.current().nextInt(200) == 0) {
			LockSupport.parkNanos(200_000);
		}
		assertThat(lease.isHeld()).isTrue();
		this.inside.compute(key(), (key, now) -> (now.calls > 1) ? new Inside(owner, now.calls - 1) : null);
		lease.close();
		this.leases.incrementAndGet();
		return lease;
	}

	private record Inside(LockOwner owner, int calls) {
	}

	private static List<Integer> counts(Gate gate) throws Exception {
		Field lines = Gate.class.getDeclaredField("line");
		lines.setAccessible(true);
		Object line = lines.get(gate);
		List<Integer> counts = new ArrayList<>();
		for (String name : List.of("size", "patient", "unannounced", "sharing")) {
			Field count = WaiterLine.class.getDeclaredField(name);
			count.setAccessible(true);
			counts.add(count.getInt(line));
		}
		return counts;
	}

}
