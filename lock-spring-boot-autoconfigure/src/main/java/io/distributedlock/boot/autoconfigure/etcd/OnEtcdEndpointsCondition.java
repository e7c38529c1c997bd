package io.distributedlock.boot.autoconfigure.etcd;

import java.util.List;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Matches if the properties say where etcd is, as one text or as a list.
 */
class OnEtcdEndpointsCondition extends SpringBootCondition {

	private static final String ENDPOINTS = "distributed-lock.etcd.endpoints";

	@Override
	public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
		boolean set = !Binder.get(context.getEnvironment())
			.bind(ENDPOINTS, Bindable.listOf(String.class))
			.orElse(List.of())
			.isEmpty();
		return new ConditionOutcome(set,
				ConditionMessage.forCondition("etcd").because(ENDPOINTS + (set ? " is set" : " is not set")));
	}

}
