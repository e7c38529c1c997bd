package io.distributedlock.spring;

import java.lang.reflect.Modifier;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;

import io.distributedlock.LockKey;

import org.springframework.expression.ParseException;
import org.springframework.expression.spel.SpelCompilerMode;
import org.springframework.expression.spel.SpelNode;
import org.springframework.expression.spel.SpelParserConfiguration;
import org.springframework.expression.spel.ast.Assign;
import org.springframework.expression.spel.ast.BeanReference;
import org.springframework.expression.spel.ast.CompoundExpression;
import org.springframework.expression.spel.ast.ConstructorReference;
import org.springframework.expression.spel.ast.FunctionReference;
import org.springframework.expression.spel.ast.Indexer;
import org.springframework.expression.spel.ast.MethodReference;
import org.springframework.expression.spel.ast.OpDec;
import org.springframework.expression.spel.ast.OpInc;
import org.springframework.expression.spel.ast.Projection;
import org.springframework.expression.spel.ast.PropertyOrFieldReference;
import org.springframework.expression.spel.ast.Selection;
import org.springframework.expression.spel.ast.TypeReference;
import org.springframework.expression.spel.ast.VariableReference;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.standard.SpelExpressionParser;

/**
 * Parses the expressions of one method and finds, by walking the syntax tree, what could
 * only fail later: unknown variables, and what the read-only context refuses.
 */
final class LockExpressionParser {

	// Never compiled: compiled expressions have been a way around the restricted context
	// (CVE-2026-59283).
	private static final SpelExpressionParser PARSER = new SpelExpressionParser(
			new SpelParserConfiguration(SpelCompilerMode.OFF, LockExpressionParser.class.getClassLoader()));

	private final MethodVariables variables;

	LockExpressionParser(MethodVariables variables) {
		this.variables = variables;
	}

	/**
	 * Parses a part of a key.
	 * @throws AnnotationProblem if the part cannot work
	 */
	LockExpression parseKeyPart(String text) {
		LockExpression part;
		try {
			part = parse("key", text);
		}
		catch (AnnotationProblem ex) {
			if (!isName(text)) {
				throw ex;
			}
			throw new AnnotationProblem(ex.problem(),
					ex.action() + " If you meant the lock's name, write name = \"" + text + "\".");
		}
		int argument = part.argument();
		if (argument >= 0 && !isKeyType(this.variables.type(argument))) {
			throw new AnnotationProblem(
					"the key part \"" + text + "\" is a " + this.variables.type(argument).getSimpleName()
							+ ", which has no text that is the same in every JVM.",
					"Use a property of it, such as " + text + ".id, that is a text, number, boolean, character,"
							+ " UUID or enum constant.");
		}
		return part;
	}

	/**
	 * Parses what gives the key of one lock, or a collection or array of keys.
	 * @throws AnnotationProblem if the expression cannot work
	 */
	LockExpression parseKeys(String text) {
		LockExpression keys = parse("lockAll", text);
		int argument = keys.argument();
		if (argument >= 0) {
			Class<?> type = this.variables.type(argument);
			if (!isKeyType(type) && !type.isArray() && !Iterable.class.isAssignableFrom(type)) {
				throw new AnnotationProblem(
						"lockAll \"" + text + "\" is a " + type.getSimpleName()
								+ ", which has no text that is the same in every JVM, and is no collection of keys.",
						"Use a property of it, such as " + text + ".id, or a collection or array of texts, numbers,"
								+ " UUIDs or enum constants.");
			}
		}
		return keys;
	}

	// People write @DistributedLock("stock"), but the value is the key.
	private boolean isName(String text) {
		try {
			LockKey.of(text);
			return this.variables.index(text) == null;
		}
		catch (IllegalArgumentException ex) {
			return false;
		}
	}

