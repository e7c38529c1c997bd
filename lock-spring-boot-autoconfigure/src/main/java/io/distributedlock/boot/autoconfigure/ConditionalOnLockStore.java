package io.distributedlock.boot.autoconfigure;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.context.annotation.Conditional;

/**
 * Matches if the properties leave room for a store.
 * {@code distributed-lock.<store>.enabled} decides if it is set. If it is not,
 * {@code distributed-lock.store=memory} keeps all other stores out, so that tests need no
 * server, and Redlock nodes keep the single Redis out unless
 * {@code distributed-lock.store} asks for it.
 */
@Target({ ElementType.TYPE, ElementType.METHOD })
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Conditional(OnLockStoreCondition.class)
public @interface ConditionalOnLockStore {

	/**
	 * Name of the store, as in its properties.
	 * @return the name
	 */
	String value();

}
