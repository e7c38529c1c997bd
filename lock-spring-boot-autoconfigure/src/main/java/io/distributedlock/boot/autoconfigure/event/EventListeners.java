package io.distributedlock.boot.autoconfigure.event;

import java.util.Collection;

import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.context.event.GenericApplicationListener;
import org.springframework.context.event.GenericApplicationListenerAdapter;
import org.springframework.context.support.AbstractApplicationContext;
import org.springframework.core.ResolvableType;

/**
 * Tells whether a started application has listeners for a kind of event, in its context
 * or in one above it.
 */
final class EventListeners {

	private final ApplicationContext context;

	EventListeners(ApplicationContext context) {
		this.context = context;
	}

	boolean existFor(Class<?> payload) {
		ResolvableType event = ResolvableType.forClassWithGenerics(PayloadApplicationEvent.class, payload);
		for (ApplicationContext at = this.context; at != null; at = at.getParent()) {
			if (existFor(event, at)) {
				return true;
			}
		}
		return false;
	}

	private static boolean existFor(ResolvableType event, ApplicationContext context) {
		if (!(context instanceof AbstractApplicationContext known)) {
			return true;
		}
		Collection<ApplicationListener<?>> listeners = known.getApplicationListeners();
		if (listeners.stream().anyMatch((listener) -> listens(listener, event))) {
			return true;
		}
		// Lazy and prototype listeners, which Spring makes when their event comes.
		ResolvableType listener = ResolvableType.forClassWithGenerics(ApplicationListener.class, event);
		return context.getBeanNamesForType(listener).length > 0;
	}

	private static boolean listens(ApplicationListener<?> listener, ResolvableType event) {
		if (isSpringBoots(listener)) {
			return false;
		}
		GenericApplicationListener generic = (listener instanceof GenericApplicationListener already) ? already
				: new GenericApplicationListenerAdapter(listener);
		return generic.supportsEventType(event);
	}

	// Spring Boot has listeners that hear of all events and care for few of them.
	private static boolean isSpringBoots(ApplicationListener<?> listener) {
		return listener.getClass().getName().startsWith("org.springframework.boot.");
	}

}
