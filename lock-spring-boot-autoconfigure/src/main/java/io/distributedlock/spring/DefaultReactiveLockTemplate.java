package io.distributedlock.spring;

import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockTemplate;
import io.distributedlock.MultiLease;
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
		return Mono.deferContextual((context) -> begin(request, context).heldForGood())
			.map(DefaultReactiveLockTemplate::lease);
	}

	@Override
	public <T> Mono<T> execute(LockRequest request, Function<Lease, ? extends Mono<T>> work) {
		return Mono.deferContextual((context) -> ReactiveSection.<T>one(() -> begin(request, context),
				(section, held) -> bound(section, () -> work.apply(lease(held))), Mono::error));
	}

	@Override
	public <T> Flux<T> executeMany(LockRequest request, Function<Lease, ? extends Publisher<T>> work) {
		return Flux.deferContextual((context) -> ReactiveSection.<T>many(() -> begin(request, context),
				(section, held) -> bound(section, () -> work.apply(lease(held))), Mono::error));
	}

	@Override
	public Mono<MultiLease> acquireAll(Collection<LockRequest> requests) {
		List<LockRequest> asked = atLeastOne(requests);
		return Mono.deferContextual((context) -> beginAll(asked, context).heldForGood())
			.map(DefaultReactiveLockTemplate::leases);
	}

	@Override
	public <T> Mono<T> executeAll(Collection<LockRequest> requests, Function<MultiLease, ? extends Mono<T>> work) {
		List<LockRequest> asked = atLeastOne(requests);
		return Mono.deferContextual((context) -> ReactiveSection.<T>one(() -> beginAll(asked, context),
				(section, held) -> bound(section, () -> work.apply(leases(held))), Mono::error));
	}

	@Override
	public <T> Flux<T> executeAllMany(Collection<LockRequest> requests,
			Function<MultiLease, ? extends Publisher<T>> work) {
		List<LockRequest> asked = atLeastOne(requests);
		return Flux.deferContextual((context) -> ReactiveSection.<T>many(() -> beginAll(asked, context),
				(section, held) -> bound(section, () -> work.apply(leases(held))), Mono::error));
	}

	private static List<LockRequest> atLeastOne(Collection<LockRequest> requests) {
		List<LockRequest> asked = List.copyOf(requests);
		if (asked.isEmpty()) {
			throw new IllegalArgumentException("There are no requests. Ask for at least one lock.");
		}
		return asked;
	}

	private static Lease lease(HeldLocks held) {
		return held.leases().get(0);
	}

	private static MultiLease leases(HeldLocks held) {
		return ((HeldLocks.Several) held).all();
	}

	private static <T> Publisher<T> bound(ReactiveSection section, Supplier<? extends Publisher<T>> work) {
		LockContext.Scope scope = LockContext.bind(section.owner());
		try {
			return work.get();
		}
		finally {
			scope.close();
		}
	}

	private ReactiveSection begin(LockRequest request, ContextView context) {
		return ReactiveSection.begin(this.locks, request, keeps(request) ? Kept::ifHeld : ReactiveSection.KEEPS_NOTHING,
				context, request.key().name());
	}

	private ReactiveSection beginAll(List<LockRequest> requests, ContextView context) {
		Set<LockKey> kept = requests.stream().filter(this::keeps).map(LockRequest::key).collect(Collectors.toSet());
		return ReactiveSection.beginAll(this.locks, requests, (held) -> keep(held, kept), context,
				requests.get(0).key().name());
	}

	private static void keep(HeldLocks held, Set<LockKey> kept) {
		if (held.isHeld()) {
			held.leases()
				.stream()
				.filter((lease) -> kept.contains(lease.key()))
				.forEach((lease) -> Kept.ifHeld(new HeldLocks.One(lease)));
		}
	}

	private boolean keeps(LockRequest request) {
		LockSettings settings = request.settings()
			.orElse(this.settings.byName().apply(request.key().name()))
			.orElse(this.settings.defaults());
		return Boolean.TRUE.equals(settings.keep());
	}

}
