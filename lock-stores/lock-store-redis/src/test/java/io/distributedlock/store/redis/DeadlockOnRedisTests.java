package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.jedis.JedisConnectionFactory;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.DeadlockDetectedException.Participant;
import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Deadlocks of three JVMs over one Redis, whose probes go over the channels of the
 * signals.
 */
class DeadlockOnRedisTests {

	private static final int JVMS = 3;

	static RedisServerProcess redis;

	private final List<LockEngine> engines = new ArrayList<>();

	private final List<JedisConnectionFactory> factories = new ArrayList<>();

	private final ExecutorService threads = Executors.newCachedThreadPool();

	private final AtomicInteger deadlocks = new AtomicInteger();

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	private void connect(Client client) {
		for (int i = 0; i < JVMS; i++) {
			RedisLockStore store = RedisLockStore.builder(factory(client)).instanceId("jvm-" + i).build();
			this.engines.add(LockEngine.builder().store(store).listener(new LockListener() {
				@Override
				public void onDeadlock(LockKey key, String name, DeadlockDetectedException exception, Duration waited) {
					DeadlockOnRedisTests.this.deadlocks.incrementAndGet();
				}
			}).build());
		}
	}

	private RedisConnectionFactory factory(Client client) {
		if (client == Client.LETTUCE) {
			return StoreFixture.lettuceFactory(redis.port());
		}
		JedisConnectionFactory factory = new JedisConnectionFactory(
				new RedisStandaloneConfiguration("127.0.0.1", redis.port()));
		factory.afterPropertiesSet();
		factory.start();
		this.factories.add(factory);
		return factory;
	}

	@AfterEach
	void disconnect() {
		this.threads.shutdownNow();
		this.engines.forEach(LockEngine::close);
		this.factories.forEach(JedisConnectionFactory::destroy);
	}

	private static LockRequest lock(String name, int number) {
		return LockRequest.of(name, number % JVMS).withWaitTime(Duration.ofSeconds(10));
	}

	@ParameterizedTest
	@EnumSource
	void aCycleOverThreeJvmsIsFound(Client client) throws Exception {
		connect(client);
		List<Future<@Nullable DeadlockDetectedException>> outcomes = new ArrayList<>();
		List<CountDownLatch> goOn = new ArrayList<>();
		CountDownLatch held = new CountDownLatch(JVMS);
		for (int i = 0; i < JVMS; i++) {
			int number = i;
			CountDownLatch go = new CountDownLatch(1);
			goOn.add(go);
			outcomes.add(this.threads.submit(() -> {
				LockEngine engine = this.engines.get(number);
				Lease own = engine.acquire(lock("ring", number));
				try {
					held.countDown();
					go.await();
					engine.acquire(lock("ring", number + 1)).release();
					return null;
				}
				catch (DeadlockDetectedException ex) {
					return ex;
				}
				finally {
					own.release();
				}
			}));
		}
		held.await();
		for (int i = 0; i < JVMS; i++) {
			LockEngine engine = this.engines.get(i);
			Future<?> outcome = outcomes.get(i);
			goOn.get(i).countDown();
			await().pollInterval(Duration.ofMillis(2)).until(() -> outcome.isDone() || !engine.waiting().isEmpty());
		}
		DeadlockDetectedException deadlock = outcomes.get(JVMS - 1).get(20, TimeUnit.SECONDS);
		assertThat(deadlock).isNotNull();
		assertThat(deadlock.cycle()).extracting(Participant::instance).containsExactly("jvm-2", "jvm-0", "jvm-1");
		assertThat(deadlock.cycle()).extracting(Participant::holds).containsExactly("ring:2", "ring:0", "ring:1");
		assertThat(outcomes.get(0).get(20, TimeUnit.SECONDS)).isNull();
		assertThat(outcomes.get(1).get(20, TimeUnit.SECONDS)).isNull();
		assertThat(this.deadlocks).hasValue(1);
		await().untilAsserted(() -> assertThat(redis.command("KEYS", "lock:*")).doesNotContain("ring"));
	}

	/**
	 * Locks taken in order, for reading and for writing, held for so long that callers
	 * wait for longer than the threshold: none of them is in a deadlock.
	 */
	@ParameterizedTest
	@EnumSource
	void callersThatTakeLocksInOrderAreNeverInADeadlock(Client client) throws Exception {
		connect(client);
		AtomicInteger taken = new AtomicInteger();
		long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(4);
		List<Future<?>> workers = new ArrayList<>();
		for (int i = 0; i < 4 * JVMS; i++) {
			LockEngine engine = this.engines.get(i % JVMS);
			Random random = new Random(i);
			workers.add(this.threads.submit(() -> {
				while (System.nanoTime() < end) {
					takeInOrder(engine, random, taken);
				}
				return null;
			}));
		}
		for (Future<?> worker : workers) {
			worker.get(60, TimeUnit.SECONDS);
		}
		assertThat(taken).hasValueGreaterThan(40);
		assertThat(this.deadlocks).hasValue(0);
	}

	private static void takeInOrder(LockEngine engine, Random random, AtomicInteger taken) throws Exception {
		List<Lease> leases = new ArrayList<>();
		try {
			for (int number = 0; number < JVMS; number++) {
				if (random.nextInt(3) > 0) {
					leases.add(engine.acquire(
							lock("order", number).withMode((random.nextInt(3) == 0) ? LockMode.READ : LockMode.WRITE)
								.withWaitTime(Duration.ofMillis(20 + random.nextInt(600)))));
					Thread.sleep(random.nextInt(25));
				}
			}
			taken.addAndGet(leases.size());
		}
		catch (LockNotAcquiredException ex) {
			// It may take too long, which is no deadlock.
		}
		finally {
			for (int i = leases.size() - 1; i >= 0; i--) {
				leases.get(i).release();
			}
		}
	}

	/**
	 * What the application connects with.
	 */
	enum Client {

		LETTUCE, JEDIS

	}

}
