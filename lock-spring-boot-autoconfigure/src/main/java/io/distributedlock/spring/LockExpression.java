package io.distributedlock.spring;

import java.util.LinkedHashMap;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import org.springframework.expression.EvaluationContext;
import org.springframework.expression.EvaluationException;
import org.springframework.expression.PropertyAccessor;
import org.springframework.expression.spel.standard.SpelExpression;
import org.springframework.expression.spel.support.DataBindingPropertyAccessor;
import org.springframework.expression.spel.support.SimpleEvaluationContext;

/**
 * One expression of an annotation, parsed and checked. Expression text comes from
 * annotations only; what an expression gives is never evaluated again.
 */
final class LockExpression {

	private final SpelExpression expression;

	private final Map<String, Integer> variables;

	// Kept from call to call, since it remembers which method reads which property: a new
	// one would search the type by reflection each time.
	private final PropertyAccessor properties = DataBindingPropertyAccessor.forReadOnlyAccess();

	// The argument that the expression is nothing but, or -1: the usual case, which needs
	// no interpreter.
	private final int argument;

	LockExpression(SpelExpression expression, Map<String, Integer> variables) {
		this.expression = expression;
		this.variables = new LinkedHashMap<>(variables);
		this.argument = (variables.size() == 1) ? soleArgument(expression, variables) : -1;
	}

	private static int soleArgument(SpelExpression expression, Map<String, Integer> variables) {
		Map.Entry<String, Integer> variable = variables.entrySet().iterator().next();
		return expression.toStringAST().equals("#" + variable.getKey()) ? variable.getValue() : -1;
	}

	/**
	 * Computes the value for one call.
	 * @throws EvaluationException if an expression cannot be computed with these
	 * arguments
	 */
	@Nullable Object evaluate(LockOperation operation, @Nullable Object[] arguments) {
		if (this.argument >= 0) {
			return arguments[this.argument];
		}
		return this.expression.getValue(context(operation, arguments));
	}

	/**
	 * Gives the argument that the expression stands for.
	 * @return its index, or -1 if the expression is more than one variable
	 */
	int argument() {
		return this.argument;
	}

	private EvaluationContext context(LockOperation operation, @Nullable Object[] arguments) {
		// What forReadOnlyDataBinding() would give, but for the accessor.
		SimpleEvaluationContext context = SimpleEvaluationContext.forPropertyAccessors(this.properties)
			.withAssignmentDisabled()
			.withRootObject(new LockExpressionRoot(operation.method().getName(), operation.simpleClassName(),
					arguments.clone()))
			.build();
		this.variables.forEach((name, index) -> context.setVariable(name, arguments[index]));
		return context;
	}

	@Override
	public String toString() {
		return this.expression.getExpressionString();
	}

}
