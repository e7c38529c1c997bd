package io.distributedlock.boot.test.autoconfigure;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.test.context.PropertyMapping;

/**
 * Put on a test class, makes {@code @DistributedLock} work there, and gives it a
 * {@code LockTemplate}. Slices of an application, such as {@code @WebMvcTest}, have
 * neither of their own accord, so that annotated methods would run without their lock.
 * {@code @SpringBootTest} needs this only for its default store.
 * <p>
 * It brings the aspect, the engine, the guard of transactions and the stores in memory,
 * Redis and databases. Caches, ShedLock, Spring Integration, the endpoint, meters and
 * events are left out.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@Inherited
@ImportAutoConfiguration
@PropertyMapping("distributed-lock")
public @interface AutoConfigureDistributedLock {

	/**
	 * Which store holds the locks. Wins over any other {@code distributed-lock.store}.
	 * @return name of the store; by default the one in memory, for which
	 * {@code lock-test} has to be on the classpath
	 */
	String store() default "memory";

}
