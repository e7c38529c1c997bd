package io.distributedlock.spring;

import java.lang.reflect.Method;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

import org.jspecify.annotations.Nullable;

import org.springframework.core.DefaultParameterNameDiscoverer;
import org.springframework.core.ParameterNameDiscoverer;

/**
 * The variables that expressions on one method may use, and which argument each one
 * means.
 */
final class MethodVariables {

	private static final ParameterNameDiscoverer DISCOVERER = new DefaultParameterNameDiscoverer();

	private final Map<String, Integer> indexes = new HashMap<>();

	private final Set<String> names = new TreeSet<>();

	private final Class<?>[] types;

	/**
	 * Finds the variables.
	 * @param methods the same method in the class and in its supertypes; where parameters
	 * are named differently, all names work and later ones win
	 */
	MethodVariables(List<Method> methods) {
		this.types = methods.get(0).getParameterTypes();
		for (int i = 0; i < this.types.length; i++) {
			this.indexes.put("p" + i, i);
			this.indexes.put("a" + i, i);
		}
		for (Method method : methods) {
			@Nullable String @Nullable [] found = DISCOVERER.getParameterNames(method);
			for (int i = 0; found != null && i < found.length; i++) {
				String name = found[i];
				if (name != null) {
					this.indexes.put(name, i);
					this.names.add(name);
				}
			}
		}
	}

	@Nullable Integer index(String name) {
		return this.indexes.get(name);
	}

	Class<?> type(int index) {
		return this.types[index];
	}

	/**
	 * Says what to type instead of an unknown variable.
	 */
	String advice() {
		if (this.types.length == 0) {
			return "The method has no parameters; #root.methodName and #root.targetClass are there.";
		}
		if (this.names.isEmpty()) {
			return "The class was compiled without parameter names: compile with -parameters, or use #p0"
					+ ((this.types.length > 1) ? " to #p" + (this.types.length - 1) : "") + ".";
		}
		return "Use one of #" + String.join(", #", this.names) + ".";
	}

}
