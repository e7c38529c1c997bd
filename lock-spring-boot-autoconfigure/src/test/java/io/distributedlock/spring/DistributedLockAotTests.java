package io.distributedlock.spring;

import java.time.Duration;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockKey;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockTransactionAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import org.junit.jupiter.api.Test;

import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.aot.test.generate.TestGenerationContext;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.context.ApplicationContextInitializer;
import org.springframework.context.annotation.AnnotationConfigApplicationContext;
import org.springframework.context.aot.ApplicationContextAotGenerator;
import org.springframework.context.support.GenericApplicationContext;
import org.springframework.core.env.MapPropertySource;
import org.springframework.core.test.tools.CompileWithForkedClassLoader;
import org.springframework.core.test.tools.TestCompiler;
import org.springframework.javapoet.ClassName;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for ahead-of-time processing: what a native image is told, and that the generated
 * code makes the same application.
 */
class DistributedLockAotTests {

	@Test
	void nativeImageIsToldOfTheAnnotatedMethodItsFallbackAndItsArguments() {
		process(Map.of(), (generated, className) -> {
			RuntimeHints hints = generated.getRuntimeHints();
			assertThat(RuntimeHintsPredicates.reflection().onMethodInvocation(Shop.class, "buy")).accepts(hints);
			assertThat(RuntimeHintsPredicates.reflection().onMethodInvocation(Shop.class, "sorry")).accepts(hints);
			assertThat(RuntimeHintsPredicates.reflection().onMethodInvocation(Order.class, "id")).accepts(hints);
			assertThat(RuntimeHintsPredicates.reflection().onMethodInvocation(LockExpressionRoot.class, "methodName"))
				.accepts(hints);
			assertThat(RuntimeHintsPredicates.resource().forResource("io/distributedlock/store/redis/lease.lua"))
				.accepts(hints);
		});
	}

	@Test
	@CompileWithForkedClassLoader
	void generatedApplicationLocks() {
		process(Map.of(), (generated, className) -> runGenerated(generated, className, Map.of(), (context) -> {
			assertThat(context.getBean(Shop.class).buy(new Order("42"))).isEqualTo("stock:42");
			context.getBean(FakeLocks.class)
				.failWith(new LockNotAcquiredException(LockKey.of("x"), LockNotAcquiredException.Reason.BUSY,
						Duration.ZERO, ""));
			assertThat(context.getBean(Shop.class).buy(new Order("42"))).isEqualTo("sorry 42");
		}));
	}

	@Test
	@CompileWithForkedClassLoader
	void locksThatWereOffAtBuildTimeCanBeSwitchedOn() {
		process(Map.of("distributed-lock.enabled", "false"), (generated, className) -> runGenerated(generated,
				className, Map.of("distributed-lock.enabled", "true"),
				(context) -> assertThat(context.getBean(Shop.class).buy(new Order("42"))).isEqualTo("stock:42")));
	}

	@Test
	@CompileWithForkedClassLoader
	void locksThatWereOnAtBuildTimeCanBeSwitchedOff() {
		process(Map.of("distributed-lock.enabled", "true"), (generated, className) -> runGenerated(generated, className,
				Map.of("distributed-lock.enabled", "false"),
				(context) -> assertThat(context.getBean(Shop.class).buy(new Order("42"))).isEqualTo("nothing")));
	}

	private static void process(Map<String, Object> properties, BiConsumer<TestGenerationContext, ClassName> test) {
		AnnotationConfigApplicationContext context = new AnnotationConfigApplicationContext();
		context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("test", properties));
		context.register(AopAutoConfiguration.class, DataRedisAutoConfiguration.class, Shop.class, FakeLocks.class,
				RedisLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class,
				DistributedLockAspectAutoConfiguration.class, DistributedLockTransactionAutoConfiguration.class);
		TestGenerationContext generated = new TestGenerationContext();
		ClassName className = new ApplicationContextAotGenerator().processAheadOfTime(context, generated);
		generated.writeGeneratedContent();
		test.accept(generated, className);
	}

	@SuppressWarnings("unchecked")
	private static void runGenerated(TestGenerationContext generated, ClassName className,
			Map<String, Object> properties, Consumer<GenericApplicationContext> test) {
		TestCompiler.forSystem().with(generated).compile((compiled) -> {
			GenericApplicationContext context = new GenericApplicationContext();
			context.getEnvironment().getPropertySources().addFirst(new MapPropertySource("test", properties));
			compiled.getInstance(ApplicationContextInitializer.class, className.canonicalName()).initialize(context);
			try (context) {
				context.refresh();
				test.accept(context);
			}
		});
	}

	public record Order(String id) {

	}

	public static class Shop {

		@DistributedLock(name = "stock", key = "#order.id", fallback = "sorry")
		public String buy(Order order) {
			return LockContext.current().map((lease) -> lease.key().id()).orElse("nothing");
		}

		String sorry(Order order, LockException ex) {
			return "sorry " + order.id();
		}

	}

}
