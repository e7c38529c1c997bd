package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.Lease;
import io.distributedlock.LockRequest;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.FaultyLockStore;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * How long a JVM keeps a lock among its own callers depends on who else wants it.
 */
class HandoffBoundsTests extends EngineFixture {

	private static final LockRequest PATIENT = stock().withWaitTime(Duration.ofSeconds(20));

	private final FaultyLockStore store = FaultyLockStore.around(this.server.connect("hot"));

	private final AtomicLong leases = new AtomicLong();

	private final AtomicBoolean stop = new AtomicBoolean();

	private List<Future<?>> hammer(LockEngine engine, Duration hold) {
		List<Future<?>> callers = new ArrayList<>();
		for (int i = 0; i < 6; i++) {
			callers.add(onThread(() -> {
				while (!this.stop.get()) {
					try (Lease lease = engine.acquire(PATIENT)) {
						this.leases.incrementAndGet();
						if (!hold.isZero()) {
							LockSupport.parkNanos(hold.toNanos());
						}
						assertThat(lease.isHeld()).isTrue();
					}
				}
				return null;
			}));
		}
		return callers;
	}

	private void end(List<Future<?>> callers) throws Exception {
		this.stop.set(true);
		for (Future<?> caller : callers) {
			caller.get(30, TimeUnit.SECONDS);
		}
	}

	@Test
	@Tag("E8")
	void blocksGrowAndTheTurnGoesOnWhileNoOtherJvmWaits() throws Exception {
		LockEngine hot = engine((builder) -> builder.store(this.store.store()).handoff(4, Duration.ofMinutes(1)));
		List<Future<?>> callers = hammer(hot, Duration.ZERO);
		eventually().atMost(Duration.ofSeconds(60)).until(() -> this.leases.get() > 20_000);
		long leases = this.leases.get();
		long asked = this.store.count(CommandKind.EXTEND);
		end(callers);
		// A quarter of a question for each lease, if blocks stayed as they are.
		assertThat(asked).isPositive().isLessThan(leases / 50);
	}

	@Test
	@Tag("E8")
	void aJvmThatComesWaitsForTheTimeOfTheTurnAtMostHoweverLargeTheBlockIs() throws Exception {
		LockEngine hot = engine((builder) -> builder.store(this.store.store()).handoff(64, Duration.ofMillis(200)));
		LockEngine other = otherJvm("visitor");
		List<Future<?>> callers = hammer(hot, Duration.ofMillis(1));
		// By then a block would be worth half a second of holds.
		eventually().until(() -> this.store.count(CommandKind.EXTEND) >= 6);
		List<Long> waits = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			long start = System.nanoTime();
			other.acquire(PATIENT).close();
			waits.add(TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - start));
		}
		end(callers);
		waits.sort(null);
		assertThat(waits.get(2)).as("Of %s, the one in the middle", waits).isLessThan(400);
	}

	@Test
	@Tag("E8")
	void oneLeaseMeansNoHandoffAlsoAlone() throws Exception {
		LockEngine hot = engine((builder) -> builder.store(this.store.store()).handoff(1, Duration.ofMinutes(1)));
		List<Future<?>> callers = hammer(hot, Duration.ZERO);
		eventually().until(() -> this.leases.get() > 500);
		end(callers);
		assertThat(this.store.count(CommandKind.EXTEND)).isZero();
		assertThat(hot.statistics().get(0).localHandoffs()).isZero();
	}

}
