package io.distributedlock.boot.autoconfigure.metrics;

import io.distributedlock.LockListener;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

class LockMetricsAutoConfigurationTests {

	private final ApplicationContextRunner bare = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(LockMetricsAutoConfiguration.class));

	private final ApplicationContextRunner runner = this.bare
		.withConfiguration(AutoConfigurations.of(MetricsAutoConfiguration.class,
				CompositeMeterRegistryAutoConfiguration.class, SimpleMetricsExportAutoConfiguration.class));

	@Test
	void withARegistryThereIsAListenerThatRecordsIntoIt() {
		this.runner.run((context) -> {
			new LockEvents(context.getBean(LockListener.class)).acquired(StubLease.of("stock", 1));
			assertThat(context.getBean(MeterRegistry.class).get("lock.held").gauge().value()).isEqualTo(1);
		});
	}

	@Test
	void withoutARegistryThereIsNone() {
		this.bare.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(LockMetrics.class));
	}

	@Test
	void withoutMicrometerThereIsNone() {
		this.runner.withClassLoader(new FilteredClassLoader("io.micrometer.core"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("lockMetrics"));
	}

	@Test
	void anOwnOneTakesItsPlace() {
		this.runner.withUserConfiguration(OwnMetrics.class)
			.run((context) -> assertThat(context).getBean(LockMetrics.class)
				.isSameAs(context.getBean("myMetrics", LockMetrics.class)));
	}

	@Test
	void theLimitOfNamesIsAProperty() {
		this.runner.withPropertyValues("distributed-lock.metrics.max-names=1").run((context) -> {
			LockEvents events = new LockEvents(context.getBean(LockListener.class));
			events.acquired(StubLease.of("a", 1));
			events.acquired(StubLease.of("b", 1));
			MeterRegistry registry = context.getBean(MeterRegistry.class);
			assertThat(registry.find("lock.held").tag("lock.name", "b").gauge()).isNull();
			assertThat(registry.get("lock.held").tag("lock.name", "other").gauge().value()).isEqualTo(1);
		});
	}

	@Test
	void aLimitBelowOneIsRefusedWithTheProperty() {
		this.runner.withPropertyValues("distributed-lock.metrics.max-names=0")
			.run((context) -> assertThat(context).getFailure()
				.rootCause()
				.hasMessageContaining("distributed-lock.metrics.max-names"));
	}

	@Test
	void bootsOwnSwitchTurnsTheMetersOff() {
		this.runner.withPropertyValues("management.metrics.enable.lock=false").run((context) -> {
			new LockEvents(context.getBean(LockListener.class)).all(() -> StubLease.of("stock", 1));
			assertThat(context.getBean(MeterRegistry.class).find("lock.acquire").timers()).isEmpty();
		});
	}

	@Configuration(proxyBeanMethods = false)
	static class OwnMetrics {

		@Bean
		LockMetrics myMetrics() {
			return new LockMetrics(new SimpleMeterRegistry(), 5);
		}

	}

}
