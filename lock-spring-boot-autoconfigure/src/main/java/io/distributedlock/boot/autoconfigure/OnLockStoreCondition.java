package io.distributedlock.boot.autoconfigure;

import java.util.List;
import java.util.Map;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Decides for {@link ConditionalOnLockStore}.
 */
class OnLockStoreCondition extends SpringBootCondition {

	private static final String MEMORY = "memory";

	private static final String REDIS = "redis";

	private static final String REDLOCK = "redlock";

	private static final String NODES = "distributed-lock.redlock.nodes";

	@Override
	public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
		Map<String, @Nullable Object> attributes = metadata
			.getAnnotationAttributes(ConditionalOnLockStore.class.getName());
		String name = (attributes != null) ? String.valueOf(attributes.get("value")) : "";
		return outcome(name, Binder.get(context.getEnvironment()),
				ConditionMessage.forCondition(ConditionalOnLockStore.class, name));
	}

	private static ConditionOutcome outcome(String name, Binder properties, ConditionMessage.Builder message) {
		String enabled = "distributed-lock." + name + ".enabled";
		@Nullable Boolean decided = properties.bind(enabled, Boolean.class).orElse(null);
		if (decided != null) {
			return new ConditionOutcome(decided, message.because(enabled + " is " + decided));
		}
		String store = properties.bind("distributed-lock.store", String.class).orElse("").trim();
		if (name.equals(MEMORY) != store.equals(MEMORY)) {
			return ConditionOutcome
				.noMatch(message.because("distributed-lock.store is " + (store.isEmpty() ? "not set" : store)));
		}
		if (name.equals(REDIS) && !store.equals(REDIS) && hasNodes(properties)) {
			return ConditionOutcome
				.noMatch(message.because(NODES + " is set, and distributed-lock.store is not redis"));
		}
		return ConditionOutcome.match(message.because("no property speaks against it"));
	}

	private static boolean hasNodes(Binder properties) {
		return !properties.bind(NODES, Bindable.listOf(String.class)).orElse(List.of()).isEmpty();
	}

}
