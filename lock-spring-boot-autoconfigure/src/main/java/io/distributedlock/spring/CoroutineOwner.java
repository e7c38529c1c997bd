package io.distributedlock.spring;

import java.lang.reflect.Method;

import io.distributedlock.LockContext;
import io.distributedlock.LockOwner;
import kotlin.Unit;
import kotlin.coroutines.AbstractCoroutineContextElement;
import kotlin.coroutines.Continuation;
import kotlin.coroutines.CoroutineContext;
import kotlinx.coroutines.Job;
import kotlinx.coroutines.ThreadContextElement;
import kotlinx.coroutines.channels.BufferOverflow;
import kotlinx.coroutines.flow.Flow;
import kotlinx.coroutines.flow.FlowKt;
import kotlinx.coroutines.reactor.ReactorFlowKt;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;

import org.springframework.core.CoroutinesUtils;

/**
 * Makes every thread that runs a coroutine act for the owner of its lock while it does,
 * so that {@link LockContext#current()} works in suspend functions.
 * <p>
 * It also knows when the coroutine has ended. Spring runs a suspend function as a
 * {@code Mono}, and cancelling that only asks the coroutine to end: its {@code finally}
 * blocks, and whatever cannot be cancelled, still run. The lock must stay until then. The
 * coroutine is known from the first time that it runs: its {@link Job} is in the context
 * that is handed to {@link #updateThreadContext}. Before that, nothing runs that a lock
 * could protect: a coroutine looks whether it was cancelled after this element was
 * called.
 */
final class CoroutineOwner extends AbstractCoroutineContextElement implements ThreadContextElement<LockContext.Scope> {

	private static final CoroutineContext.Key<CoroutineOwner> KEY = new CoroutineContext.Key<>() {
	};

	private final LockOwner owner;

	private volatile @Nullable Job job;

	CoroutineOwner(LockOwner owner) {
		super(KEY);
		this.owner = owner;
	}

	/**
	 * Replaces the continuation among the arguments of a suspend function by one that has
	 * this element in its context, which Spring hands on to the function.
	 */
	@Nullable Object[] putInto(@Nullable Object[] arguments) {
		@Nullable Object[] changed = arguments.clone();
		int last = changed.length - 1;
		if (changed[last] instanceof Continuation<?> continuation) {
			changed[last] = new Owned<>(continuation, continuation.getContext().plus(this));
		}
		return changed;
	}

	/**
	 * Collects a flow on behalf of the owner.
	 */
	Publisher<Object> publisher(Object flow) {
		return ReactorFlowKt.asFlux(cast(flow), this);
	}

	/**
	 * Makes a flow wait for its collector at each value. With Spring's buffer the lock
	 * would be released while the collector still has values to work on.
	 */
	static Object inStep(Object flow) {
		return FlowKt.buffer(cast(flow), 0, BufferOverflow.SUSPEND);
	}

	@SuppressWarnings("unchecked")
	private static Flow<Object> cast(Object flow) {
		return (Flow<Object>) flow;
	}

	static boolean isFlow(Object returned) {
		return returned instanceof Flow;
	}

	/**
	 * Calls a suspend function, without this element.
	 */
	static Publisher<?> invoke(Method method, @Nullable Object target, @Nullable Object[] arguments) {
		Continuation<?> continuation = (Continuation<?>) arguments[arguments.length - 1];
		return CoroutinesUtils.invokeSuspendingFunction(continuation.getContext().minusKey(Job.Key), method, target,
				arguments);
	}

	/**
	 * Runs an action when the coroutine has ended, or at once if it never ran.
	 */
	void whenEnded(Runnable action) {
		Job started = this.job;
		if (started == null) {
			action.run();
		}
		else {
			started.invokeOnCompletion((thrown) -> {
				action.run();
				return Unit.INSTANCE;
			});
		}
	}

	@Override
	public LockContext.Scope updateThreadContext(CoroutineContext context) {
		if (this.job == null) {
			this.job = context.get(Job.Key);
		}
		return LockContext.bind(this.owner);
	}

	@Override
	public void restoreThreadContext(CoroutineContext context, LockContext.Scope bound) {
		bound.close();
	}

	/**
	 * A continuation in another context.
	 */
	private record Owned<T>(Continuation<T> original, CoroutineContext context) implements Continuation<T> {

		@Override
		public CoroutineContext getContext() {
			return this.context;
		}

		@Override
		public void resumeWith(Object result) {
			this.original.resumeWith(result);
		}

	}

}
