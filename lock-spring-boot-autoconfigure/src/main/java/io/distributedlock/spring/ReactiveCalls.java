package io.distributedlock.spring;

import java.util.List;
import java.util.function.Consumer;
import java.util.function.Supplier;

import io.distributedlock.LockContext;
import io.distributedlock.LockException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import reactor.core.Exceptions;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.util.context.ContextView;

import org.springframework.aop.ProxyMethodInvocation;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;

/**
 * Runs annotated methods that return a publisher. The condition and the key are computed,
 * the lock is taken, and the method is called once per subscription.
 */
final class ReactiveCalls {

	private static final Logger logger = LoggerFactory.getLogger(ReactiveCalls.class);

	private static final String FLOW = "kotlinx.coroutines.flow.Flow";

	private final Supplier<LockTemplate> locks;

	ReactiveCalls(Supplier<LockTemplate> locks) {
		this.locks = locks;
	}

	/**
	 * Makes what the method returns to its caller.
	 * @param call gives the call anew for each subscription
	 */
	Object invoke(LockOperation operation, Supplier<MethodInvocation> call) {
		if (operation.style() == MethodStyle.SUSPENDING) {
			// Spring's proxy suspends the caller until the publisher ends.
			return operation.returnType().getName().equals(FLOW)
					? Flux.deferContextual((context) -> many(operation, call.get(), context))
					: Mono.deferContextual((context) -> one(operation, call.get(), context));
		}
		ReactiveAdapter adapter = adapter(operation.returnType());
		Object result = adapter.fromPublisher(
				adapter.isMultiValue() ? Flux.deferContextual((context) -> many(operation, call.get(), context))
						: Mono.deferContextual((context) -> one(operation, call.get(), context)));
		return operation.returnType().getName().equals(FLOW) ? CoroutineOwner.inStep(result) : result;
	}

	private Mono<Object> one(LockOperation operation, MethodInvocation call, ContextView context) {
		if (!operation.applies(call.getArguments())) {
			return Mono.fromDirect(proceed(call));
		}
		List<LockRequest> requests = operation.requests(call.getArguments());
		return ReactiveSection.one(() -> begin(operation, requests, context),
				(section, held) -> proceed(operation, call, section), (failure) -> refused(operation, call, failure));
	}

	private Flux<Object> many(LockOperation operation, MethodInvocation call, ContextView context) {
		if (!operation.applies(call.getArguments())) {
			return Flux.from(proceed(call));
		}
		List<LockRequest> requests = operation.requests(call.getArguments());
		return ReactiveSection.many(() -> begin(operation, requests, context),
				(section, held) -> proceed(operation, call, section), (failure) -> refused(operation, call, failure));
	}

	private ReactiveSection begin(LockOperation operation, List<LockRequest> requests, ContextView context) {
		Consumer<HeldLocks> keep = operation.keeps() ? Kept::ifHeld : ReactiveSection.KEEPS_NOTHING;
		return operation.locksSeveral()
				? ReactiveSection.beginAll(this.locks.get(), requests, keep, context, operation.location())
				: ReactiveSection.begin(this.locks.get(), requests.get(0), keep, context, operation.location());
	}

	private static Publisher<Object> proceed(LockOperation operation, MethodInvocation call, ReactiveSection section) {
		LockContext.Scope scope = LockContext.bind(section.owner());
		try {
			return isKotlin(operation) ? proceedInCoroutine(operation, call, section) : publisher(call.proceed());
		}
		catch (Throwable ex) {
			Exceptions.throwIfJvmFatal(ex);
			return Mono.error(ex);
		}
		finally {
			scope.close();
		}
	}

	private static boolean isKotlin(LockOperation operation) {
		return operation.style() == MethodStyle.SUSPENDING || operation.returnType().getName().equals(FLOW);
	}

	private static Publisher<Object> proceedInCoroutine(LockOperation operation, MethodInvocation call,
			ReactiveSection section) throws Throwable {
		CoroutineOwner coroutine = new CoroutineOwner(section.owner());
		section.afterWork(coroutine::whenEnded);
		if (operation.style() == MethodStyle.SUSPENDING && call instanceof ProxyMethodInvocation proxied) {
			proxied.setArguments(coroutine.putInto(call.getArguments()));
		}
		Object returned = call.proceed();
		return CoroutineOwner.isFlow(returned) ? coroutine.publisher(returned) : publisher(returned);
	}

	private static Publisher<Object> proceed(MethodInvocation call) {
		try {
			return publisher(call.proceed());
		}
		catch (Throwable ex) {
			Exceptions.throwIfJvmFatal(ex);
			return Mono.error(ex);
		}
	}

	private static Publisher<Object> refused(LockOperation operation, MethodInvocation call, Throwable failure) {
		try {
			if (failure instanceof LockException refusal && operation.fallback().answers(refusal)) {
				return publisher(operation.fallback().answer(call.getThis(), call.getArguments(), refusal));
			}
			if (operation.skips(failure)) {
				logger.debug("Skipped {}: {}", operation.location(), failure.getMessage());
				return Mono.empty();
			}
			return Mono.error(failure);
		}
		catch (Throwable ex) {
			Exceptions.throwIfJvmFatal(ex);
			return Mono.error(ex);
		}
	}

	// A method that returns no publisher has nothing left to do.
	private static Publisher<Object> publisher(@Nullable Object returned) {
		return (returned != null) ? adapter(returned.getClass()).toPublisher(returned) : Mono.empty();
	}

	private static ReactiveAdapter adapter(Class<?> type) {
		ReactiveAdapter adapter = ReactiveAdapterRegistry.getSharedInstance().getAdapter(type);
		if (adapter == null) {
			throw new IllegalStateException("A " + type.getName() + " is no reactive type that Spring knows");
		}
		return adapter;
	}

}
