package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.List;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.aop.framework.Advised;
import org.springframework.aop.framework.AopInfrastructureBean;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.scope.ScopedObject;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.aop.support.AopUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;

/**
 * Looks at all beans when the application has started: finds mistakes in classes whose
 * beans are not made yet, and beans that should be locked but are not.
 */
final class LockedBeans {

	private static final Logger logger = LoggerFactory.getLogger(LockedBeans.class);

	private final DistributedLockAdvisor advisor;

	private final LockOperationSource source;

	LockedBeans(DistributedLockAdvisor advisor, LockOperationSource source) {
		this.advisor = advisor;
		this.source = source;
	}

	void check(ConfigurableListableBeanFactory beanFactory) {
		for (String beanName : beanFactory.getBeanNamesForType(Object.class, true, false)) {
			Class<?> type = targetClass(beanFactory, beanName);
			if (type == null || ScopedObject.class.isAssignableFrom(type)
					|| AopInfrastructureBean.class.isAssignableFrom(type)) {
				continue;
			}
			List<LockOperation> operations = operations(beanName, type);
			Object bean = operations.isEmpty() ? null : instance(beanFactory, beanName);
			if (bean != null) {
				check(beanName, bean, operations);
			}
		}
	}

	private static @Nullable Class<?> targetClass(ConfigurableListableBeanFactory beanFactory, String beanName) {
		try {
			return AutoProxyUtils.determineTargetClass(beanFactory, beanName);
		}
		catch (RuntimeException | LinkageError ex) {
			logger.debug("Class of bean '{}' is not known, so it is not checked for @DistributedLock", beanName, ex);
			return null;
		}
	}

	private List<LockOperation> operations(String beanName, Class<?> type) {
		try {
			return this.source.findAll(type);
		}
		catch (IllegalStateException ex) {
			if (!(ex.getCause() instanceof LinkageError)) {
				throw ex;
			}
			// A lazy bean whose dependencies are missing; it could not be made either.
			logger.debug("Methods of bean '{}' are not known, so it is not checked for @DistributedLock", beanName, ex);
			return List.of();
		}
	}

	// Never makes a bean: a lazy one stays lazy, and is checked by its class only.
	private static @Nullable Object instance(ConfigurableListableBeanFactory beanFactory, String beanName) {
		if (ScopedProxyUtils.isScopedTarget(beanName) || !beanFactory.containsSingleton(beanName)
				|| (beanFactory.containsBeanDefinition(beanName) && beanFactory.isFactoryBean(beanName))) {
			return null;
		}
		return beanFactory.getSingleton(beanName);
	}

	private void check(String beanName, Object bean, List<LockOperation> operations) {
		if (bean instanceof ScopedObject) {
			// It stands before the beans of its scope, and those are locked.
			return;
		}
		if (!(bean instanceof Advised advised) || Arrays.stream(advised.getAdvisors()).noneMatch(this::isThis)) {
			logger.warn("Bean '{}' has @DistributedLock on {}, but its calls are NOT locked, since it was made before"
					+ " the advisor could be applied. Does a BeanPostProcessor or another early bean depend on it? Make"
					+ " that dependency lazy. (Mocks can ignore this.)", beanName, operations.get(0).location());
			return;
		}
		if (Proxy.isProxyClass(bean.getClass())) {
			operations.forEach((operation) -> requireExposed(bean, operation));
		}
	}

	private boolean isThis(Object candidate) {
		return candidate == this.advisor;
	}

	private static void requireExposed(Object bean, LockOperation operation) {
		if (!isExposed(bean.getClass(), AopUtils.getTargetClass(bean), operation.method())) {
			throw new InvalidDistributedLockException(operation.location(),
					"the bean has an interface proxy, and the method is in none of its interfaces.",
					"Add it to an interface, or leave spring.aop.proxy-target-class at true.", null);
		}
	}

	// A generic interface may declare other types of parameters than the class.
	private static boolean isExposed(Class<?> proxy, Class<?> target, Method method) {
		for (Class<?> implemented : proxy.getInterfaces()) {
			for (Method declared : implemented.getMethods()) {
				if (declared.getName().equals(method.getName())
						&& AopUtils.getMostSpecificMethod(declared, target).equals(method)) {
					return true;
				}
			}
		}
		return ClassUtils.hasMethod(proxy, method.getName(), method.getParameterTypes());
	}

}
