package io.distributedlock.boot.autoconfigure.health;

import io.distributedlock.LockListener;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.boot.health.contributor.Status;
import org.springframework.boot.health.registry.HealthContributorRegistry;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

class LockHealthContributorAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(LockHealthContributorAutoConfiguration.class,
				HealthContributorAutoConfiguration.class, HealthContributorRegistryAutoConfiguration.class));

	@Test
	void itIsRegisteredAsLockAndHearsOfLosses() {
		this.runner.run((context) -> {
			HealthIndicator lock = (HealthIndicator) context.getBean(HealthContributorRegistry.class)
				.getContributor("lock");
			assertThat(lock.health().getStatus()).isEqualTo(Status.UP);
			new LockEvents(context.getBean(LockListener.class)).lost(StubLease.of("stock", 1), LossReason.EXPIRED);
			assertThat(lock.health().getStatus()).isEqualTo(LockHealthIndicator.DEGRADED);
		});
	}

	@Test
	void itCanBeSwitchedOff() {
		this.runner.withPropertyValues("management.health.lock.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(LockHealthIndicator.class));
	}

	@Test
	void itIsOffWithAllDefaultIndicators() {
		this.runner.withPropertyValues("management.health.defaults.enabled=false")
			.run((context) -> assertThat(context).doesNotHaveBean(LockHealthIndicator.class));
	}

	@Test
	void withoutBootsHealthThereIsNone() {
		new ApplicationContextRunner().withUserConfiguration(Imported.class)
			.withClassLoader(new FilteredClassLoader("org.springframework.boot.health"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("lockHealthIndicator"));
	}

	@Test
	void anIndicatorOfThatNameTakesItsPlace() {
		this.runner.withUserConfiguration(OwnIndicator.class)
			.run((context) -> assertThat(context).doesNotHaveBean(LockHealthIndicator.class)
				.hasBean("lockHealthIndicator"));
	}

	@Test
	void theWindowIsAProperty() {
		this.runner.withPropertyValues("distributed-lock.health.window=5m")
			.run((context) -> assertThat(context.getBean(LockHealthIndicator.class).health().getDetails())
				.containsEntry("window", "PT5M"));
	}

	@Test
	void aWindowOfZeroIsRefusedWithTheProperty() {
		this.runner.withPropertyValues("distributed-lock.health.window=0")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContaining("distributed-lock.health.window"));
	}

	// Imported by name, as Boot does, so that its annotations may be missing.
	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration(LockHealthContributorAutoConfiguration.class)
	static class Imported {

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnIndicator {

		@Bean
		HealthIndicator lockHealthIndicator() {
			return () -> Health.up().build();
		}

	}

}
