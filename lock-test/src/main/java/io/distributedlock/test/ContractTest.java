package io.distributedlock.test;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A test of the store contract. Each has a lock and stores of its own and mostly waits
 * until something expires, so those of one class may run side by side. That is up to the
 * module: {@code junit.jupiter.execution.parallel.enabled=true} in
 * {@code junit-platform.properties} says so.
 */
@Test
@Execution(ExecutionMode.CONCURRENT)
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@interface ContractTest {

}
