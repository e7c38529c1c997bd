package io.distributedlock.spring;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

import io.distributedlock.LockException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockStoreException;
import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * The methods that answer when a lock is not had. The last parameter says what a method
 * answers, so that an outage is answered only by code that says it can.
 */
final class FallbackMethods {

	static final FallbackMethods NONE = new FallbackMethods(null, null);

	private final @Nullable Method contention;

	private final @Nullable Method outage;

	private FallbackMethods(@Nullable Method contention, @Nullable Method outage) {
		this.contention = contention;
		this.outage = outage;
	}

	/**
	 * Finds the methods.
	 * @param name name of the fallback
	 * @param method the annotated method
	 * @param targetClass class of the bean
	 * @throws AnnotationProblem if there is none that fits
	 */
	static FallbackMethods find(String name, Method method, Class<?> targetClass) {
		List<Method> candidates = candidates(name, targetClass);
		Method contention = first(candidates, method, LockNotAcquiredException.class, LockException.class, null);
		Method outage = first(candidates, method, LockStoreException.class, LockException.class);
		if (contention == null && outage == null) {
			throw new AnnotationProblem(
					candidates.isEmpty() ? "there is no fallback method '" + name + "' in the class."
							: "the fallback '" + name + "' has other parameters or another return type.",
					"Write: " + method.getReturnType().getSimpleName() + " " + name + "("
							+ String.join(", ",
									Arrays.stream(method.getParameterTypes()).map(Class::getSimpleName).toList())
							+ "), with a LockNotAcquiredException, LockStoreException or LockException as a further"
							+ " last parameter if you want it.");
		}
		for (Method found : new LinkedHashSet<>(Arrays.asList(contention, outage))) {
			if (found != null) {
				ReflectionUtils.makeAccessible(found);
			}
		}
		return new FallbackMethods(contention, outage);
	}

	private static List<Method> candidates(String name, Class<?> targetClass) {
		Set<Class<?>> types = new LinkedHashSet<>();
		types.add(targetClass);
		types.addAll(ClassUtils.getAllInterfacesForClassAsSet(targetClass));
		List<Method> candidates = new ArrayList<>();
		for (Class<?> type : types) {
			for (Method method : ReflectionUtils.getUniqueDeclaredMethods(type)) {
				if (method.getName().equals(name) && !method.isBridge()) {
					candidates.add(method);
				}
			}
		}
		return candidates;
	}

	private static @Nullable Method first(List<Method> candidates, Method method,
			@Nullable Class<?>... lastParameters) {
		for (Class<?> last : lastParameters) {
			List<Class<?>> wanted = new ArrayList<>(Arrays.asList(method.getParameterTypes()));
			if (last != null) {
				// A suspend function ends with its continuation.
				wanted.add(wanted.size() - (ReturnTypes.isSuspending(method) ? 1 : 0), last);
			}
			for (Method candidate : candidates) {
				if (wanted.equals(Arrays.asList(candidate.getParameterTypes()))
						&& !(last == null && candidate.getName().equals(method.getName()))
						&& (method.getReturnType() == void.class
								|| ClassUtils.isAssignable(method.getReturnType(), candidate.getReturnType()))) {
					return candidate;
				}
			}
		}
		return null;
	}

	boolean answersContention() {
		return this.contention != null;
	}

	boolean answers(LockException exception) {
		return methodFor(exception) != null;
	}

	/**
	 * Calls the fallback.
	 * @param exception what this very call got; one that {@link #answers} accepts
	 */
	@Nullable Object answer(@Nullable Object target, @Nullable Object[] arguments, LockException exception) throws Throwable {
		Method method = methodFor(exception);
		if (method == null) {
			throw new IllegalStateException("No fallback answers " + exception, exception);
		}
		@Nullable Object[] all = arguments;
		boolean suspending = ReturnTypes.isSuspending(method);
		if (method.getParameterCount() > arguments.length) {
			List<@Nullable Object> more = new ArrayList<>(Arrays.asList(arguments));
			more.add(arguments.length - (suspending ? 1 : 0), exception);
			all = more.toArray();
		}
		if (suspending) {
			return CoroutineOwner.invoke(method, target, all);
		}
		try {
			return method.invoke(target, all);
		}
		catch (InvocationTargetException ex) {
			throw ex.getTargetException();
		}
	}

	private @Nullable Method methodFor(LockException exception) {
		if (exception instanceof LockNotAcquiredException) {
			return this.contention;
		}
		return (exception instanceof LockStoreException) ? this.outage : null;
	}

}
