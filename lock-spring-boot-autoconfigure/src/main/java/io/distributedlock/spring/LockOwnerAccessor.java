package io.distributedlock.spring;

import java.util.ArrayDeque;
import java.util.Deque;

import io.distributedlock.LockContext;
import io.distributedlock.LockOwner;
import io.micrometer.context.ThreadLocalAccessor;
import org.jspecify.annotations.Nullable;

/**
 * Takes the owner of locks along where Micrometer's context propagation carries a context
 * from thread to thread, so that {@link LockContext#current()} works in operators of
 * Reactor ({@code spring.reactor.context-propagation=auto}). The context registry finds
 * it by itself; applications do not use it.
 * <p>
 * The registry sets and restores in pairs, innermost first, so each thread has a stack of
 * what was bound. A thread's own owner is never carried away: another thread must not
 * release or re-enter what that thread holds.
 */
public final class LockOwnerAccessor implements ThreadLocalAccessor<LockOwner> {

	private static final ThreadLocal<Deque<LockContext.Scope>> BOUND = ThreadLocal.withInitial(ArrayDeque::new);

	/**
	 * Called by Micrometer's context registry.
	 */
	public LockOwnerAccessor() {
	}

	@Override
	public Object key() {
		return LockOwner.class;
	}

	@Override
	public @Nullable LockOwner getValue() {
		return LockContext.boundOwner();
	}

	@Override
	public void setValue(LockOwner owner) {
		BOUND.get().push(LockContext.bind(owner));
	}

	@Override
	public void setValue() {
		// What runs in a context without owner must not act for the one of another
		// context.
		BOUND.get().push((LockContext.boundOwner() != null) ? LockContext.bind(LockOwner.create("nobody")) : () -> {
		});
	}

	@Override
	public void restore(LockOwner previous) {
		restore();
	}

	@Override
	public void restore() {
		Deque<LockContext.Scope> bound = BOUND.get();
		LockContext.Scope innermost = bound.poll();
		if (innermost != null) {
			innermost.close();
		}
		if (bound.isEmpty()) {
			BOUND.remove();
		}
	}

}
