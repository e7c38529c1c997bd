package io.distributedlock.boot.autoconfigure;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

import io.distributedlock.spring.LockTransactionGuard;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanPostProcessor;
import org.springframework.transaction.ConfigurableTransactionManager;
import org.springframework.transaction.TransactionExecutionListener;

/**
 * Puts the guard into every transaction manager. Spring Boot hands listeners only to
 * those that it makes itself, and an application's own would commit unguarded.
 */
final class TransactionGuardPostProcessor implements BeanPostProcessor {

	private final ObjectProvider<LockTransactionGuard> guard;

	TransactionGuardPostProcessor(ObjectProvider<LockTransactionGuard> guard) {
		this.guard = guard;
	}

	@Override
	public Object postProcessBeforeInitialization(Object bean, String beanName) {
		if (bean instanceof ConfigurableTransactionManager manager) {
			Collection<TransactionExecutionListener> present = manager.getTransactionExecutionListeners();
			LockTransactionGuard guard = this.guard.getObject();
			if (!present.contains(guard)) {
				// A copy, since what the application has set may be unmodifiable.
				List<TransactionExecutionListener> listeners = new ArrayList<>(present);
				listeners.add(guard);
				manager.setTransactionExecutionListeners(listeners);
			}
		}
		return bean;
	}

}
