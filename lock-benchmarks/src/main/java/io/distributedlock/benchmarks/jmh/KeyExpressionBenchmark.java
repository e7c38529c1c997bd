package io.distributedlock.benchmarks.jmh;

import java.util.concurrent.TimeUnit;

import io.distributedlock.LockRequest;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.KeyEvaluation;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * From the arguments of a call to its {@link LockRequest}: evaluation of the key
 * expression, and the making of key and request.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class KeyExpressionBenchmark {

	/** Which of the {@link Orders} methods is called; named after its expression. */
	@Param({ "variable", "property", "concatenation", "constant", "none" })
	public String expression;

	private KeyEvaluation evaluation;

	private Object[] arguments;

	/**
	 * Parses the annotation, as the interceptor does at start-up.
	 */
	@Setup
	public void parse() {
		this.evaluation = KeyEvaluation.of(Orders.class, this.expression);
		this.arguments = new Object[] { this.expression.equals("property") ? new Order("42") : "42" };
	}

	/**
	 * One evaluation.
	 */
	@Benchmark
	public LockRequest evaluate() {
		return this.evaluation.request(this.arguments);
	}

	static class Orders {

		@DistributedLock(name = "order", key = "#id")
		void variable(String id) {
		}

		@DistributedLock(name = "order", key = "#order.id")
		void property(Order order) {
		}

		@DistributedLock(name = "order", key = "'a:' + #p0")
		void concatenation(String id) {
		}

		@DistributedLock(name = "order", key = "'nightly'")
		void constant(String id) {
		}

		@DistributedLock(name = "order")
		void none(String id) {
		}

	}

	record Order(String id) {

	}

}
