package io.distributedlock.boot.autoconfigure.endpoint;

import java.lang.management.ManagementFactory;
import java.util.List;

import javax.management.MBeanServer;
import javax.management.ObjectName;

import io.distributedlock.LockKey;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.support.StubInspector;
import org.junit.jupiter.api.Test;

import org.springframework.aot.hint.MemberCategory;
import org.springframework.aot.hint.RuntimeHints;
import org.springframework.aot.hint.annotation.ReflectiveRuntimeHintsRegistrar;
import org.springframework.aot.hint.predicate.RuntimeHintsPredicates;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.jmx.JmxEndpointAutoConfiguration;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.autoconfigure.jmx.JmxAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.context.runner.WebApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

class LocksEndpointAutoConfigurationTests {

	private static final String EXPOSED = "management.endpoints.web.exposure.include=locks";

	private final WebApplicationContextRunner web = new WebApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(LocksEndpointAutoConfiguration.class))
		.withUserConfiguration(Inspector.class);

	@Test
	void exposedOnTheWebThereIsTheEndpointWithItsExtension() {
		this.web.withPropertyValues(EXPOSED)
			.run((context) -> assertThat(context).hasSingleBean(LocksEndpoint.class)
				.hasSingleBean(LocksEndpointWebExtension.class));
	}

	@Test
	void notExposedThereIsNone() {
		this.web.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(LocksEndpoint.class));
	}

	@Test
	void withAccessNoneThereIsNone() {
		this.web.withPropertyValues(EXPOSED, "management.endpoint.locks.access=NONE")
			.run((context) -> assertThat(context).doesNotHaveBean(LocksEndpoint.class));
	}

	@Test
	void withoutLocksThereIsNone() {
		new WebApplicationContextRunner().withConfiguration(AutoConfigurations.of(LocksEndpointAutoConfiguration.class))
			.withPropertyValues(EXPOSED)
			.run((context) -> assertThat(context).hasNotFailed()
				.doesNotHaveBean(LocksEndpoint.class)
				.doesNotHaveBean(LocksEndpointWebExtension.class));
	}

	@Test
	void withoutTheActuatorThereIsNone() {
		new ApplicationContextRunner().withUserConfiguration(Imported.class)
			.withClassLoader(new FilteredClassLoader("org.springframework.boot.actuate"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("locksEndpoint"));
	}

	@Test
	void anOwnEndpointTakesItsPlace() {
		this.web.withPropertyValues(EXPOSED)
			.withUserConfiguration(OwnEndpoint.class)
			.run((context) -> assertThat(context).getBeanNames(LocksEndpoint.class).containsExactly("myLocksEndpoint"));
	}

	@Test
	void theInstanceIsCalledAsInTheStores() {
		this.web.withPropertyValues(EXPOSED)
			.withBean(LockInstanceId.class, () -> new LockInstanceId("app-7"))
			.run((context) -> assertThat(context.getBean(LocksEndpoint.class).locks(null).instance())
				.isEqualTo("app-7"));
	}

	@Test
	void whatItReturnsCanBeWrittenInANativeImage() {
		RuntimeHints hints = new RuntimeHints();
		new ReflectiveRuntimeHintsRegistrar().registerRuntimeHints(hints, LocksEndpoint.class,
				LocksEndpointWebExtension.class);
		for (Class<?> type : List.of(LocksDescriptor.class, LocksDescriptor.HeldLockDescriptor.class,
				LocksDescriptor.WaitedLockDescriptor.class, LocksDescriptor.LockStatisticsDescriptor.class,
				LockDescriptor.class, LockDescriptor.StoredLockDescriptor.class, LockDescriptor.QueuedDescriptor.class,
				ForceReleaseDescriptor.class)) {
			assertThat(RuntimeHintsPredicates.reflection()
				.onType(type)
				.withMemberCategory(MemberCategory.INVOKE_DECLARED_CONSTRUCTORS)).as(type.getSimpleName())
				.accepts(hints);
		}
	}

	@Test
	void itWorksOverJmxWithoutAWebServer() {
		new ApplicationContextRunner()
			.withConfiguration(AutoConfigurations.of(LocksEndpointAutoConfiguration.class,
					EndpointAutoConfiguration.class, JmxEndpointAutoConfiguration.class, JmxAutoConfiguration.class))
			.withUserConfiguration(Inspector.class)
			.withPropertyValues("spring.jmx.enabled=true", "management.endpoints.jmx.exposure.include=locks",
					"management.endpoint.locks.access=UNRESTRICTED", "management.endpoints.jmx.domain=lock.test")
			.run((context) -> {
				assertThat(context).doesNotHaveBean(LocksEndpointWebExtension.class);
				StubInspector locks = context.getBean(StubInspector.class);
				locks.heldElsewhere(LockKey.of("stock", "eu", 42));
				assertThat(invoke("locks", new Object[] { null })).asString().contains("instance");
				assertThat(invoke("lock", "stock", List.of("eu", "42"), null, null)).asString().contains("app-2");
				assertThat(invoke("forceRelease", "stock", List.of("eu", "42"), 15L, null, null)).asString()
					.contains("RELEASED");
				assertThat(locks.stored).isEmpty();
			});
	}

	private static Object invoke(String operation, Object... arguments) throws Exception {
		MBeanServer server = ManagementFactory.getPlatformMBeanServer();
		ObjectName name = new ObjectName("lock.test:type=Endpoint,name=Locks");
		return server.invoke(name, operation, arguments, new String[arguments.length]);
	}

	@Configuration(proxyBeanMethods = false)
	static class Inspector {

		@Bean
		StubInspector inspector() {
			return new StubInspector();
		}

	}

	// Imported by name, as Boot does, so that its annotations may be missing.
	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration(LocksEndpointAutoConfiguration.class)
	static class Imported {

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnEndpoint {

		@Bean
		LocksEndpoint myLocksEndpoint(StubInspector inspector) {
			return new LocksEndpoint(inspector, "mine", List.of(), (event) -> {
			});
		}

	}

}
