package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockInspector;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.FakeLocks;
import io.distributedlock.spring.InvalidDistributedLockException;
import io.distributedlock.spring.OnLost;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.InMemoryLockStore;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.core.NestedExceptionUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link DistributedLockAutoConfiguration} and
 * {@link MemoryLockStoreAutoConfiguration}, with the real engine.
 */
@ExtendWith(OutputCaptureExtension.class)
class DistributedLockAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class));

	private final ApplicationContextRunner memory = this.runner.withPropertyValues("distributed-lock.store=memory");

	@Test
	void engineIsTemplateAndInspector() {
		this.memory.run((context) -> {
			assertThat(context).hasSingleBean(LockEngine.class)
				.hasSingleBean(LockTemplate.class)
				.hasSingleBean(LockInspector.class);
			assertThat(context.getBean(LockInspector.class).stores()).containsExactly("memory");
		});
	}

	@Test
	void engineBacksOff() {
		this.memory.withBean(FakeLocks.class)
			.run((context) -> assertThat(context).hasSingleBean(LockTemplate.class).doesNotHaveBean(LockEngine.class));
	}

	@Test
	void annotatedMethodsExcludeEachOther() {
		this.memory.withBean(Shop.class).run((context) -> {
			Shop shop = context.getBean(Shop.class);
			CountDownLatch inside = new CountDownLatch(1);
			CountDownLatch leave = new CountDownLatch(1);
			CompletableFuture<Void> first = CompletableFuture.runAsync(() -> shop.buy("42", () -> {
				inside.countDown();
				await(leave);
			}));
			await(inside);
			assertThatExceptionOfType(LockNotAcquiredException.class).isThrownBy(() -> shop.buy("42", () -> {
			}));
			AtomicInteger other = new AtomicInteger();
			shop.buy("43", other::incrementAndGet);
			assertThat(other).hasValue(1);
			leave.countDown();
			first.get(10, TimeUnit.SECONDS);
			shop.buy("42", other::incrementAndGet);
			assertThat(other).hasValue(2);
		});
	}

	@Test
	void lockTakenAwayIsThrownAfterTheMethod() {
		this.memory.withBean(Shop.class).run((context) -> {
			assertThatExceptionOfType(LockLostException.class)
				.isThrownBy(() -> context.getBean(Shop.class).buy("42", () -> takeAway(context)));
			context.getBean(Shop.class).buy("42", () -> {
			});
		});
	}

	@Test
	void lockTakenAwayInterruptsTheMethod() {
		this.memory.withBean(Shop.class).run((context) -> {
			assertThatExceptionOfType(InterruptedException.class)
				.isThrownBy(() -> context.getBean(Shop.class).waitUntilInterrupted(() -> takeAway(context)))
				.satisfies(
						(ex) -> assertThat(ex.getSuppressed()).singleElement().isInstanceOf(LockLostException.class));
			assertThat(Thread.currentThread().isInterrupted()).isFalse();
		});
	}

	private static void takeAway(ConfigurableApplicationContext context) {
		Lease lease = LockContext.current().orElseThrow();
		assertThat(context.getBean(LockInspector.class).forceRelease(lease.key(), null, lease.fencingToken())).isTrue();
	}

	@Test
	void listenersHear() {
		AtomicInteger acquired = new AtomicInteger();
		this.memory.withBean(LockListener.class, () -> new LockListener() {
			@Override
			public void onAcquired(Lease lease, Duration waited) {
				acquired.incrementAndGet();
			}
		}).run((context) -> {
			context.getBean(LockTemplate.class).acquire(LockRequest.of("x")).close();
			assertThat(acquired).hasValue(1);
		});
	}

	@Test
	void propertiesReachTheEngine() {
		this.memory
			.withPropertyValues("distributed-lock.ttl=12s", "distributed-lock.locks.stock.wait-time=7s",
					"distributed-lock.handoff.leases=1", "distributed-lock.recheck=100ms",
					"distributed-lock.reservation=300ms", "distributed-lock.instance-id=shop")
			.run((context) -> {
				LockEngine engine = context.getBean(LockEngine.class);
				assertThat(engine.settings("any").ttl()).isEqualTo(Duration.ofSeconds(12));
				assertThat(engine.settings("stock").waitTime()).isEqualTo(Duration.ofSeconds(7));
				assertThat(engine.settings("stock").ttl()).isEqualTo(Duration.ofSeconds(12));
				assertThat(context.getBean(InMemoryLockStore.class).reservation()).isEqualTo(Duration.ofMillis(300));
				assertThat(context.getBean(InMemoryLockStore.class).instance()).startsWith("shop-");
			});
	}

	@Test
	void deadlocksAreFoundUnlessThatIsSwitchedOff() {
		this.memory.withPropertyValues("distributed-lock.deadlock-detection.threshold=20ms")
			.run((context) -> assertThat(deadlock(context.getBean(LockEngine.class), Duration.ofSeconds(10))).isTrue());
		this.memory.withPropertyValues("distributed-lock.deadlock-detection.enabled=false")
			.run((context) -> assertThat(deadlock(context.getBean(LockEngine.class), Duration.ofMillis(500)))
				.isFalse());
		this.memory.withPropertyValues("distributed-lock.deadlock-detection.threshold=10s")
			.run((context) -> assertThat(deadlock(context.getBean(LockEngine.class), Duration.ofMillis(500)))
				.isFalse());
	}

	/** Two callers wait for each other, for a time at most. */
	private static boolean deadlock(LockEngine engine, Duration waitTime) {
		LockOwner one = LockOwner.create("one");
		LockOwner two = LockOwner.create("two");
		LockRequest a = LockRequest.of("a").withWaitTime(waitTime);
		LockRequest b = LockRequest.of("b").withWaitTime(waitTime);
		engine.acquire(a.withOwner(one));
		engine.acquire(b.withOwner(two));
		CompletableFuture<Boolean> first = failsByDeadlock(engine.acquireAsync(b.withOwner(one)));
		CompletableFuture<Boolean> second = failsByDeadlock(engine.acquireAsync(a.withOwner(two)));
		one.leases().forEach((lease) -> second.thenRun(lease::release));
		two.leases().forEach((lease) -> second.thenRun(lease::release));
		return second.join() | first.join();
	}

	private static CompletableFuture<Boolean> failsByDeadlock(CompletableFuture<Lease> lease) {
		return lease.handle((had, thrown) -> thrown instanceof DeadlockDetectedException);
	}

	@Test
	void engineStopsAndStartsWithTheContext() {
		this.memory.run((context) -> {
			LockEngine engine = context.getBean(LockEngine.class);
			assertThat(engine.isRunning()).isTrue();
			context.stop();
			assertThat(engine.isRunning()).isFalse();
			assertThatExceptionOfType(LockNotAcquiredException.class)
				.isThrownBy(() -> engine.acquire(LockRequest.of("x")))
				.satisfies((ex) -> assertThat(ex.reason()).isEqualTo(LockNotAcquiredException.Reason.SHUTTING_DOWN));
			context.start();
			engine.acquire(LockRequest.of("x")).close();
		});
	}

	@Test
	void shutdownWaitsForHoldersButNotForEver(CapturedOutput output) {
		this.memory.withPropertyValues("distributed-lock.shutdown.timeout=200ms").run((context) -> {
			Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("slow", "1"));
			long start = System.nanoTime();
			context.stop();
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(190),
					Duration.ofSeconds(10));
			assertThat(lease.isHeld()).isTrue();
			lease.close();
		});
		assertThat(output).contains("Locks were still held 200ms after shutdown began: [slow:1]");
	}

	@Test
	void shutdownTimeoutThatIsNotShorterThanSpringsOwnIsAWarning(CapturedOutput output) {
		this.memory.withPropertyValues("distributed-lock.shutdown.timeout=30s").run((context) -> {
			context.stop();
			context.start();
		});
		assertThat(output).containsOnlyOnce("distributed-lock.shutdown.timeout (30000ms) is not shorter than"
				+ " spring.lifecycle.timeout-per-shutdown-phase (30000ms)");
	}

	@Test
	void shutdownTimeoutThatIsShorterIsNoWarning(CapturedOutput output) {
		this.memory.run((context) -> assertThat(context).hasNotFailed());
		this.memory
			.withPropertyValues("distributed-lock.shutdown.timeout=50s",
					"spring.lifecycle.timeout-per-shutdown-phase=1m")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).doesNotContain("is not shorter than");
	}

	@Test
	void engineStopsBetweenExecutorsAndConnections() {
		this.memory.run((context) -> {
			int phase = context.getBean(LockEngineLifecycle.class).getPhase();
			assertThat(phase).isLessThan(Integer.MAX_VALUE / 2).isPositive();
		});
	}

	@Test
	void closedContextEndsTheThreads() {
		this.memory.run((context) -> {
			LockEngine engine = context.getBean(LockEngine.class);
			context.close();
			assertThat(engine.isRunning()).isFalse();
		});
	}

	@Test
	void memoryStoreIsNeverAFallback() {
		this.runner.run((context) -> assertThat(context).hasFailed());
	}

	@Test
	void memoryStoreSaysWhatItIs(CapturedOutput output) {
		this.memory.run((context) -> assertThat(context).hasSingleBean(InMemoryLockStore.class));
		assertThat(output).containsOnlyOnce("Locks in the store 'memory' hold within this JVM only");
	}

	@Test
	void memoryStoreStandsBesideOthersIfEnabled() {
		severalStores().withPropertyValues("distributed-lock.memory.enabled=true", "distributed-lock.store=one")
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("one", "two",
					"memory"));
	}

	@Test
	void memoryStoreCanBeSwitchedOff() {
		this.memory.withPropertyValues("distributed-lock.memory.enabled=false")
			.run((context) -> assertThat(
					analyze(context.getStartupFailure(), new NoLockStoreFailureAnalyzer()).getDescription())
				.contains("distributed-lock.store=memory was chosen"));
	}

	@Test
	void memoryStoreBacksOff() {
		InMemoryLockServer server = InMemoryLockServer.builder().storeName("memory").build();
		this.memory.withBean(InMemoryLockStore.class, () -> server.connect("mine"))
			.run((context) -> assertThat(context.getBean(InMemoryLockStore.class).instance()).isEqualTo("mine"));
	}

	@Test
	void switchedOffLocksNeedNoStore(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.enabled=false").withBean(Shop.class).run((context) -> {
			AtomicInteger done = new AtomicInteger();
			context.getBean(Shop.class).buy("42", done::incrementAndGet);
			assertThat(done).hasValue(1);
			context.stop();
			context.start();
		});
		assertThat(output).containsOnlyOnce("run WITHOUT their lock");
	}

	@Test
	void switchedOffLocksAreNoWarningWhereThereAreNone(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).doesNotContain("WITHOUT");
	}

	@Test
	void missingStoreIsAnErrorThatNamesTheDependency() {
		this.runner.run((context) -> {
			FailureAnalysis analysis = analyze(context.getStartupFailure(), new NoLockStoreFailureAnalyzer());
			assertThat(analysis.getDescription()).contains("there is none");
			assertThat(analysis.getAction()).contains("io.distributedlock:lock-spring-boot-starter")
				.contains("distributed-lock.store=memory");
		});
	}

	@Test
	void memoryWithoutItsModuleIsAnErrorThatNamesTheDependency() {
		this.memory.withClassLoader(new FilteredClassLoader("io.distributedlock.test")).run((context) -> {
			FailureAnalysis analysis = analyze(context.getStartupFailure(), new NoLockStoreFailureAnalyzer());
			assertThat(analysis.getDescription()).contains("distributed-lock.store=memory was chosen")
				.contains("lock-test, is not on the classpath");
			assertThat(analysis.getAction()).contains("<artifactId>lock-test</artifactId>")
				.doesNotContain("lock-spring-boot-starter");
		});
	}

	@ParameterizedTest
	@ValueSource(strings = { "jdbc", "etcd", "zookeeper" })
	void chosenStoreThatIsMissingIsAnErrorThatNamesItsStarter(String store) {
		this.runner.withPropertyValues("distributed-lock.store=" + store).run((context) -> {
			FailureAnalysis analysis = analyze(context.getStartupFailure(), new NoLockStoreFailureAnalyzer());
			assertThat(analysis.getDescription()).contains("distributed-lock.store=" + store + " was chosen");
			assertThat(analysis.getAction()).contains("io.distributedlock:lock-spring-boot-starter-" + store);
		});
	}

	@Test
	void severalStoresWithoutChoiceAreAnError() {
		severalStores().run((context) -> {
			FailureAnalysis analysis = analyze(context.getStartupFailure(), new LockStoreChoiceFailureAnalyzer());
			assertThat(analysis.getDescription()).contains("several lock stores (one, two)");
			assertThat(analysis.getAction()).contains("Set distributed-lock.store to one of: one, two");
		});
	}

	@Test
	void unknownStoreIsAnError() {
		severalStores().withPropertyValues("distributed-lock.store=three").run((context) -> {
			FailureAnalysis analysis = analyze(context.getStartupFailure(), new LockStoreChoiceFailureAnalyzer());
			assertThat(analysis.getDescription())
				.contains("'three', but there is no such lock store. There are: one, two");
		});
	}

	@Test
	void memoryWithoutItsModuleBesideOtherStoresIsAnErrorThatNamesTheDependency() {
		severalStores().withPropertyValues("distributed-lock.store=memory")
			.withClassLoader(new FilteredClassLoader(InMemoryLockServer.class))
			.run((context) -> {
				FailureAnalysis analysis = analyze(context.getStartupFailure(), new LockStoreChoiceFailureAnalyzer());
				assertThat(analysis.getAction()).contains("io.distributedlock:lock-test");
			});
	}

	@Test
	void chosenStoreIsTheDefault() {
		severalStores().withPropertyValues("distributed-lock.store=two")
			.run((context) -> assertThat(context.getBean(LockInspector.class).stores()).containsExactly("two", "one"));
	}

	@Test
	void unknownStoreOfAnAnnotationIsAnError() {
		this.memory.withBean(WrongStore.class).run((context) -> {
			FailureAnalysis analysis = analyze(context.getStartupFailure(),
					new InvalidDistributedLockFailureAnalyzer());
			assertThat(analysis.getDescription()).contains("WrongStore.run()").contains("there is no store 'nowhere'");
			assertThat(analysis.getAction()).contains("Use one of [memory]");
		});
	}

	@Test
	void unknownStoreInThePropertiesOfALockIsAnError() {
		this.memory.withPropertyValues("distributed-lock.locks.stock.store=etcd").run((context) -> {
			FailureAnalysis analysis = analyze(context.getStartupFailure(), new LockStoreSetupFailureAnalyzer());
			assertThat(analysis.getDescription())
				.isEqualTo("distributed-lock.locks.stock.store is 'etcd', but there is no such lock store.");
			assertThat(analysis.getAction()).contains("Use one of [memory]")
				.contains("distributed-lock.etcd.endpoints");
		});
	}

	@Test
	void invalidAnnotationIsAnalyzed() {
		InvalidDistributedLockException failure = new InvalidDistributedLockException("Shop.buy()", "it is bad.",
				"Do better.", null);
		FailureAnalysis analysis = new InvalidDistributedLockFailureAnalyzer().analyze(new RuntimeException(failure),
				failure);
		assertThat(analysis.getDescription()).isEqualTo("@DistributedLock on Shop.buy() cannot work: it is bad.");
		assertThat(analysis.getAction()).isEqualTo("Do better.");
	}

	private ApplicationContextRunner severalStores() {
		return this.runner.withBean("one", LockStore.class, () -> store("one"))
			.withBean("two", LockStore.class, () -> store("two"));
	}

	private static LockStore store(String name) {
		return InMemoryLockServer.builder().storeName(name).build().connect("test");
	}

	private static FailureAnalysis analyze(Throwable failure, FailureAnalyzer analyzer) {
		assertThat(failure).isNotNull();
		FailureAnalysis analysis = analyzer.analyze(failure);
		assertThat(analysis).as("analysis of " + NestedExceptionUtils.getMostSpecificCause(failure)).isNotNull();
		return analysis;
	}

	private static void await(CountDownLatch latch) {
		try {
			assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException(ex);
		}
	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId", waitTime = "0")
		public void buy(String productId, Runnable work) {
			work.run();
		}

		@DistributedLock(name = "waiting", onLost = OnLost.INTERRUPT)
		public void waitUntilInterrupted(Runnable work) throws InterruptedException {
			work.run();
			new CountDownLatch(1).await();
		}

	}

	static class WrongStore {

		@DistributedLock(store = "nowhere")
		public void run() {
		}

	}

}
