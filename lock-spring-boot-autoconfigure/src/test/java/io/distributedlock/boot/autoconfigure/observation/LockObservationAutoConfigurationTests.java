package io.distributedlock.boot.autoconfigure.observation;

import java.time.Duration;
import java.util.Deque;

import io.distributedlock.LockListener;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.metrics.LockMetricsAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.micrometer.common.KeyValues;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.observation.Observation;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.test.simple.SimpleSpan;
import io.micrometer.tracing.test.simple.SimpleTracer;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.simple.SimpleMetricsExportAutoConfiguration;
import org.springframework.boot.micrometer.observation.autoconfigure.ObservationAutoConfiguration;
import org.springframework.boot.micrometer.tracing.autoconfigure.MicrometerTracingAutoConfiguration;
import org.springframework.boot.micrometer.tracing.autoconfigure.NoopTracerAutoConfiguration;
import org.springframework.boot.test.context.FilteredClassLoader;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

class LockObservationAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(LockObservationAutoConfiguration.class,
				ObservationAutoConfiguration.class, MicrometerTracingAutoConfiguration.class));

	private final StubLease lease = StubLease.of("stock", 42);

	@Test
	void withATracerAcquireAndHoldAreSpans() {
		this.runner.withUserConfiguration(Tracing.class).run((context) -> {
			LockEvents events = new LockEvents(context.getBean(LockListener.class));
			events.acquired(this.lease);
			events.released(this.lease);
			assertThat(spans(context.getBean(SimpleTracer.class))).extracting(SimpleSpan::getName)
				.containsExactly("lock.acquire stock", "lock.hold stock");
			assertThat(spans(context.getBean(SimpleTracer.class))).allSatisfy((span) -> {
				assertThat(span.getTags()).containsEntry("lock.name", "stock").containsEntry("lock.key", "stock:42");
				assertThat(span.getEndTimestamp()).isAfterOrEqualTo(span.getStartTimestamp());
			});
		});
	}

	@Test
	void theSpanOfAnAcquireBeganWhenTheCallerBeganToWait() {
		this.runner.withUserConfiguration(Tracing.class).run((context) -> {
			context.getBean(LockListener.class).onAcquired(this.lease, Duration.ofSeconds(5));
			SimpleSpan acquire = spans(context.getBean(SimpleTracer.class)).getFirst();
			assertThat(Duration.between(acquire.getStartTimestamp(), acquire.getEndTimestamp()).toMillis())
				.isCloseTo(5000, within(1000L));
		});
	}

	@Test
	void spansBelongToTheTraceOfTheApplicationsObservation() {
		this.runner.withUserConfiguration(Tracing.class).run((context) -> {
			ObservationRegistry application = context.getBean(ObservationRegistry.class);
			Observation.createNotStarted("request", application)
				.observe(() -> new LockEvents(context.getBean(LockListener.class)).acquired(this.lease));
			Deque<SimpleSpan> spans = spans(context.getBean(SimpleTracer.class));
			assertThat(spans).extracting((span) -> span.context().traceId()).containsOnly(traceOf(spans, "request"));
			assertThat(spans).filteredOn((span) -> "lock.acquire stock".equals(span.getName()))
				.singleElement()
				.extracting((span) -> span.context().parentId())
				.isEqualTo(spanOf(spans, "request").context().spanId());
		});
	}

	@Test
	void spansBelongToTheTraceOfASpanThatWasMadeByHand() {
		this.runner.withUserConfiguration(Tracing.class).run((context) -> {
			SimpleTracer tracer = context.getBean(SimpleTracer.class);
			SimpleSpan byHand = tracer.nextSpan().name("by hand").start();
			Tracer.SpanInScope scope = tracer.withSpan(byHand);
			new LockEvents(context.getBean(LockListener.class)).acquired(this.lease);
			scope.close();
			SimpleSpan acquire = spanOf(spans(tracer), "lock.acquire stock");
			assertThat(acquire.context().traceId()).isEqualTo(byHand.context().traceId());
			assertThat(acquire.context().parentId()).isEqualTo(byHand.context().spanId());
		});
	}

	@Test
	void observationsRegisterNoMeterBesideThoseThatAreRecordedDirectly() {
		ApplicationContextRunner metrics = this.runner
			.withConfiguration(AutoConfigurations.of(LockMetricsAutoConfiguration.class, MetricsAutoConfiguration.class,
					CompositeMeterRegistryAutoConfiguration.class, SimpleMetricsExportAutoConfiguration.class));
		metrics.withUserConfiguration(Tracing.class).run((traced) -> {
			traced.getBeansOfType(LockListener.class)
				.values()
				.forEach((listener) -> new LockEvents(listener).all(() -> this.lease));
			Observation.createNotStarted("request", traced.getBean(ObservationRegistry.class)).observe(() -> {
			});
			assertThat(spans(traced.getBean(SimpleTracer.class))).isNotEmpty();
			MeterRegistry registry = traced.getBean(MeterRegistry.class);
			assertThat(registry.find("request").timer()).as("Boot makes meters of observations in this set-up")
				.isNotNull();
			assertThat(registry.getMeters()).extracting(Meter::getId)
				.filteredOn((id) -> id.getName().startsWith("lock."))
				.allSatisfy((id) -> assertThat(id.getTags()).extracting("key")
					.contains("store")
					.doesNotContain("lock.store", "error"))
				.extracting(Meter.Id::getName)
				.doesNotContain("lock.acquire.active", "lock.hold.active");
			// One lease that is released, and one for each way to lose it.
			assertThat(registry.get("lock.acquire").tag("outcome", "acquired").timer().count())
				.isEqualTo(1 + LossReason.values().length);
		});
	}

	@Test
	void theRegistryIsNoBeanSoThatBootKeepsItsOwn() {
		this.runner.withUserConfiguration(Tracing.class)
			.run((context) -> assertThat(context).hasSingleBean(ObservationRegistry.class));
	}

	@Test
	void withoutATracerNothingIsObserved() {
		this.runner.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean(LockObservations.class));
	}

	@Test
	void withATracerThatDoesNothingNothingIsObserved() {
		this.runner.withConfiguration(AutoConfigurations.of(NoopTracerAutoConfiguration.class)).run((context) -> {
			assertThat(context).hasSingleBean(LockObservations.class);
			assertThat(context).getBean(LockObservations.class)
				.extracting("registry")
				.isSameAs(ObservationRegistry.NOOP);
			new LockEvents(context.getBean(LockListener.class)).all(() -> this.lease);
		});
	}

	@Test
	void withoutMicrometerTracingThereIsNone() {
		this.runner.withClassLoader(new FilteredClassLoader("io.micrometer.tracing"))
			.run((context) -> assertThat(context).hasNotFailed().doesNotHaveBean("lockObservations"));
	}

	@Test
	void bootsOwnSwitchTurnsTheSpansOff() {
		this.runner.withUserConfiguration(Tracing.class)
			.withPropertyValues("management.observations.enable.lock=false")
			.run((context) -> {
				new LockEvents(context.getBean(LockListener.class)).all(() -> this.lease);
				assertThat(spans(context.getBean(SimpleTracer.class))).isEmpty();
			});
	}

	@Test
	void aConventionOfTheApplicationNamesTheSpan() {
		this.runner.withUserConfiguration(Tracing.class, OwnConvention.class).run((context) -> {
			new LockEvents(context.getBean(LockListener.class)).acquired(this.lease);
			SimpleSpan acquire = spans(context.getBean(SimpleTracer.class)).getFirst();
			assertThat(acquire.getName()).isEqualTo("waiting for stock");
			assertThat(acquire.getTags()).containsOnlyKeys("team");
		});
	}

	@Test
	void aLostLeaseIsAnErrorOfItsSpan() {
		this.runner.withUserConfiguration(Tracing.class).run((context) -> {
			LockEvents events = new LockEvents(context.getBean(LockListener.class));
			events.acquired(this.lease);
			events.lost(this.lease, io.distributedlock.LossReason.EXPIRED);
			assertThat(spanOf(spans(context.getBean(SimpleTracer.class)), "lock.hold stock").getError())
				.hasMessageContaining("was lost");
		});
	}

	private static Deque<SimpleSpan> spans(SimpleTracer tracer) {
		return tracer.getSpans();
	}

	private static SimpleSpan spanOf(Deque<SimpleSpan> spans, String name) {
		return spans.stream().filter((span) -> name.equals(span.getName())).findFirst().orElseThrow();
	}

	private static String traceOf(Deque<SimpleSpan> spans, String name) {
		return spanOf(spans, name).context().traceId();
	}

	@Configuration(proxyBeanMethods = false)
	static class Tracing {

		@Bean
		SimpleTracer tracer() {
			return new SimpleTracer();
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OwnConvention {

		@Bean
		LockAcquireObservationConvention acquireConvention(Tracer tracer) {
			return new LockAcquireObservationConvention() {

				@Override
				public String getName() {
					return "lock.acquire";
				}

				@Override
				public String getContextualName(LockAcquireObservationContext context) {
					return "waiting for " + context.getLockKey().name();
				}

				@Override
				public KeyValues getLowCardinalityKeyValues(LockAcquireObservationContext context) {
					return KeyValues.of("team", "shop");
				}

			};
		}

	}

}
