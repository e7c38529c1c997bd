package io.distributedlock.spring;

import java.util.concurrent.CompletableFuture;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.Supplier;

import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;

import org.springframework.aop.ProxyMethodInvocation;

/**
 * Runs annotated methods whose work goes on after they have returned, without blocking
 * any thread while they wait for their lock.
 */
final class AsynchronousCalls {

	private final Supplier<LockTemplate> locks;

	private final Supplier<Executor> executor;

	AsynchronousCalls(Supplier<LockTemplate> locks, Supplier<Executor> executor) {
		this.locks = locks;
		this.executor = executor;
	}

	/**
	 * Begins a call.
	 * @param operation the operation of the method, of any style but
	 * {@link MethodStyle#BLOCKING}
	 * @param invocation the call
	 * @return what the method returns to its caller
	 */
	@Nullable Object invoke(LockOperation operation, MethodInvocation invocation) throws Throwable {
		// A call is proceeded with after this interceptor has returned, so it needs a
		// copy
		// that remembers how far along the chain of interceptors it is.
		MethodInvocation copy = copy(invocation);
		if (operation.style() == MethodStyle.FUTURE) {
			return future(operation, copy);
		}
		return new ReactiveCalls(this.locks).invoke(operation, () -> copy(copy));
	}

	private static MethodInvocation copy(MethodInvocation invocation) {
		return (invocation instanceof ProxyMethodInvocation proxied) ? proxied.invocableClone() : invocation;
	}

	private @Nullable Object future(LockOperation operation, MethodInvocation invocation) throws Throwable {
		List<LockRequest> requests;
		try {
			if (!operation.applies(invocation.getArguments())) {
				requests = null;
			}
			else {
				requests = operation.requests(invocation.getArguments());
			}
		}
		catch (IllegalArgumentException ex) {
			return CompletableFuture.failedFuture(ex);
		}
		if (requests == null) {
			return invocation.proceed();
		}
		return new FutureCall(operation, invocation, this.executor.get()).start(this.locks.get(), requests);
	}

}
