package io.distributedlock.boot.autoconfigure;

import java.time.Duration;

import io.distributedlock.LockContext;
import io.distributedlock.LockRequest;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.ReactiveLockTemplate;
import org.junit.jupiter.api.Test;
import org.mockito.Mockito;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link ReactiveLockAutoConfiguration}.
 */
class ReactiveLockAutoConfigurationTests {

	private static final Duration PATIENCE = Duration.ofSeconds(10);

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class,
				ReactiveLockAutoConfiguration.class))
		.withPropertyValues("distributed-lock.store=memory");

	@Test
	void templateLocks() {
		this.runner.run((context) -> {
			ReactiveLockTemplate locks = context.getBean(ReactiveLockTemplate.class);
			assertThat(locks.execute(LockRequest.of("stock"), (lease) -> Mono.just(lease.isHeld())).block(PATIENCE))
				.isTrue();
		});
	}

	@Test
	void annotatedReactiveMethodsAreLocked() {
		this.runner.withBean(Shop.class)
			.run((context) -> assertThat(context.getBean(Shop.class).buy("42").block(PATIENCE)).isEqualTo("stock:42"));
	}

	@Test
	void templateBacksOff() {
		ReactiveLockTemplate mine = Mockito.mock();
		this.runner.withBean(ReactiveLockTemplate.class, () -> mine)
			.run((context) -> assertThat(context.getBean(ReactiveLockTemplate.class)).isSameAs(mine));
	}

	@Test
	void thereIsNoneWithoutReactor() {
		this.runner.withClassLoader(new FilteredClassLoader(Flux.class))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(ReactiveLockTemplate.class));
	}

	@Test
	void applicationThatSwitchesLocksOffNeedsNoStore() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, DistributedLockAutoConfiguration.class,
					DistributedLockAspectAutoConfiguration.class, ReactiveLockAutoConfiguration.class))
			.withPropertyValues("distributed-lock.enabled=false")
			.withBean(Shop.class)
			.run((context) -> assertThat(context.getBean(Shop.class).buy("42").block(PATIENCE)).isEqualTo("nothing"));
	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#productId")
		public Mono<String> buy(String productId) {
			return Mono.just(LockContext.current().map((lease) -> lease.key().toString()).orElse("nothing"));
		}

	}

}
