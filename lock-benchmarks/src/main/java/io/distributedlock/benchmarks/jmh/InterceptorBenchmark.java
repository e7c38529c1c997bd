package io.distributedlock.benchmarks.jmh;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.micrometer.core.instrument.MeterRegistry;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

import org.springframework.aop.support.AopUtils;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * What {@code @DistributedLock} costs more than {@link LockTemplate#execute}.
 * <p>
 * The strict comparison is {@link #interceptor} with {@link #template}, whose request was
 * made before: it charges the interceptor with Spring's proxy, the look-up, the key
 * expression and the making of key and request. {@link #templateWithRequest} makes key
 * and request for each call, as code without the annotation has to.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class InterceptorBenchmark {

	private static final Duration TTL = Duration.ofSeconds(10);

	private ConfigurableApplicationContext context;

	private Shop bean;

	private Shop target;

	private LockTemplate locks;

	private LockRequest request;

	private String productId;

	/**
	 * Starts the application and checks that it is what is to be measured.
	 */
	@Setup
	public void start() {
		this.context = ShopApplication.start();
		this.bean = this.context.getBean(Shop.class);
		if (!AopUtils.isCglibProxy(this.bean)) {
			throw new IllegalStateException("The bean has no proxy, so nothing would be measured");
		}
		this.target = new Shop();
		this.locks = this.context.getBean(LockTemplate.class);
		this.productId = "42";
		this.request = LockRequest.of("stock", this.productId).withTtl(TTL);
	}

	/**
	 * Checks that the meters have counted, and stops the application.
	 */
	@TearDown
	public void stop() {
		MeterRegistry registry = this.context.getBean(MeterRegistry.class);
		boolean counted = registry.find("lock.acquire").timers().stream().anyMatch((timer) -> timer.count() > 0);
		boolean locked = !this.context.getBean(io.distributedlock.LockInspector.class).statistics().isEmpty();
		this.context.close();
		if (locked && !counted) {
			throw new IllegalStateException("Locks were taken, but no meter has counted them");
		}
	}

	/**
	 * The annotated method.
	 */
	@Benchmark
	public long interceptor() {
		return this.bean.buyLocked(this.productId);
	}

	/**
	 * The same lock in code, with a request that was made before.
	 */
	@Benchmark
	public long template() {
		return this.locks.<Long, RuntimeException>execute(this.request, (lease) -> this.target.buy(this.productId));
	}

	/**
	 * The same lock in code, with a request that is made for each call.
	 */
	@Benchmark
	public long templateWithRequest() {
		LockRequest own = LockRequest.of("stock", this.productId).withTtl(TTL);
		return this.locks.<Long, RuntimeException>execute(own, (lease) -> this.target.buy(this.productId));
	}

	/**
	 * A method without a lock, through Spring's proxy.
	 */
	@Benchmark
	public long proxy() {
		return this.bean.buyProxied(this.productId);
	}

	/**
	 * A method without a lock.
	 */
	@Benchmark
	public long direct() {
		return this.target.buy(this.productId);
	}

}
