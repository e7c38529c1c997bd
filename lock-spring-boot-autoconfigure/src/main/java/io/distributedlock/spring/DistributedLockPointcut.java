package io.distributedlock.spring;

import java.lang.reflect.Method;

import org.springframework.aop.support.StaticMethodMatcherPointcut;

/**
 * Matches the methods that have a {@link LockOperation}.
 */
final class DistributedLockPointcut extends StaticMethodMatcherPointcut {

	private final LockOperationSource source;

	DistributedLockPointcut(LockOperationSource source) {
		this.source = source;
		setClassFilter((type) -> !source.findAll(type).isEmpty());
	}

	@Override
	public boolean matches(Method method, Class<?> targetClass) {
		return this.source.find(method, targetClass) != null;
	}

	@Override
	public String toString() {
		return "@DistributedLock";
	}

}
