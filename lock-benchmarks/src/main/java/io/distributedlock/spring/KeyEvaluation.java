package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.util.Arrays;

import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import org.jspecify.annotations.Nullable;

/**
 * The part of the interceptor that turns the arguments of a call into a request.
 */
public final class KeyEvaluation {

	private final LockOperation operation;

	private KeyEvaluation(LockOperation operation) {
		this.operation = operation;
	}

	/**
	 * Parses the annotation of a method.
	 * @param type the class
	 * @param methodName the annotated method
	 * @return its evaluation
	 */
	public static KeyEvaluation of(Class<?> type, String methodName) {
		AspectSettings settings = new AspectSettings(true, LockSettings.DEFAULTS, (name) -> LockSettings.NONE,
				OnActiveTransaction.DEFER);
		LockOperationSource source = new LockOperationSource(new LockOperationParser(() -> settings, (text) -> text));
		Method method = Arrays.stream(type.getDeclaredMethods())
			.filter((candidate) -> candidate.getName().equals(methodName))
			.findFirst()
			.orElseThrow();
		LockOperation operation = source.find(method, type);
		if (operation == null) {
			throw new IllegalArgumentException(method + " is not annotated");
		}
		return new KeyEvaluation(operation);
	}

	/**
	 * Makes the request of a call.
	 * @param arguments arguments of the call
	 * @return the request
	 */
	public LockRequest request(@Nullable Object[] arguments) {
		return this.operation.request(arguments);
	}

}
