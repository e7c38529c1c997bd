package io.distributedlock.boot.autoconfigure.shedlock;

import java.lang.reflect.Method;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import net.javacrumbs.shedlock.spring.annotation.EnableSchedulerLock;
import net.javacrumbs.shedlock.spring.annotation.SchedulerLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.format.datetime.standard.DurationFormatterUtils;
import org.springframework.util.ClassUtils;
import org.springframework.util.StringUtils;

/**
 * Finds ShedLock's annotations. Kept apart, since an application may use ShedLock without
 * them.
 */
final class SchedulerLocks {

	private static final Logger logger = LoggerFactory.getLogger(SchedulerLocks.class);

	private SchedulerLocks() {
	}

	/**
	 * Finds the jobs whose lock stays taken for a time after the work. Makes no bean.
	 * @param beanFactory the beans
	 * @return the methods, as people write them
	 */
	static Set<String> withLeastTime(ConfigurableListableBeanFactory beanFactory) {
		String byDefault = "";
		for (String name : beanFactory.getBeanNamesForAnnotation(EnableSchedulerLock.class)) {
			EnableSchedulerLock enabled = beanFactory.findAnnotationOnBean(name, EnableSchedulerLock.class, false);
			byDefault = (enabled != null) ? enabled.defaultLockAtLeastFor() : byDefault;
		}
		Set<String> found = new TreeSet<>();
		for (String name : beanFactory.getBeanNamesForType(Object.class, true, false)) {
			Class<?> type = type(beanFactory, name);
			if (type != null && AnnotationUtils.isCandidateClass(type, SchedulerLock.class)) {
				for (Map.Entry<Method, SchedulerLock> job : jobs(type).entrySet()) {
					String least = job.getValue().lockAtLeastFor();
					if (!isZero(beanFactory.resolveEmbeddedValue(StringUtils.hasText(least) ? least : byDefault))) {
						found.add(ClassUtils.getUserClass(type).getName() + "." + job.getKey().getName());
					}
				}
			}
		}
		return found;
	}

	private static @Nullable Class<?> type(ConfigurableListableBeanFactory beanFactory, String name) {
		try {
			return AutoProxyUtils.determineTargetClass(beanFactory, name);
		}
		catch (RuntimeException | LinkageError ex) {
			logger.debug("Class of bean '{}' is not known, so it is not checked for @SchedulerLock", name, ex);
			return null;
		}
	}

	private static Map<Method, SchedulerLock> jobs(Class<?> type) {
		try {
			return MethodIntrospector.selectMethods(type,
					(MethodIntrospector.MetadataLookup<SchedulerLock>) (method) -> AnnotatedElementUtils
						.findMergedAnnotation(method, SchedulerLock.class));
		}
		catch (RuntimeException | LinkageError ex) {
			logger.debug("Methods of {} are not known, so they are not checked for @SchedulerLock", type, ex);
			return Map.of();
		}
	}

	// What is no duration, ShedLock says itself.
	private static boolean isZero(@Nullable String least) {
		if (!StringUtils.hasText(least)) {
			return true;
		}
		try {
			return DurationFormatterUtils.detectAndParse(least.trim()).isZero();
		}
		catch (IllegalArgumentException ex) {
			return true;
		}
	}

}
