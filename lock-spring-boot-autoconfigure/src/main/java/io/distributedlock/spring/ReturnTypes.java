package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;

import org.jspecify.annotations.Nullable;

import org.springframework.core.KotlinDetector;
import org.springframework.core.MethodParameter;
import org.springframework.core.ReactiveAdapter;
import org.springframework.core.ReactiveAdapterRegistry;
import org.springframework.core.ResolvableType;
import org.springframework.util.ClassUtils;

/**
 * What the return type of a method means for its lock.
 */
final class ReturnTypes {

	// By name, since they need not be there.
	private static final Set<String> REFUSED = Set.of("kotlinx.coroutines.Job",
			"org.springframework.web.context.request.async.DeferredResult",
			"org.springframework.web.context.request.async.WebAsyncTask",
			"org.springframework.web.servlet.mvc.method.annotation.ResponseBodyEmitter",
			"org.springframework.web.servlet.mvc.method.annotation.StreamingResponseBody", "io.vertx.core.Future",
			"io.reactivex.Completable", "io.reactivex.Maybe", "io.reactivex.Observable", "io.reactivex.Single",
			"scala.concurrent.Future");

	// A type variable may be bounded by itself.
	private static final int MAX_DEPTH = 8;

	private static final Set<String> HTTP_ENTITY = Set.of("org.springframework.http.HttpEntity");

	private static final Set<String> PUBLISHERS = Set.of("org.reactivestreams.Publisher",
			"java.util.concurrent.Flow$Publisher", "kotlinx.coroutines.flow.Flow");

	private static final boolean REACTOR_PRESENT = ClassUtils.isPresent("reactor.core.publisher.Flux",
			ReturnTypes.class.getClassLoader());

	private static final boolean COROUTINES_PRESENT = REACTOR_PRESENT && KotlinDetector.isKotlinReflectPresent()
			&& ClassUtils.isPresent("kotlinx.coroutines.reactor.MonoKt", ReturnTypes.class.getClassLoader());

	private ReturnTypes() {
	}

	/**
	 * Returns the return type of a method, in which the class has put types for its type
	 * variables.
	 */
	static Class<?> of(Method method, Class<?> targetClass) {
		if (isSuspending(method) && KotlinDetector.isSuspendingFunction(method)) {
			// In bytecode it returns an Object; this looks at what Kotlin knows.
			return new MethodParameter(method, -1).withContainingClass(targetClass).getParameterType();
		}
		return ResolvableType.forMethodReturnType(method, targetClass).toClass();
	}

	/**
	 * Finds out when the work of a method is over.
	 * @throws AnnotationProblem if its work goes on after it has returned and nothing
	 * tells when it is over: the lock would be given back too early
	 */
	static MethodStyle style(Method method, Class<?> targetClass) {
		Class<?> type = of(method, targetClass);
		if (isSuspending(method)) {
			return suspending(method);
		}
		refuseWorkWithin(ResolvableType.forMethodReturnType(method, targetClass), MAX_DEPTH);
		if (type == CompletableFuture.class || type == CompletionStage.class) {
			return MethodStyle.FUTURE;
		}
		ReactiveAdapter adapter = adapter(type);
		if (adapter != null && adapter.getReactiveType() == type && isUsable(adapter)) {
			return MethodStyle.REACTIVE;
		}
		// Spring MVC calls a Callable when the method has returned.
		if (goesOn(type) || type == Callable.class) {
			throw unknownEnd("returns a " + type.getSimpleName());
		}
		return MethodStyle.BLOCKING;
	}

	/**
	 * Refuses what carries work that goes on after its carrier is there, such as a
	 * {@code ResponseEntity} whose body is a publisher.
	 */
	private static void refuseWorkWithin(ResolvableType type, int depth) {
		for (ResolvableType value : (depth > 0) ? carried(type) : List.<ResolvableType>of()) {
			if (goesOn(value.toClass())) {
				throw unknownEnd(
						"returns a " + type.toClass().getSimpleName() + " of " + value.toClass().getSimpleName());
			}
			refuseWorkWithin(value, depth - 1);
		}
	}

	private static List<ResolvableType> carried(ResolvableType type) {
		Class<?> raw = type.toClass();
		if (raw.isArray()) {
			return List.of(type.getComponentType());
		}
		boolean carries = Iterable.class.isAssignableFrom(raw) || Map.class.isAssignableFrom(raw)
				|| raw == Optional.class || isOneOf(raw, HTTP_ENTITY) || goesOn(raw);
		return carries ? List.of(type.getGenerics()) : List.of();
	}