	/**
	 * Parses an expression.
	 * @param attribute the attribute that it is written in
	 * @throws AnnotationProblem if the expression cannot work
	 */
	LockExpression parse(String attribute, String text) {
		if (text.isBlank()) {
			throw new AnnotationProblem("a part of the " + attribute + " is blank.",
					"Write an expression such as \"#productId\", or leave the " + attribute + " out.");
		}
		SpelExpression expression;
		try {
			expression = PARSER.parseRaw(text);
		}
		catch (ParseException | IllegalStateException ex) {
			throw new AnnotationProblem(
					"the " + attribute + " \"" + text + "\" is no valid expression: " + ex.getMessage() + ".",
					"Write a variable as #name and a literal text in single quotes.");
		}
		Map<String, Integer> used = new LinkedHashMap<>();
		walk(expression.getAST(), true, attribute + " \"" + text + "\"", used);
		return new LockExpression(expression, used);
	}

	/**
	 * Checks a node and what is below it.
	 * @param onRoot whether a bare property name means a property of the root object
	 */
	private void walk(SpelNode node, boolean onRoot, String where, Map<String, Integer> used) {
		refuseUnsafe(node, where);
		if (node instanceof VariableReference) {
			variable(node, where, used);
		}
		else if (node instanceof PropertyOrFieldReference property && onRoot) {
			rootProperty(property, where);
		}
		else if (node instanceof CompoundExpression) {
			compound(node, onRoot, where, used);
		}
		else {
			boolean below = onRoot
					&& !(node instanceof Projection || node instanceof Selection || node instanceof Indexer);
			for (int i = 0; i < node.getChildCount(); i++) {
				walk(node.getChild(i), below, where, used);
			}
		}
	}

	private void compound(SpelNode node, boolean onRoot, String where, Map<String, Integer> used) {
		String readable = Accessors.asProperties(node, this.variables);
		if (readable != null) {
			throw new AnnotationProblem(
					"the " + where + " calls a method, which is not allowed: expressions only read.",
					"Write " + readable + ".");
		}
		SpelNode first = node.getChild(0);
		walk(first, onRoot, where, used);
		boolean afterRoot = first instanceof VariableReference && first.toStringAST().equals("#root");
		for (int i = 1; i < node.getChildCount(); i++) {
			walk(node.getChild(i), afterRoot && i == 1, where, used);
		}
	}

	private void variable(SpelNode node, String where, Map<String, Integer> used) {
		String name = node.toStringAST().substring(1);
		if (name.equals("root") || name.equals("this")) {
			return;
		}
		Integer index = this.variables.index(name);
		if (index == null) {
			throw new AnnotationProblem("the " + where + " uses #" + name + ", but the method has no such parameter.",
					this.variables.advice());
		}
		used.put(name, index);
	}

	private void rootProperty(PropertyOrFieldReference property, String where) {
		if (!LockExpressionRoot.PROPERTIES.contains(property.getName())) {
			throw new AnnotationProblem(
					"the " + where + " uses '" + property.getName() + "', which is no property of #root.",
					(this.variables.index(property.getName()) != null)
							? "Write #" + property.getName() + " for the parameter."
							: "Write #name for a parameter and 'text' for a literal.");
		}
	}

	private static void refuseUnsafe(SpelNode node, String where) {
		String what = null;
		if (node instanceof MethodReference || node instanceof FunctionReference) {
			what = "calls a method";
		}
		else if (node instanceof TypeReference || node instanceof ConstructorReference
				|| node instanceof BeanReference) {
			what = "uses a type or a bean";
		}
		else if (node instanceof Assign || node instanceof OpInc || node instanceof OpDec) {
			what = "assigns a value";
		}
		if (what != null) {
			throw new AnnotationProblem("the " + where + " " + what + ", which is not allowed: expressions only read.",
					"Use arguments and their properties, or compute the value in the caller and pass it in.");
		}
	}

	private static boolean isKeyType(Class<?> type) {
		if (type.isPrimitive() || type.isEnum() || CharSequence.class.isAssignableFrom(type)
				|| Number.class.isAssignableFrom(type) || type == Boolean.class || type == Character.class
				|| type == UUID.class) {
			return true;
		}
		// Anything that is not final may turn out to be one of these.
		return !(type.isArray() || Modifier.isFinal(type.getModifiers()) || Collection.class.isAssignableFrom(type)
				|| Map.class.isAssignableFrom(type) || type == Optional.class);
	}

}
