package io.distributedlock.spring;

import java.util.List;
import java.util.function.Supplier;

import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.LockTemplate;
import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.aop.support.AopUtils;

/**
 * Runs annotated methods under their lock; those whose work goes on after they have
 * returned through {@link AsynchronousCalls}.
 * <p>
 * Only a failure of this call's own acquisition is answered by {@code fallback} and
 * {@code onFailure}: what the method throws, locks that it takes itself included, goes to
 * the caller as it is.
 */
final class DistributedLockInterceptor implements MethodInterceptor {

	private static final Logger logger = LoggerFactory.getLogger(DistributedLockInterceptor.class);

	private final LockOperationSource source;

	private final Supplier<LockTemplate> locks;

	private final Supplier<AspectSettings> settings;

	private final AsynchronousCalls asynchronous;

	private final SurroundingTransaction transaction = SurroundingTransaction.detect();

	DistributedLockInterceptor(LockOperationSource source, Supplier<LockTemplate> locks,
			Supplier<AspectSettings> settings, AsynchronousCalls asynchronous) {
		this.source = source;
		this.locks = locks;
		this.settings = settings;
		this.asynchronous = asynchronous;
	}

	@Override
	public @Nullable Object invoke(MethodInvocation invocation) throws Throwable {
		Object target = invocation.getThis();
		LockOperation operation = this.source.find(invocation.getMethod(),
				(target != null) ? AopUtils.getTargetClass(target) : null);
		AspectSettings aspect = this.settings.get();
		if (operation == null || !aspect.enabled()) {
			return invocation.proceed();
		}
		if (operation.style() != MethodStyle.BLOCKING) {
			if (aspect.onActiveTransaction() == OnActiveTransaction.REJECT && this.transaction.isOpen()) {
				checkSurroundingTransaction(operation, OnActiveTransaction.REJECT);
			}
			return this.asynchronous.invoke(operation, invocation);
		}
		if (!operation.applies(invocation.getArguments())) {
			return invocation.proceed();
		}
		List<LockRequest> requests = operation.requests(invocation.getArguments());
		boolean keep = this.transaction.isOpen();
		if (keep && !requests.stream().allMatch(DistributedLockInterceptor::isHeldAlready)) {
			checkSurroundingTransaction(operation, aspect.onActiveTransaction());
		}
		HeldLocks held;
		try {
			held = operation.locksSeveral() ? new HeldLocks.Several(this.locks.get().acquireAll(requests))
					: new HeldLocks.One(this.locks.get().acquire(requests.get(0)));
		}
		catch (LockNotAcquiredException ex) {
			return refused(operation, invocation, ex);
		}
		catch (LockStoreException ex) {
			if (!operation.fallback().answers(ex)) {
				throw ex;
			}
			return operation.fallback().answer(target, invocation.getArguments(), ex);
		}
		return keep ? proceedWithin(held, operation, invocation) : proceed(held, operation, invocation);
	}

	private @Nullable Object refused(LockOperation operation, MethodInvocation invocation, LockNotAcquiredException ex)
			throws Throwable {
		if (operation.fallback().answers(ex)) {
			return operation.fallback().answer(invocation.getThis(), invocation.getArguments(), ex);
		}
		if (operation.skips(ex)) {
			logger.debug("Skipped {}: {}", operation.location(), ex.getMessage());
			return operation.skipResult();
		}
		throw ex;
	}

	// A nested lease is no new risk: the lock was there before.
	private static boolean isHeldAlready(LockRequest request) {
		for (Lease lease : LockContext.leases()) {
			if (lease.key().equals(request.key())) {
				return true;
			}
		}
		return false;
	}

	/**
	 * Runs the method and releases the lock. If the lock was lost, the caller must not
	 * take the result for safely done.
	 */
	private @Nullable Object proceed(HeldLocks held, LockOperation operation, MethodInvocation invocation)
			throws Throwable {
		Object result;
		try {
			result = run(held, operation, invocation);
		}
		catch (Throwable ex) {
			try {
				held.close();
			}
			catch (LockLostException lost) {
				Losses.suppress(lost, ex);
			}
			throw ex;
		}
		if (operation.keeps()) {
			Kept.ifHeld(held);
		}
		try {
			held.close();
		}
		catch (LockLostException ex) {
			throw Losses.noticedAtTheEnd(ex);
		}
		return result;
	}

	/**
	 * Runs the method and leaves the lock to the transaction around it, which cannot
	 * commit without.
	 */
	private @Nullable Object proceedWithin(HeldLocks held, LockOperation operation, MethodInvocation invocation)
			throws Throwable {
		try {
			this.transaction.releaseAfterCompletion(held);
		}
		catch (Throwable ex) {
			held.release();
			throw ex;
		}
		Object result;
		try {
			result = run(held, operation, invocation);
		}
		catch (Throwable ex) {
			try {
				held.refuseLost();
			}
			catch (LockLostException lost) {
				Losses.suppress(lost, ex);
			}
			throw ex;
		}
		held.refuseLost();
		if (operation.keeps()) {
			this.transaction.keepAfterCommit(held);
		}
		return result;
	}

	private static @Nullable Object run(HeldLocks held, LockOperation operation, MethodInvocation invocation)
			throws Throwable {
		if (operation.onLost() == OnLost.THROW) {
			return ended(operation, invocation.proceed());
		}
		LossInterrupter interrupter = LossInterrupter.watch(held);
		try {
			return ended(operation, invocation.proceed());
		}
		finally {
			interrupter.close();
		}
	}

	// Of a method that may return anything, start-up could not tell.
	private static @Nullable Object ended(LockOperation operation, @Nullable Object returned) {
		if (returned != null && operation.returnType() == Object.class && ReturnTypes.goesOn(returned)) {
			throw new IllegalStateException(operation.location() + " has returned a " + returned.getClass().getName()
					+ ", whose work goes on without the lock '" + operation.name() + "': the lock is given back now,"
					+ " since the method is declared to return an Object. Declare what it returns: a CompletableFuture,"
					+ " a CompletionStage, a Mono, a Flux or a plain value.");
		}
		return returned;
	}

	private void checkSurroundingTransaction(LockOperation operation, OnActiveTransaction mode) {
		if (mode == OnActiveTransaction.REJECT) {
			throw this.transaction.refusal(operation.location() + " takes the lock '" + operation.name()
					+ "' within a transaction that was begun before, and distributed-lock.transaction"
					+ ".on-active-transaction is REJECT. Call it outside of the transaction, or begin the transaction"
					+ " within it (@Transactional on the same method is within the lock).");
		}
		if (operation.warned().compareAndSet(false, true)) {
			logger.atWarn()
				.addKeyValue("lock.name", operation.name())
				.log("{} takes the lock '{}' within a transaction that was begun before. The lock is kept until that"
						+ " transaction completes, but with REPEATABLE READ or SERIALIZABLE isolation the transaction may"
						+ " go on seeing data from before it had the lock. Call it outside of that transaction, or begin the"
						+ " transaction within the lock: @Transactional on the locked method or on what it calls, not on"
						+ " what calls it. (Said once per method.)", operation.location(), operation.name());
		}
	}

}
