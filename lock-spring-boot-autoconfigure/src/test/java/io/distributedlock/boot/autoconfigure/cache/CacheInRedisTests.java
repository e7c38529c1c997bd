package io.distributedlock.boot.autoconfigure.cache;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import io.distributedlock.spring.cache.LockingCaches;
import io.distributedlock.store.redis.server.RedisServerProcess;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.cache.autoconfigure.CacheAutoConfiguration;
import org.springframework.boot.cache.autoconfigure.RedisCacheManagerBuilderCustomizer;
import org.springframework.boot.cache.autoconfigure.metrics.CacheMetricsAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.cache.Cache;
import org.springframework.cache.CacheManager;
import org.springframework.cache.annotation.Cacheable;
import org.springframework.cache.annotation.EnableCaching;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Configuration;
import org.springframework.data.redis.cache.RedisCacheManager;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;
import static org.awaitility.Awaitility.await;

/**
 * A cache in a real Redis that two applications share.
 */
@ExtendWith(OutputCaptureExtension.class)
class CacheInRedisTests {

	private static RedisServerProcess redis;

	private final ExecutorService threads = Executors.newCachedThreadPool();

	@BeforeAll
	static void start() {
		redis = RedisServerProcess.start();
	}

	@AfterAll
	static void stop() {
		redis.close();
	}

	@BeforeEach
	void empty() {
		redis.command("FLUSHALL");
		Books.loads.set(0);
	}

	@AfterEach
	void endThreads() {
		this.threads.shutdownNow();
	}

