package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;

import io.distributedlock.LockKey;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import org.jspecify.annotations.Nullable;

import org.springframework.expression.EvaluationException;
import org.springframework.util.ObjectUtils;

/**
 * What a {@link DistributedLock @DistributedLock} means for one method of one class,
 * parsed, checked and merged with the configuration. Made once.
 *
 * @param method the method
 * @param location the method as people write it
 * @param simpleClassName simple name of the class
 * @param name what the lock protects
 * @param key the parts of the key
 * @param lockAll what gives the keys of several locks, empty for one lock
 * @param condition when to lock, or null for always
 * @param settings settings, all given but perhaps the store
 * @param onFailure what a refused call gets
 * @param skipResult what a skipped call returns
 * @param fallback what answers instead
 * @param onLost what happens to the running method
 * @param mode whether the lock is shared with readers
 * @param style when the work of the method is over
 * @param returnType type of what the method returns, as the class declares it
 * @param warned whether the warning about surrounding transactions was given
 */
record LockOperation(Method method, String location, String simpleClassName, String name, List<LockExpression> key,
		List<LockExpression> lockAll, @Nullable LockExpression condition, LockSettings settings, OnFailure onFailure,
		@Nullable Object skipResult, FallbackMethods fallback, OnLost onLost, LockMode mode, MethodStyle style,
		Class<?> returnType, AtomicBoolean warned) {

	/**
	 * Tells whether a call is to be locked.
	 * @param arguments arguments of the call
	 * @return false if the condition says no
	 */
	boolean applies(@Nullable Object[] arguments) {
		if (this.condition == null) {
			return true;
		}
		Object value = evaluate(this.condition, arguments);
		if (value instanceof Boolean applies) {
			return applies;
		}
		throw new IllegalArgumentException("The condition \"" + this.condition + "\" of @DistributedLock on "
				+ this.location + " gave " + ((value != null) ? "a " + value.getClass().getName() : "null")
				+ " instead of true or false.");
	}

	/**
	 * Makes the request of a call.
	 * @param arguments arguments of the call
	 * @return the request
	 * @throws IllegalArgumentException if the arguments give no usable key
	 */
	LockRequest request(@Nullable Object[] arguments) {
		@Nullable Object[] parts = new Object[this.key.size()];
		for (int i = 0; i < parts.length; i++) {
			parts[i] = evaluate(this.key.get(i), arguments);
		}
		try {
			return request(LockKey.of(this.name, parts));
		}
		catch (IllegalArgumentException ex) {
			throw new IllegalArgumentException(
					"No key for @DistributedLock on " + this.location + " (key = " + this.key + "): " + ex.getMessage(),
					ex);
		}
	}

	private LockRequest request(LockKey key) {
		return LockRequest.of(key, this.settings).withMode(this.mode).asDeclared();
	}

	/**
	 * Tells whether a call takes several locks together.
	 */
	boolean locksSeveral() {
		return !this.lockAll.isEmpty();
	}

	/**
	 * Makes the requests of a call: one, or with {@code lockAll} one for each key.
	 * @param arguments arguments of the call
	 * @return the requests, at least one
	 * @throws IllegalArgumentException if the arguments give no usable key, or none
	 */
	List<LockRequest> requests(@Nullable Object[] arguments) {
		if (!locksSeveral()) {
			return List.of(request(arguments));
		}
		List<@Nullable Object> keys = new ArrayList<>();
		for (LockExpression expression : this.lockAll) {
			Object value = evaluate(expression, arguments);
			if (value instanceof Iterable<?> several) {
				several.forEach(keys::add);
			}
			else if (ObjectUtils.isArray(value)) {
				keys.addAll(Arrays.asList(ObjectUtils.toObjectArray(value)));
			}
			else {
				keys.add(value);
			}
		}
		if (keys.isEmpty()) {
			throw new IllegalArgumentException("No keys for @DistributedLock on " + this.location + " (lockAll = "
					+ this.lockAll + "): the collection is empty. Return before the call if there is nothing to do, or"
					+ " run without a lock then with condition = \"!#ids.empty\" or the like.");
		}
		List<LockRequest> requests = new ArrayList<>(keys.size());
		for (Object key : keys) {
			try {
				requests.add(request(LockKey.of(this.name, key)));
			}
			catch (IllegalArgumentException ex) {
				throw new IllegalArgumentException("No key for @DistributedLock on " + this.location + " (lockAll = "
						+ this.lockAll + "): " + ex.getMessage(), ex);
			}
		}
		return requests;
	}

	/**
	 * Tells whether a call that did not get the lock is passed over.
	 * @param failure why it did not get the lock
	 */
	boolean skips(Throwable failure) {
		return this.onFailure == OnFailure.SKIP && failure instanceof LockNotAcquiredException;
	}

	/**
	 * Tells whether the lock stays taken after a call that returned normally.
	 */
	boolean keeps() {
		return Boolean.TRUE.equals(this.settings.keep());
	}

	private @Nullable Object evaluate(LockExpression expression, @Nullable Object[] arguments) {
		try {
			return expression.evaluate(this, arguments);
		}
		catch (EvaluationException ex) {
			throw new IllegalArgumentException("The expression \"" + expression + "\" of @DistributedLock on "
					+ this.location + " cannot be computed with these arguments: " + ex.getMessage(), ex);
		}
	}

}
