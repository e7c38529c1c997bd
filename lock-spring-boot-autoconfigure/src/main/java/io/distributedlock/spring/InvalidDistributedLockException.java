package io.distributedlock.spring;

import java.lang.reflect.Method;

import org.jspecify.annotations.Nullable;

import org.springframework.util.ClassUtils;

/**
 * A {@link DistributedLock @DistributedLock} that cannot work as it is written. Thrown
 * when the application starts.
 */
public class InvalidDistributedLockException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final String location;

	private final String problem;

	private final String action;

	/**
	 * Makes the exception.
	 * @param location the method or class that carries the annotation
	 * @param problem what is wrong
	 * @param action what to type instead
	 * @param cause why, or null
	 */
	public InvalidDistributedLockException(String location, String problem, String action, @Nullable Throwable cause) {
		super("@DistributedLock on " + location + ": " + problem + " " + action, cause);
		this.location = location;
		this.problem = problem;
		this.action = action;
	}

	InvalidDistributedLockException(Method method, Class<?> targetClass, String problem, String action) {
		this(describe(method, targetClass), problem, action, null);
	}

	InvalidDistributedLockException(Method method, Class<?> targetClass, String problem, String action,
			@Nullable Throwable cause) {
		this(describe(method, targetClass), problem, action, cause);
	}

	/**
	 * Writes a method as people write it: {@code com.acme.Shop.buy(String, long)}.
	 * @param method the method
	 * @param targetClass the class of the bean
	 * @return the text
	 */
	static String describe(Method method, Class<?> targetClass) {
		StringBuilder text = new StringBuilder(ClassUtils.getUserClass(targetClass).getName()).append('.')
			.append(method.getName())
			.append('(');
		Class<?>[] types = method.getParameterTypes();
		for (int i = 0; i < types.length; i++) {
			text.append((i > 0) ? ", " : "").append(types[i].getSimpleName());
		}
		return text.append(')').toString();
	}

	/**
	 * Returns where the annotation is.
	 * @return the method or class
	 */
	public String location() {
		return this.location;
	}

	/**
	 * Returns what is wrong.
	 * @return a sentence
	 */
	public String problem() {
		return this.problem;
	}

	/**
	 * Returns what to do about it.
	 * @return a sentence
	 */
	public String action() {
		return this.action;
	}

}
