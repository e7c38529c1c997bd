package io.distributedlock.spring;

import java.beans.Introspector;
import java.lang.reflect.Method;
import java.util.stream.Stream;

import org.jspecify.annotations.Nullable;

import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.ast.MethodReference;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.util.ReflectionUtils;
import org.springframework.util.StringUtils;

/**
 * Finds what to write instead of calls of accessors, which expressions may not call.
 */
final class Accessors {

	private Accessors() {
	}

	/**
	 * Writes {@code #order.user()} and {@code #order.getUser()} as {@code #order.user}.
	 * @param compound an expression with dots in it
	 * @param variables what the variables are
	 * @return the text, or null if no method is called or one is no accessor
	 */
	static @Nullable String asProperties(SpelNode compound, MethodVariables variables) {
		SpelNode first = compound.getChild(0);
		String variable = first.toStringAST();
		Integer index = (first instanceof VariableReference) ? variables.index(variable.substring(1)) : null;
		if (index == null) {
			return null;
		}
		StringBuilder text = new StringBuilder(variable);
		Class<?> type = variables.type(index);
		boolean calls = false;
		for (int i = 1; i < compound.getChildCount(); i++) {
			SpelNode node = compound.getChild(i);
			calls |= node instanceof MethodReference;
			Method accessor = accessor(type, node);
			if (accessor == null) {
				return null;
			}
			text.append('.').append(property(accessor));
			type = accessor.getReturnType();
		}
		return calls ? text.toString() : null;
	}

	private static @Nullable Method accessor(Class<?> type, SpelNode node) {
		if (node instanceof MethodReference call && call.getChildCount() == 0) {
			Method method = ReflectionUtils.findMethod(type, call.getName());
			return (method != null && isAccessor(type, method)) ? method : null;
		}
		if (node instanceof PropertyOrFieldReference property) {
			String name = property.getName();
			String suffix = StringUtils.capitalize(name);
			return Stream.of("get" + suffix, "is" + suffix, name)
				.map((candidate) -> ReflectionUtils.findMethod(type, candidate))
				.filter((method) -> method != null && isAccessor(type, method))
				.findFirst()
				.orElse(null);
		}
		return null;
	}

	// A method such as trim() can be read as a property too, but nobody would expect it.
	private static boolean isAccessor(Class<?> type, Method method) {
		return method.getReturnType() != void.class && (!property(method).equals(method.getName())
				|| ReflectionUtils.findField(type, method.getName()) != null);
	}

	private static String property(Method method) {
		String name = method.getName();
		int prefix = name.startsWith("get") ? 3 : (name.startsWith("is") ? 2 : 0);
		if (prefix == 0 || name.length() == prefix || !Character.isUpperCase(name.charAt(prefix))) {
			return name;
		}
		return Introspector.decapitalize(name.substring(prefix));
	}

}
