package io.distributedlock.boot.autoconfigure;

import java.util.function.Supplier;

import io.distributedlock.LockContext;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.InvalidDistributedLockException;
import jakarta.annotation.PostConstruct;
import jakarta.annotation.PreDestroy;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.NestedExceptionUtils;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.InstanceOfAssertFactories.throwable;

/**
 * Beans of all kinds are locked, or it is said at start-up that they cannot be.
 */
class ProxiedBeansTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class))
		.withPropertyValues("distributed-lock.store=memory");

	private void assertRefused(Class<?> bean, String method, String problem) {
		this.runner.withUserConfiguration(bean)
			.run((context) -> assertThat(context).getFailure()
				.extracting(NestedExceptionUtils::getMostSpecificCause, throwable(Throwable.class))
				.isInstanceOf(InvalidDistributedLockException.class)
				.hasMessageContaining(method)
				.hasMessageContaining(problem));
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void methodsOfGenericInterfacesAreLocked(boolean proxyTargetClass) {
		assertLocked(proxyTargetClass, OrderRepository::new);
	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void inheritedMethodsOfGenericInterfacesAreLocked(boolean proxyTargetClass) {
		assertLocked(proxyTargetClass, InheritingRepository::new);
	}

	private void assertLocked(boolean proxyTargetClass, Supplier<Repository<String>> repository) {
		this.runner.withPropertyValues("spring.aop.proxy-target-class=" + proxyTargetClass)
			.withBean("orders", Repository.class, repository::get)
			.run((context) -> {
				assertThat(context).hasNotFailed();
				@SuppressWarnings("unchecked")
				Repository<String> orders = context.getBean(Repository.class);
				assertThat(AopUtils.isJdkDynamicProxy(orders)).isEqualTo(!proxyTargetClass);
				assertThat(orders.save("42")).isEqualTo("orders:42");
			});
	}

	interface Repository<T> {

		String save(T entity);

	}

	static class Saving {

		@DistributedLock(name = "orders", key = "#entity")
		public String save(String entity) {
			return lock();
		}

	}

	static class InheritingRepository extends Saving implements Repository<String> {

	}

	static class OrderRepository implements Repository<String> {

		@Override
		@DistributedLock(name = "orders", key = "#entity")
		public String save(String entity) {
			return lock();
		}

	}

	@ParameterizedTest
	@ValueSource(booleans = { true, false })
	void beansOfAChildContextAreLockedOnceByTheEngineOfTheParent(boolean aspectJ) {
		ApplicationContextRunner either = aspectJ ? this.runner
				: this.runner.withClassLoader(new FilteredClassLoader("org.aspectj"));
		either.run((parent) -> either.withParent(parent).withBean(Shop.class).run((child) -> {
			assertThat(child).hasNotFailed();
			assertThat(child.getBean(LockTemplate.class)).isSameAs(parent.getBean(LockTemplate.class));
			assertThat(child.getBean(Shop.class).buy("42")).isEqualTo("stock:42");
		}));
	}

	@Test
	void mistakesInAChildContextAreFoundAtItsStart() {
		this.runner.run((parent) -> this.runner.withParent(parent)
			.withBean(Mistake.class)
			.withInitializer((context) -> context.addBeanFactoryPostProcessor(
					(beans) -> beans.getBeanDefinition(beans.getBeanNamesForType(Mistake.class)[0]).setLazyInit(true)))
			.run((child) -> assertThat(child).hasFailed()));
	}

	public static class Shop {

		@DistributedLock(name = "stock", key = "#id")
		public String buy(String id) {
			assertThat(LockContext.leases()).hasSize(1);
			return lock();
		}

	}

	static class Mistake {

		@DistributedLock(ttl = "1ms")
		public void buy() {
		}

	}

	@Test
	void methodsThatSpringCallsOnTheBeanItselfAreRefused() {
		assertRefused(AfterConstruction.class, "AfterConstruction.migrate()", "Spring calls it");
		assertRefused(BeforeDestruction.class, "BeforeDestruction.end()", "Spring calls it");
		assertRefused(Initializing.class, "Initializing.afterPropertiesSet()", "Spring calls it");
		assertRefused(Disposing.class, "Disposing.destroy()", "Spring calls it");
	}

	static class AfterConstruction {

		@PostConstruct
		@DistributedLock(name = "migration")
		public void migrate() {
		}

	}

	static class BeforeDestruction {

		@PreDestroy
		@DistributedLock(name = "migration")
		public void end() {
		}

	}

	static class Initializing implements InitializingBean {

		@Override
		@DistributedLock(name = "migration")
		public void afterPropertiesSet() {
		}

	}

	static class Disposing implements DisposableBean {

		@Override
		@DistributedLock(name = "migration")
		public void destroy() {
		}

	}

	@Test
	void initializationOfAnAnnotatedClassIsNoMistake() {
		this.runner.withUserConfiguration(AnnotatedClass.class).run((context) -> {
			assertThat(context).hasNotFailed();
			assertThat(context.getBean(AnnotatedClass.class).buy()).isEqualTo("stock");
		});
	}

	@DistributedLock(name = "stock")
	static class AnnotatedClass implements InitializingBean {

		@Override
		public void afterPropertiesSet() {
			assertThat(lock()).isEqualTo("nothing");
		}

		public String buy() {
			return lock();
		}

	}

	@Test
	void methodThatMakesABeanIsRefused() {
		assertRefused(Factory.class, "Factory.shop()", "makes a bean");
	}

	@Configuration
	static class Factory {

		@Bean
		@DistributedLock(name = "shop")
		public Object shop() {
			return new Object();
		}

	}

	private static String lock() {
		return LockContext.current().map((lease) -> lease.key().toString()).orElse("nothing");
	}

}
