package io.distributedlock.boot.autoconfigure.redlock;

import java.util.List;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Matches if the properties name nodes, as one text or as a list.
 */
class OnRedlockNodesCondition extends SpringBootCondition {

	private static final String NODES = "distributed-lock.redlock.nodes";

	@Override
	public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
		boolean set = !Binder.get(context.getEnvironment())
			.bind(NODES, Bindable.listOf(String.class))
			.orElse(List.of())
			.isEmpty();
		return new ConditionOutcome(set,
				ConditionMessage.forCondition("Redlock").because(NODES + (set ? " is set" : " is not set")));
	}

}