	private static ApplicationContextRunner plainRunner() {
		return new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DataRedisAutoConfiguration.class,
					RedisLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class,
					CacheAutoConfiguration.class, CacheLockAutoConfiguration.class))
			.withUserConfiguration(Caching.class)
			.withBean(Books.class)
			.withPropertyValues("spring.data.redis.host=127.0.0.1", "spring.data.redis.port=" + redis.port(),
					"spring.cache.type=redis", "distributed-lock.wait-time=30s");
	}

	private static ApplicationContextRunner runner() {
		return plainRunner().withPropertyValues("distributed-lock.cache.enabled=true");
	}

	@Test
	void valueIsLoadedOnceForAllCallersOfTwoInstances() {
		onTwoInstances(runner(), (books) -> books.title("42"));
		assertThat(Books.loads).hasValue(1);
	}

	@Test
	void valueOfAFutureIsLoadedOnceForAllCallersOfTwoInstances() {
		onTwoInstances(runner(), (books) -> books.futureTitle("42").get(20, TimeUnit.SECONDS));
		assertThat(Books.loads).hasValue(1);
	}

	@Test
	void valueOfAMonoIsLoadedOnceForAllCallersOfTwoInstances() {
		onTwoInstances(runner(), (books) -> books.monoTitle("42").block(Duration.ofSeconds(20)));
		assertThat(Books.loads).hasValue(1);
	}

	@Test
	void decoratedCachesHaveTheirMeters() {
		ApplicationContextRunner measured = runner()
			.withConfiguration(
					AutoConfigurations.of(MetricsAutoConfiguration.class, CompositeMeterRegistryAutoConfiguration.class,
							SimpleMetricsExportAutoConfiguration.class, CacheMetricsAutoConfiguration.class))
			.withPropertyValues("spring.cache.cache-names=books", "spring.cache.redis.enable-statistics=true");
		measured.run(CacheInRedisTests::assertMeasured);
		redis.command("FLUSHALL");
		measured.withBean(RedisCacheManagerBuilderCustomizer.class, () -> (builder) -> builder.transactionAware())
			.run(CacheInRedisTests::assertMeasured);
	}

	@Test
	void metersAreNotNeeded() {
		new ApplicationContextRunner()
			.withConfiguration(
					AutoConfigurations.of(DistributedLockAutoConfiguration.class, CacheLockAutoConfiguration.class))
			.withPropertyValues("distributed-lock.cache.enabled=true")
			.withClassLoader(new FilteredClassLoader("org.springframework.boot.cache.metrics", "io.micrometer"))
			.run((context) -> assertThat(context).hasNotFailed().hasSingleBean(LockingCaches.class));
	}

	private static void assertMeasured(ApplicationContext context) {
		Books books = context.getBean(Books.class);
		books.title("42");
		books.title("42");
		FunctionCounter hits = context.getBean(MeterRegistry.class)
			.get("cache.gets")
			.tag("cache", "books")
			.tag("result", "hit")
			.functionCounter();
		assertThat(hits.count()).isEqualTo(1);
	}

	@Test
	void withoutItEachInstanceLoads() {
		onTwoInstances(plainRunner(), (books) -> books.title("42"));
		assertThat(Books.loads.get()).isGreaterThan(1);
	}

	private void onTwoInstances(ApplicationContextRunner runner, Loading loading) {
		runner.run((first) -> runner.run((second) -> {
			List<Future<String>> titles = new ArrayList<>();
			for (int i = 0; i < 24; i++) {
				Books books = ((i % 2 == 0) ? first : second).getBean(Books.class);
				titles.add(this.threads.submit(() -> loading.load(books)));
			}
			for (Future<String> title : titles) {
				assertThat(title.get(30, TimeUnit.SECONDS)).isEqualTo("title of 42");
			}
			await().untilAsserted(() -> {
				assertThat(held(first)).isZero();
				assertThat(held(second)).isZero();
			});
		}));
	}

	@Test
	void keysAreLoadedIndependently() {
		runner().run((context) -> {
			Books books = context.getBean(Books.class);
			try (Lease other = context.getBean(LockTemplate.class).acquire(LockRequest.of("cache", "books", "1"))) {
				assertThat(books.title("2")).isEqualTo("title of 2");
				assertThat(other.isHeld()).isTrue();
			}
			assertThat(books.edition("1", 2)).isEqualTo("1/2");
			assertThat(books.edition("1", 2)).isEqualTo("1/2");
			assertThat(Books.loads).hasValue(2);
		});
	}

	@Test
	void cachedValuesNeedNoLock() {
		runner().run((context) -> {
			Books books = context.getBean(Books.class);
			books.title("42");
			books.futureTitle("42").get(20, TimeUnit.SECONDS);
			LockTemplate locks = context.getBean(LockTemplate.class);
			long before = acquired(context);
			try (Lease other = locks.acquire(LockRequest.of("cache", "books", "42"))) {
				assertThat(this.threads.submit(() -> books.title("42")).get(5, TimeUnit.SECONDS))
					.isEqualTo("title of 42");
				assertThat(books.futureTitle("42").get(5, TimeUnit.SECONDS)).isEqualTo("title of 42");
				assertThat(other.isHeld()).isTrue();
			}
			assertThat(acquired(context)).isEqualTo(before + 1);
		});
	}

	@Test
	void failureOfTheLoaderIsTheCallersAndReleasesTheLock() {
		runner().run((context) -> {
			Cache cache = context.getBean(CacheManager.class).getCache("books");
			Callable<String> loader = () -> {
				throw new IllegalStateException("no such book");
			};
			assertThatExceptionOfType(Cache.ValueRetrievalException.class).isThrownBy(() -> cache.get("42", loader))
				.withCauseInstanceOf(IllegalStateException.class);
			assertThat(cache.retrieve("42", () -> CompletableFuture.failedFuture(new IllegalStateException("none"))))
				.failsWithin(Duration.ofSeconds(10))
				.withThrowableThat()
				.withRootCauseInstanceOf(IllegalStateException.class);
			await().untilAsserted(() -> assertThat(held(context)).isZero());
		});
	}

	@Test
	void callerThatDoesNotGetTheLockInTimeLoadsItselfAndSaysSo(CapturedOutput output) {
		runner().withPropertyValues("distributed-lock.locks.cache.wait-time=100ms").run((context) -> {
			Books books = context.getBean(Books.class);
			try (Lease other = context.getBean(LockTemplate.class).acquire(LockRequest.of("cache", "books", "42"))) {
				assertThat(this.threads.submit(() -> books.title("42")).get(10, TimeUnit.SECONDS))
					.isEqualTo("title of 42");
				assertThat(other.isHeld()).isTrue();
			}
			assertThat(output).contains("Cache 'books': a value is loaded without the lock");
		});
	}

	@Test
	void callerFailsWithoutTheLockWhereThatIsWanted() {
		runner()
			.withPropertyValues("distributed-lock.locks.cache.wait-time=100ms",
					"distributed-lock.cache.on-failure=throw")
			.run((context) -> {
				Cache cache = context.getBean(CacheManager.class).getCache("books");
				try (Lease other = context.getBean(LockTemplate.class)
					.acquire(LockRequest.of("cache", "books", "42"))) {
					assertThat(this.threads.submit(() -> {
						assertThatExceptionOfType(LockNotAcquiredException.class)
							.isThrownBy(() -> cache.get("42", () -> "loaded"));
						return true;
					}).get(10, TimeUnit.SECONDS)).isTrue();
					assertThat(cache.retrieve("42", () -> CompletableFuture.completedFuture("loaded")))
						.failsWithin(Duration.ofSeconds(10))
						.withThrowableThat()
						.withCauseInstanceOf(LockNotAcquiredException.class);
					assertThat(other.isHeld()).isTrue();
				}
			});
	}

	@Test
	void cancelledCallerDoesNotWaitForTheLock() {
		runner().run((context) -> {
			Cache cache = context.getBean(CacheManager.class).getCache("books");
			LockInspector inspector = context.getBean(LockInspector.class);
			try (Lease other = context.getBean(LockTemplate.class).acquire(LockRequest.of("cache", "books", "42"))) {
				CompletableFuture<String> result = cache.retrieve("42",
						() -> CompletableFuture.completedFuture("loaded"));
				await().until(() -> !inspector.waiting().isEmpty());
				result.cancel(false);
				await().until(() -> inspector.waiting().isEmpty());
				assertThat(other.isHeld()).isTrue();
			}
			assertThat(cache.get("42")).isNull();
			await().untilAsserted(() -> assertThat(held(context)).isZero());
		});
	}

	@Test
	void onlyNamedCachesAreLocked() {
		runner().withPropertyValues("distributed-lock.cache.names=books", "distributed-lock.cache.name=loads")
			.run((context) -> {
				CacheManager manager = context.getBean(CacheManager.class);
				assertThat(manager).isInstanceOf(RedisCacheManager.class);
				assertThat(manager.getCache("other").get("1", () -> acquired(context))).isZero();
				assertThat(manager.getCache("books").get("1", () -> acquired(context))).isEqualTo(1);
				assertThat(context.getBean(LockInspector.class).statistics()).singleElement()
					.satisfies((statistics) -> assertThat(statistics.name()).isEqualTo("loads"));
				assertThat(manager.getCache("books")).isSameAs(manager.getCache("books"));
			});
	}

	@Test
	void cacheWithinTheJvmIsLeftAloneOrRefusedIfNamed(CapturedOutput output) {
		ApplicationContextRunner local = runner().withPropertyValues("spring.cache.type=simple");
		local.run((context) -> {
			assertThat(context.getBean(CacheManager.class).getCache("books").get("1", () -> held(context))).isZero();
			assertThat(output).contains("Cache 'books' is a ConcurrentMapCache, which other instances do not see");
		});
		local.withPropertyValues("distributed-lock.cache.names=books").run((context) -> {
			CacheManager manager = context.getBean(CacheManager.class);
			assertThatIllegalStateException().isThrownBy(() -> manager.getCache("books"))
				.withMessageContaining("distributed-lock.cache.names")
				.withMessageContaining("in a test, set distributed-lock.cache.enabled=false");
		});
	}

	@Test
	void itIsOffUnlessAskedForAndWithLocksSwitchedOffAndWithoutSpringsCache() {
		plainRunner().run((context) -> assertThat(context).doesNotHaveBean(LockingCaches.class));
		runner().withPropertyValues("distributed-lock.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(LockingCaches.class));
		new ApplicationContextRunner().withConfiguration(AutoConfigurations.of(CacheLockAutoConfiguration.class))
			.withClassLoader(new FilteredClassLoader(CacheManager.class))
			.withPropertyValues("distributed-lock.cache.enabled=true")
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("lockingCaches"));
	}

	private static int held(ApplicationContext context) {
		return context.getBean(LockInspector.class).held().size();
	}

	private static int acquired(ApplicationContext context) {
		return context.getBean(LockInspector.class)
			.statistics()
			.stream()
			.mapToInt((statistics) -> (int) statistics.acquired())
			.sum();
	}

	interface Loading {

		String load(Books books) throws Exception;

	}

	@Configuration(proxyBeanMethods = false)
	@EnableCaching
	static class Caching {

	}

	static class Books {

		static final AtomicInteger loads = new AtomicInteger();

		@Cacheable(cacheNames = "books", sync = true)
		public String title(String isbn) {
			loads.incrementAndGet();
			pause();
			return "title of " + isbn;
		}

		@Cacheable(cacheNames = "books", sync = true)
		public CompletableFuture<String> futureTitle(String isbn) {
			return CompletableFuture.supplyAsync(() -> title(isbn), (task) -> new Thread(task).start());
		}

		@Cacheable(cacheNames = "books", sync = true)
		public Mono<String> monoTitle(String isbn) {
			return Mono.fromFuture(() -> futureTitle(isbn));
		}

		@Cacheable(cacheNames = "editions", sync = true)
		public String edition(String isbn, int number) {
			loads.incrementAndGet();
			return isbn + "/" + number;
		}

		// Long enough for all callers to come.
		private static void pause() {
			try {
				Thread.sleep(300);
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}

	}

}
