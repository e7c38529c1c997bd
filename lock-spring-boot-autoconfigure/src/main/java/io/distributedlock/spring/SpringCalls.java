package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.util.Set;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.beans.factory.InitializingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.core.annotation.MergedAnnotation;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;

/**
 * Methods that Spring calls, and a lock on which would not do what it looks like.
 */
final class SpringCalls {

	// By name, since they need not be there.
	private static final Set<String> LIFECYCLE = Set.of("jakarta.annotation.PostConstruct",
			"jakarta.annotation.PreDestroy", "javax.annotation.PostConstruct", "javax.annotation.PreDestroy");

	private SpringCalls() {
	}

	/**
	 * Refuses an annotation on such a method.
	 * @param method the annotated method in the class of the bean
	 * @throws AnnotationProblem if it is one
	 */
	static void refuse(Method method) {
		if (isLifecycle(method)) {
			throw new AnnotationProblem(
					"Spring calls it on the bean itself, not on the proxy, so that call would not be locked.",
					"Call a locked method of another bean from an ApplicationRunner or a listener for"
							+ " ApplicationReadyEvent, or use LockTemplate.execute in this one.");
		}
		if (MergedAnnotations.from(method, SearchStrategy.TYPE_HIERARCHY).isPresent(Bean.class)) {
			throw new AnnotationProblem(
					"the method makes a bean: the lock would be held while it is made, and no call of"
							+ " that bean would be locked.",
					"Put @DistributedLock on methods of the bean's class, or use LockTemplate.execute.");
		}
	}

	private static boolean isLifecycle(Method method) {
		if (method.getParameterCount() > 0) {
			return false;
		}
		Class<?> type = method.getDeclaringClass();
		return (method.getName().equals("afterPropertiesSet") && InitializingBean.class.isAssignableFrom(type))
				|| (method.getName().equals("destroy") && DisposableBean.class.isAssignableFrom(type))
				|| MergedAnnotations.from(method, SearchStrategy.TYPE_HIERARCHY)
					.stream()
					.map(MergedAnnotation::getType)
					.anyMatch((annotation) -> LIFECYCLE.contains(annotation.getName()));
	}

}
