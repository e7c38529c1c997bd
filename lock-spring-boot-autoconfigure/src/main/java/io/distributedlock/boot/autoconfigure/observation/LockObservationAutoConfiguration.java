package io.distributedlock.boot.autoconfigure.observation;

import io.micrometer.observation.GlobalObservationConvention;
import io.micrometer.observation.ObservationFilter;
import io.micrometer.observation.ObservationPredicate;
import io.micrometer.observation.ObservationRegistry;
import io.micrometer.tracing.Tracer;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * {@link EnableAutoConfiguration Auto-configuration} of the spans about locks.
 * <p>
 * The observations go to a registry of their own, whose only handler makes spans. In the
 * application's registry Boot's handler would make meters of them as well, beside those
 * that are recorded directly. Predicates, filters and global conventions of the
 * application apply, so {@code management.observations.enable.lock=false} works. The
 * registry is not a bean: it would take the place of Boot's.
 */
@AutoConfiguration(
		afterName = "org.springframework.boot.micrometer.tracing.autoconfigure.MicrometerTracingAutoConfiguration")
@ConditionalOnClass({ Tracer.class, ObservationRegistry.class })
@ConditionalOnBean(Tracer.class)
public final class LockObservationAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean
	LockObservations lockObservations(Tracer tracer, ObjectProvider<ObservationPredicate> predicates,
			ObjectProvider<ObservationFilter> filters, ObjectProvider<GlobalObservationConvention<?>> conventions,
			ObjectProvider<LockAcquireObservationConvention> acquireConvention,
			ObjectProvider<LockHoldObservationConvention> holdConvention) {
		return new LockObservations(registry(tracer, predicates, filters, conventions),
				acquireConvention.getIfAvailable(), holdConvention.getIfAvailable());
	}

	private ObservationRegistry registry(Tracer tracer, ObjectProvider<ObservationPredicate> predicates,
			ObjectProvider<ObservationFilter> filters, ObjectProvider<GlobalObservationConvention<?>> conventions) {
		if (tracer == Tracer.NOOP) {
			return ObservationRegistry.NOOP;
		}
		ObservationRegistry registry = ObservationRegistry.create();
		ObservationRegistry.ObservationConfig config = registry.observationConfig();
		config.observationHandler(new LockSpanHandler(tracer));
		predicates.orderedStream().forEach(config::observationPredicate);
		filters.orderedStream().forEach(config::observationFilter);
		conventions.orderedStream().forEach(config::observationConvention);
		return registry;
	}

}
