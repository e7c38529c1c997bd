package io.distributedlock.boot.autoconfigure.observation;

import java.time.Instant;
import java.util.concurrent.TimeUnit;

import io.micrometer.observation.Observation;
import io.micrometer.tracing.Span;
import io.micrometer.tracing.Tracer;
import io.micrometer.tracing.handler.TracingObservationHandler;

/**
 * Makes a span of each observation. Unlike Micrometer's default handler it can start a
 * span in the past: a listener hears of an acquire only when it has ended.
 */
final class LockSpanHandler implements TracingObservationHandler<LockObservationContext> {

	private final Tracer tracer;

	LockSpanHandler(Tracer tracer) {
		this.tracer = tracer;
	}

	@Override
	public void onStart(LockObservationContext context) {
		Span parent = getParentSpan(context);
		if (parent == null) {
			parent = this.tracer.currentSpan();
		}
		Instant start = context.getStartTime();
		Span.Builder builder = this.tracer.spanBuilder()
			.startTimestamp(
					TimeUnit.SECONDS.toMicros(start.getEpochSecond()) + TimeUnit.NANOSECONDS.toMicros(start.getNano()),
					TimeUnit.MICROSECONDS);
		builder = (parent != null) ? builder.setParent(parent.context()) : builder.setNoParent();
		getTracingContext(context).setSpan(builder.start());
	}

	@Override
	public void onStop(LockObservationContext context) {
		Span span = getRequiredSpan(context);
		span.name(getSpanName(context));
		tagSpan(context, span);
		endSpan(context, span);
	}

	@Override
	public boolean supportsContext(Observation.Context context) {
		return context instanceof LockObservationContext;
	}

	@Override
	public Tracer getTracer() {
		return this.tracer;
	}

}
