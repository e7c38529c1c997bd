package io.distributedlock.spring;

import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockTemplate;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

/**
 * A {@link ReactiveLockTemplate} over a {@link LockTemplate}.
 */
public final class DefaultReactiveLockTemplate implements ReactiveLockTemplate {

	private final LockTemplate locks;

	private final AspectSettings settings;

	/**
	 * Makes a template.
	 * @param locks takes the locks
	 * @param settings tells which locks are kept where the request leaves it open
	 */
	public DefaultReactiveLockTemplate(LockTemplate locks, AspectSettings settings) {
		this.locks = locks;
		this.settings = settings;
	}

	@Override
	public Mono<Lease> acquire(LockRequest request) {
		return Mono.deferContextual((context) -> begin(request, context).leaseForGood());
	}

	@Override
	public <T> Mono<T> execute(LockRequest request, Function<Lease, ? extends Mono<T>> work) {
		return Mono.deferContextual((context) -> ReactiveSection.<T>one(() -> begin(request, context),
				(section, lease) -> bound(section, lease, work), Mono::error));
	}

	@Override
	public <T> Flux<T> executeMany(LockRequest request, Function<Lease, ? extends Publisher<T>> work) {
		return Flux.deferContextual((context) -> ReactiveSection.<T>many(() -> begin(request, context),
				(section, lease) -> bound(section, lease, work), Mono::error));
	}

	private static <T> Publisher<T> bound(ReactiveSection section, Lease lease,
			Function<Lease, ? extends Publisher<T>> work) {
		LockContext.Scope scope = LockContext.bind(section.owner());
		try {
			return work.apply(lease);
		}
		finally {
			scope.close();
		}
	}

	private ReactiveSection begin(LockRequest request, ContextView context) {
		LockSettings settings = request.settings()
			.orElse(this.settings.byName().apply(request.key().name()))
			.orElse(this.settings.defaults());
		return ReactiveSection.begin(this.locks, request, Boolean.TRUE.equals(settings.keep()), context,
				request.key().name());
	}

}
