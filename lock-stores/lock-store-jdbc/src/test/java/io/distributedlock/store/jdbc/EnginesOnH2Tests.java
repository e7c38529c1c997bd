package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ThreadLocalRandom;

import com.zaxxer.hikari.HikariDataSource;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.test.FuzzCounter;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Several JVMs whose many threads want the same few locks, where every command has to
 * look at the row. PostgreSQL and MariaDB have tests of their own.
 */
class EnginesOnH2Tests {

	private static final int KEYS = 6;

	private static final int ROUNDS = 15;

	@Test
	void severalJvmsThatWantTheSameLocksLoseNothing() throws Exception {
		try (HikariDataSource pool = Databases.pool("jdbc:h2:mem:together", 20)) {
			Databases.initialize(pool);
			List<LockEngine> jvms = new ArrayList<>();
			for (int i = 0; i < 3; i++) {
				jvms.add(LockEngine.builder().store(JdbcLockStore.builder(pool).build()).build());
			}
			try {
				compete(jvms);
			}
			finally {
				jvms.forEach(LockEngine::close);
			}
		}
	}

	private static void compete(List<LockEngine> jvms) throws InterruptedException {
		List<FuzzCounter> counters = new ArrayList<>();
		for (int key = 0; key < KEYS; key++) {
			counters.add(new FuzzCounter());
		}
		Queue<Throwable> failures = new ConcurrentLinkedQueue<>();
		List<Thread> threads = new ArrayList<>();
		for (LockEngine jvm : jvms) {
			for (int i = 0; i < 6; i++) {
				threads.add(new Thread(() -> {
					for (int round = 0; round < ROUNDS; round++) {
						int key = ThreadLocalRandom.current().nextInt(KEYS);
						try {
							jvm.executeWithoutResult(LockRequest.of("stock", key).withWaitTime(Duration.ofSeconds(30)),
									(lease) -> counters.get(key).increment(lease.fencingToken()));
						}
						catch (RuntimeException | AssertionError ex) {
							failures.add(ex);
						}
					}
				}));
			}
		}
		threads.forEach(Thread::start);
		for (Thread thread : threads) {
			thread.join();
		}
		assertThat(failures).isEmpty();
		assertThat(counters.stream().mapToLong(FuzzCounter::value).sum()).isEqualTo(3 * 6 * ROUNDS);
	}

}