	// Whether there may be work left when there is an object of this type.
	private static boolean goesOn(Class<?> type) {
		return Future.class.isAssignableFrom(type) || CompletionStage.class.isAssignableFrom(type)
				|| adapter(type) != null || isOneOf(type, REFUSED) || isOneOf(type, PUBLISHERS);
	}

	/**
	 * Tells what cannot be told from a method that is declared to return any object:
	 * whether the work goes on after it has returned.
	 * @param returned what it has returned
	 */
	static boolean goesOn(@Nullable Object returned) {
		return returned != null && !(returned instanceof Future<?> future && future.isDone())
				&& (goesOn(returned.getClass()) || returned instanceof Callable);
	}

	private static MethodStyle suspending(Method method) {
		if (!KotlinDetector.isSuspendingFunction(method)) {
			throw unknownEnd("takes a Continuation without being a suspend function of Kotlin");
		}
		if (!COROUTINES_PRESENT) {
			throw new AnnotationProblem("the method is a suspend function, and Spring lacks what it runs those with.",
					"Add kotlin-reflect and kotlinx-coroutines-reactor to the dependencies.");
		}
		return MethodStyle.SUSPENDING;
	}

	private static AnnotationProblem unknownEnd(String what) {
		return new AnnotationProblem(
				"the method " + what + ", so its work may go on after it has returned and the lock is given back.",
				"Return a CompletableFuture, a CompletionStage, a Mono, a Flux or a plain value, or use"
						+ " LockTemplate.acquireAsync and release the lease when the result is there.");
	}

	private static @Nullable ReactiveAdapter adapter(Class<?> type) {
		return (type != Object.class) ? ReactiveAdapterRegistry.getSharedInstance().getAdapter(type) : null;
	}

	// What has begun before anybody subscribes would begin without the lock.
	private static boolean isUsable(ReactiveAdapter adapter) {
		return REACTOR_PRESENT && adapter.getDescriptor().isDeferred();
	}

	/**
	 * Tells whether a method ends with the parameter that suspend functions have.
	 */
	static boolean isSuspending(Method method) {
		Class<?>[] types = method.getParameterTypes();
		return types.length > 0 && types[types.length - 1].getName().equals("kotlin.coroutines.Continuation");
	}

	private static boolean isOneOf(Class<?> type, Set<String> names) {
		if (names.contains(type.getName())) {
			return true;
		}
		for (Class<?> superclass = type.getSuperclass(); superclass != null; superclass = superclass.getSuperclass()) {
			if (names.contains(superclass.getName())) {
				return true;
			}
		}
		return ClassUtils.getAllInterfacesForClassAsSet(type)
			.stream()
			.anyMatch((candidate) -> names.contains(candidate.getName()));
	}

	/**
	 * Finds what a skipped call returns, or what its future completes with.
	 * @return null or an empty optional
	 * @throws AnnotationProblem if the type has no value that means "nothing"
	 */
	static @Nullable Object skipped(MethodStyle style, Method method, Class<?> targetClass) {
		Class<?> type = method.getReturnType();
		ReactiveAdapter adapter = (style == MethodStyle.REACTIVE) ? adapter(type) : null;
		if (adapter != null && !adapter.supportsEmpty()) {
			throw new AnnotationProblem(
					"onFailure = SKIP cannot give nothing where a " + type.getSimpleName() + " must have a value.",
					"Return a type that can be empty, or name a fallback method.");
		}
		if (style == MethodStyle.FUTURE) {
			type = ResolvableType.forMethodReturnType(method, targetClass).getGeneric().toClass();
		}
		if (type == Optional.class) {
			return Optional.empty();
		}
		if (type == OptionalInt.class) {
			return OptionalInt.empty();
		}
		if (type == OptionalLong.class) {
			return OptionalLong.empty();
		}
		if (type == OptionalDouble.class) {
			return OptionalDouble.empty();
		}
		if (type.isPrimitive() && type != void.class) {
			throw new AnnotationProblem(
					"onFailure = SKIP cannot return nothing from a method that returns a primitive " + type + ".",
					"Return " + ClassUtils.resolvePrimitiveIfNecessary(type).getSimpleName()
							+ " or an Optional, or name a fallback method.");
		}
		return null;
	}

}
