package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;

import org.springframework.aop.support.AopUtils;
import org.springframework.core.MethodClassKey;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.util.ClassUtils;
import org.springframework.util.ReflectionUtils;

/**
 * Finds the {@link LockOperation} of a method. The first look at a class checks all of
 * its methods, so that a mistake is found when its bean is made, or when the application
 * has started at the latest, and not by the first caller.
 */
final class LockOperationSource {

	private final LockOperationParser parser;

	private final Map<MethodClassKey, Optional<LockOperation>> operations = new ConcurrentHashMap<>();

	private final Map<Class<?>, List<LockOperation>> classes = new ConcurrentHashMap<>();

	private final Map<Class<?>, Boolean> mentions = new ConcurrentHashMap<>();

	private final Map<Class<?>, MergedAnnotation<DistributedLock>> types = new ConcurrentHashMap<>();

	LockOperationSource(LockOperationParser parser) {
		this.parser = parser;
	}

	/**
	 * Finds the operation of a method.
	 * @param method the method, perhaps that of an interface
	 * @param targetClass class of the bean
	 * @return the operation, or null if the method is not to be locked
	 * @throws InvalidDistributedLockException if its annotation cannot work
	 */
	@Nullable LockOperation find(Method method, @Nullable Class<?> targetClass) {
		if (ReflectionUtils.isObjectMethod(method)) {
			return null;
		}
		MethodClassKey key = new MethodClassKey(method, targetClass);
		Optional<LockOperation> operation = this.operations.get(key);
		if (operation == null) {
			operation = parse(method, (targetClass != null) ? targetClass : method.getDeclaringClass());
			this.operations.put(key, operation);
		}
		return operation.orElse(null);
	}

	private Optional<LockOperation> parse(Method method, Class<?> targetClass) {
		Method specific = AopUtils.getMostSpecificMethod(method, targetClass);
		MergedAnnotation<DistributedLock> annotation = annotation(specific);
		if (!annotation.isPresent() && !specific.equals(method)) {
			annotation = annotation(method);
		}
		if (!annotation.isPresent()) {
			return Optional.empty();
		}
		return Optional.of(this.parser.parse(annotation, specific, method, ClassUtils.getUserClass(targetClass)));
	}

	private MergedAnnotation<DistributedLock> annotation(Method method) {
		MergedAnnotation<DistributedLock> own = MergedAnnotations.from(method, SearchStrategy.TYPE_HIERARCHY)
			.get(DistributedLock.class);
		if (own.isPresent() || !Modifier.isPublic(method.getModifiers()) || Modifier.isStatic(method.getModifiers())
				|| !ClassUtils.isUserLevelMethod(method)) {
			return own;
		}
		return this.types.computeIfAbsent(method.getDeclaringClass(),
				(type) -> MergedAnnotations.from(type, SearchStrategy.TYPE_HIERARCHY).get(DistributedLock.class));
	}

	/**
	 * Finds the operations of a class, checking all of its methods.
	 * @param type class of a bean
	 * @return the operations, empty if nothing is to be locked
	 * @throws InvalidDistributedLockException if an annotation cannot work
	 */
	List<LockOperation> findAll(Class<?> type) {
		List<LockOperation> found = this.classes.get(type);
		if (found == null) {
			found = List.copyOf(check(type));
			this.classes.put(type, found);
		}
		return found;
	}

	private List<LockOperation> check(Class<?> type) {
		Class<?> userClass = ClassUtils.getUserClass(type);
		if (userClass.getName().startsWith("org.springframework.") || !mentionsAnnotation(userClass)) {
			return List.of();
		}
		List<LockOperation> found = new ArrayList<>();
		for (Method method : ReflectionUtils.getUniqueDeclaredMethods(userClass)) {
			add(method, userClass, found);
		}
		for (Class<?> implemented : ClassUtils.getAllInterfacesForClassAsSet(userClass)) {
			for (Method method : implemented.getMethods()) {
				if (method.isDefault()) {
					add(method, userClass, found);
				}
			}
		}
		return found;
	}

	// Nearly all classes end here. Looking for the annotation along the hierarchy of each
	// method would cost them much more.
	private boolean mentionsAnnotation(Class<?> userClass) {
		for (Class<?> type = userClass; type != null; type = type.getSuperclass()) {
			if (isMentionedIn(type)) {
				return true;
			}
		}
		return ClassUtils.getAllInterfacesForClassAsSet(userClass).stream().anyMatch(this::isMentionedIn);
	}

	private boolean isMentionedIn(Class<?> type) {
		if (!AnnotationUtils.isCandidateClass(type, DistributedLock.class)) {
			return false;
		}
		return this.mentions.computeIfAbsent(type, (candidate) -> {
			if (MergedAnnotations.from(candidate).isPresent(DistributedLock.class)) {
				return true;
			}
			for (Method method : ReflectionUtils.getDeclaredMethods(candidate)) {
				if (method.getDeclaredAnnotations().length > 0
						&& MergedAnnotations.from(method).isPresent(DistributedLock.class)) {
					return true;
				}
			}
			return false;
		});
	}

	private void add(Method method, Class<?> userClass, List<LockOperation> found) {
		LockOperation operation = (method.isSynthetic()) ? null : find(method, userClass);
		if (operation != null && found.stream().noneMatch((other) -> other.method().equals(operation.method()))) {
			found.add(operation);
		}
	}

	/**
	 * Returns the operations of all classes that were looked at.
	 * @return a snapshot
	 */
	List<LockOperation> all() {
		return this.classes.values().stream().flatMap(List::stream).distinct().toList();
	}

}
