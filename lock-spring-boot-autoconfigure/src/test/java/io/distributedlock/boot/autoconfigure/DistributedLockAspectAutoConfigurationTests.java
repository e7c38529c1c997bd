package io.distributedlock.boot.autoconfigure;

import java.lang.reflect.Proxy;
import java.time.Duration;

import io.distributedlock.LockContext;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.cache.CacheLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.integration.IntegrationLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.shedlock.ShedLockAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.DistributedLockAdvisor;
import io.distributedlock.spring.FakeLocks;
import io.distributedlock.spring.InvalidDistributedLockException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.boot.LazyInitializationBeanFactoryPostProcessor;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Scope;
import org.springframework.context.annotation.ScopedProxyMode;
import org.springframework.core.NestedExceptionUtils;
import org.springframework.core.PriorityOrdered;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.throwable;

/**
 * Tests for {@link DistributedLockAspectAutoConfiguration}.
 */
@ExtendWith(OutputCaptureExtension.class)
class DistributedLockAspectAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DistributedLockAutoConfiguration.class,
				DistributedLockAspectAutoConfiguration.class))
		.withBean(FakeLocks.class);

	@Test
	void annotatedBeansAreLocked() {
		this.runner.withBean(Shop.class).run((context) -> {
			assertThat(AopUtils.isCglibProxy(context.getBean(Shop.class))).isTrue();
			assertThat(context.getBean(Shop.class).buy("42")).isEqualTo("stock:42");
		});
	}

	@Test
	void annotatedBeansAreLockedWithoutAopAutoConfiguration() {
		new ApplicationContextRunner().withBean(FakeLocks.class)
			.withConfiguration(AutoConfigurations.of(DistributedLockAspectAutoConfiguration.class))
			.withBean(Shop.class)
			.run((context) -> assertThat(context.getBean(Shop.class).buy("42")).isEqualTo("stock:42"));
		this.runner.withPropertyValues("spring.aop.auto=false")
			.withBean(Shop.class)
			.run((context) -> assertThat(context.getBean(Shop.class).buy("42")).isEqualTo("stock:42"));
	}

	@Test
	void aspectJIsNotNeeded() {
		this.runner.withClassLoader(new FilteredClassLoader("org.aspectj"))
			.withBean(Shop.class)
			.run((context) -> assertThat(context.getBean(Shop.class).buy("42")).isEqualTo("stock:42"));
	}

	@Test
	void interfaceProxiesAreLockedToo() {
		this.runner.withPropertyValues("spring.aop.proxy-target-class=false")
			.withBean("depot", Depot.class, DepotService::new)
			.run((context) -> {
				assertThat(AopUtils.isJdkDynamicProxy(context.getBean(Depot.class))).isTrue();
				assertThat(context.getBean(Depot.class).take("7")).isEqualTo("depot:7");
			});
	}

	@Test
	void methodOutsideOfTheInterfacesOfAnInterfaceProxyIsAnError() {
		this.runner.withPropertyValues("spring.aop.proxy-target-class=false")
			.withBean("depot", Depot.class, HiddenDepotService::new)
			.run((context) -> assertThat(context).getFailure()
				.extracting(NestedExceptionUtils::getMostSpecificCause, throwable(Throwable.class))
				.isInstanceOf(InvalidDistributedLockException.class)
				.hasMessageContaining("HiddenDepotService.hidden()")
				.hasMessageContaining("interface proxy"));
	}

	@Test
	void interfaceWithoutImplementationClassIsLocked() {
		this.runner
			.withBean("depot", Depot.class,
					() -> (Depot) Proxy.newProxyInstance(Depot.class.getClassLoader(), new Class<?>[] { Depot.class },
							(proxy, method, args) -> LockContext.current().map((lease) -> lease.key().id()).orElse("")))
			.run((context) -> assertThat(context.getBean(Depot.class).take("7")).isEqualTo("depot:7"));
	}

	@Test
	void advisorBacksOff() {
		this.runner.withBean("mine", DistributedLockAdvisor.class, () -> new DistributedLockAdvisor(() -> {
			throw new IllegalStateException();
		}, () -> {
			throw new IllegalStateException();
		}, (text) -> text)).run((context) -> assertThat(context).hasSingleBean(DistributedLockAdvisor.class));
	}

	@Test
	void lockTemplateIsNotMadeBeforeTheFirstCall() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(DistributedLockAspectAutoConfiguration.class))
			.withBean(Shop.class)
			.withUserConfiguration(LazyLocks.class)
			.run((context) -> {
				assertThat(context.getBeanFactory().containsSingleton("lazyLocks")).isFalse();
				assertThat(context.getBean(Shop.class).buy("42")).isEqualTo("stock:42");
				assertThat(context.getBeanFactory().containsSingleton("lazyLocks")).isTrue();
			});
	}

	@Test
	void disabledMeansNoLocksAndOneWarning(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.enabled=false").withBean(Shop.class).run((context) -> {
			assertThat(context.getBean(Shop.class).buy("42")).isEmpty();
			assertThat(context.getBean(FakeLocks.class).requests).isEmpty();
		});
		assertThat(output).containsOnlyOnce("distributed-lock.enabled is false")
			.contains("2 methods with @DistributedLock run WITHOUT");
	}

	@Test
	void propertiesWinOverTheAnnotationAndGlobalsFillTheRest() {
		this.runner
			.withPropertyValues("distributed-lock.locks.stock.ttl=7s", "distributed-lock.ttl=20s",
					"distributed-lock.wait-time=9s", "distributed-lock.max-hold=5m", "stock.wait=4s")
			.withBean(Shop.class)
			.run((context) -> {
				context.getBean(Shop.class).buy("42");
				FakeLocks locks = context.getBean(FakeLocks.class);
				assertThat(locks.request().settings().ttl()).isEqualTo(Duration.ofSeconds(7));
				assertThat(locks.request().settings().waitTime()).isEqualTo(Duration.ofSeconds(4));
				assertThat(locks.request().settings().maxHold()).isEqualTo(Duration.ofMinutes(5));
				context.getBean(Shop.class).sweep();
				assertThat(locks.request().settings().ttl()).isEqualTo(Duration.ofSeconds(20));
				assertThat(locks.request().settings().waitTime()).isEqualTo(Duration.ofSeconds(9));
			});
	}

	@Test
	void entriesMatchDefaultNamesRelaxed(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.locks.shop-sweep.ttl=7s")
			.withBean(Shop.class)
			.run((context) -> {
				context.getBean(Shop.class).sweep();
				FakeLocks locks = context.getBean(FakeLocks.class);
				assertThat(locks.request().key().name()).isEqualTo("Shop.sweep");
				assertThat(locks.request().settings().ttl()).isEqualTo(Duration.ofSeconds(7));
			});
		assertThat(output).doesNotContain("matches the name of no");
	}

	@Test
	void entryThatMatchesNoLockIsAWarningWithTheNearestName(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.locks.stcok.ttl=7s", "distributed-lock.locks.elephant.ttl=7s")
			.withBean(Shop.class)
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output)
			.contains("distributed-lock.locks.stcok matches the name of no @DistributedLock. Did you mean 'stock'?")
			.contains("distributed-lock.locks.elephant matches the name of no @DistributedLock.");
	}

	@Test
	void entryThatIsCalledAsAMethodIsAWarningWithTheNameOfItsLock(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.locks.shop-buy.ttl=7s")
			.withBean(Shop.class)
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output)
			.contains("distributed-lock.locks.shop-buy matches the name of no @DistributedLock."
					+ " The method Shop.buy has the name 'stock'.")
			.doesNotContain("Did you mean");
	}

	@Test
	void entriesForNamesOfAdaptersAreNoWarning(CapturedOutput output) {
		ApplicationContextRunner adapters = this.runner
			.withConfiguration(AutoConfigurations.of(CacheLockAutoConfiguration.class, ShedLockAutoConfiguration.class,
					IntegrationLockAutoConfiguration.class))
			.withPropertyValues("distributed-lock.locks.cache.ttl=7s", "distributed-lock.locks.shedlock.ttl=7s",
					"distributed-lock.locks.flows.ttl=7s", "distributed-lock.integration.name=flows",
					"distributed-lock.cache.enabled=true");
		adapters.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).doesNotContain("matches the name of no");
		adapters
			.withPropertyValues("distributed-lock.cache.enabled=false", "distributed-lock.shedlock.enabled=false",
					"distributed-lock.integration.enabled=false")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains("distributed-lock.locks.cache matches the name of no")
			.contains("distributed-lock.locks.shedlock matches the name of no")
			.contains("distributed-lock.locks.flows matches the name of no");
	}

	@Test
	void nameOfAnAdapterIsAHintToo(CapturedOutput output) {
		this.runner.withConfiguration(AutoConfigurations.of(ShedLockAutoConfiguration.class))
			.withPropertyValues("distributed-lock.locks.shedlok.ttl=7s")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains(
				"distributed-lock.locks.shedlok matches the name of no @DistributedLock. Did you mean 'shedlock'?");
	}

	@Test
	void shortTtlIsAWarningWithAdvice(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.locks.stock.ttl=2s")
			.withBean(Shop.class)
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains("The ttl of lock 'stock' on ")
			.contains("2000ms, shorter than three command timeouts (3000ms)")
			.contains("here 333ms instead of 1000ms")
			.contains("lower distributed-lock.command-timeout to 333ms");
	}

	@Test
	void shortTtlIsNoWarningOnceItsAdviceIsFollowed(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.locks.stock.ttl=2s", "distributed-lock.command-timeout=333ms")
			.withBean(Shop.class)
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).doesNotContain("command timeouts");
	}

	@Test
	void contradictionOfAnnotationAndPropertiesIsAnError() {
		this.runner.withPropertyValues("distributed-lock.locks.stock.min-hold=10m", "distributed-lock.max-hold=5m")
			.withBean(Shop.class)
			.run((context) -> assertThat(context).getFailure()
				.extracting(NestedExceptionUtils::getMostSpecificCause, throwable(Throwable.class))
				.hasMessageContaining("minHold (PT10M) is longer than maxHold (PT5M)"));
	}

	@Test
	void mistakeInALazyBeanIsFoundAtStartUp() {
		this.runner.withUserConfiguration(LazyMistake.class)
			.run((context) -> assertThat(context).getFailure()
				.extracting(NestedExceptionUtils::getMostSpecificCause, throwable(Throwable.class))
				.isInstanceOf(InvalidDistributedLockException.class)
				.hasMessageContaining("Mistake.buy(String)"));
	}

	@Test
	void lazyInitializationKeepsTheCheck() {
		this.runner.withUserConfiguration(LazyMistake.class)
			.withInitializer(
					(context) -> context.addBeanFactoryPostProcessor(new LazyInitializationBeanFactoryPostProcessor()))
			.run((context) -> assertThat(context).getFailure()
				.extracting(NestedExceptionUtils::getMostSpecificCause, throwable(Throwable.class))
				.isInstanceOf(InvalidDistributedLockException.class));
	}

	@Test
	void beanThatWasMadeTooEarlyIsAWarning(CapturedOutput output) {
		this.runner.withUserConfiguration(TooEarly.class).run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains("Bean 'early' has @DistributedLock on").contains("NOT locked");
	}

	@Test
	void scopedBeansAreLockedOnceAndWithoutWarning(CapturedOutput output) {
		this.runner.withUserConfiguration(Scoped.class).run((context) -> {
			assertThat(context.getBean(Shop.class).buy("42")).isEqualTo("stock:42");
			assertThat(context.getBean(FakeLocks.class).requests).hasSize(1);
		});
		assertThat(output).doesNotContain("NOT locked");
	}

	@Test
	void missingPlaceholderIsAnError() {
		this.runner.withBean(Placeholder.class)
			.run((context) -> assertThat(context).getFailure()
				.extracting(NestedExceptionUtils::getMostSpecificCause, throwable(Throwable.class))
				.isInstanceOf(InvalidDistributedLockException.class)
				.hasMessageContaining("${no.such.property}")
				.hasMessageContaining("Set the property"));
	}

	public static class Shop {

		@DistributedLock(name = "stock", key = "#productId", ttl = "10s", waitTime = "${stock.wait:2s}")
		public String buy(String productId) {
			return LockContext.current().map((lease) -> lease.key().id()).orElse("");
		}

		@DistributedLock
		public void sweep() {
		}

	}

	interface Depot {

		@DistributedLock(name = "depot", key = "#p0")
		String take(String id);

	}

	static class DepotService implements Depot {

		@Override
		public String take(String id) {
			return LockContext.current().map((lease) -> lease.key().id()).orElse("");
		}

	}

	static class HiddenDepotService extends DepotService {

		@DistributedLock
		public void hidden() {
		}

	}

	static class Mistake {

		@DistributedLock(key = "#nobody")
		public void buy(String productId) {
		}

	}

	static class Placeholder {

		@DistributedLock(ttl = "${no.such.property}")
		public void buy() {
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class LazyMistake {

		@Bean
		@Lazy
		Mistake mistake() {
			return new Mistake();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class Scoped {

		@Bean
		@Scope(value = "prototype", proxyMode = ScopedProxyMode.TARGET_CLASS)
		Shop scoped() {
			return new Shop();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class LazyLocks {

		@Bean
		@Lazy
		LockTemplate lazyLocks() {
			return new FakeLocks();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class TooEarly {

		@Bean
		static Shop early() {
			return new Shop();
		}

		@Bean
		static EarlyPostProcessor needsShop(Shop early) {
			return new EarlyPostProcessor() {
			};
		}

	}

	interface EarlyPostProcessor extends BeanPostProcessor, PriorityOrdered {

		@Override
		default int getOrder() {
			return HIGHEST_PRECEDENCE;
		}

	}

}
