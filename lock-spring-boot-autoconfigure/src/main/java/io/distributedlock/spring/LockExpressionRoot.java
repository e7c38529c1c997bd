package io.distributedlock.spring;

import java.util.Set;

import org.jspecify.annotations.Nullable;

/**
 * What {@code #root} means in an expression.
 *
 * @param methodName name of the method
 * @param targetClass simple name of the class
 * @param args the arguments
 */
record LockExpressionRoot(String methodName, String targetClass, @Nullable Object[] args) {

	static final Set<String> PROPERTIES = Set.of("methodName", "targetClass", "args");

}
