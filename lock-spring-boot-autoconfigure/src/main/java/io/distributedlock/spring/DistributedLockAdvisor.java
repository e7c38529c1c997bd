package io.distributedlock.spring;

import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

import io.distributedlock.LockTemplate;
import org.aopalliance.aop.Advice;

import org.springframework.aop.Pointcut;
import org.springframework.aop.PointcutAdvisor;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.Ordered;
import org.springframework.core.task.TaskDecorator;
import org.springframework.util.StringValueResolver;
import org.springframework.util.function.SingletonSupplier;

/**
 * Applies {@link DistributedLock @DistributedLock} to beans. Its bean definition needs
 * the role
 * {@link org.springframework.beans.factory.config.BeanDefinition#ROLE_INFRASTRUCTURE} to
 * be seen by Spring's proxy creator.
 * <p>
 * Spring makes advisors with the first bean that it proxies. So this one asks for the
 * {@link LockTemplate} not before the first call, and for its settings not before the
 * first annotated method.
 */
public final class DistributedLockAdvisor implements PointcutAdvisor, Ordered {

	/**
	 * Within asynchronous execution, retries and security checks, outside of caches and
	 * transactions: who may not call takes no lock, each retry takes it anew, and it is
	 * released after the commit.
	 */
	public static final int ORDER = LOWEST_PRECEDENCE - 100;

	private final LockOperationSource source;

	private final Pointcut pointcut;

	private final Advice advice;

	/**
	 * Makes an advisor.
	 * @param locks gives what takes the locks, asked once
	 * @param settings gives the settings, asked once
	 * @param placeholders resolves placeholders in annotations
	 */
	public DistributedLockAdvisor(Supplier<LockTemplate> locks, Supplier<AspectSettings> settings,
			StringValueResolver placeholders) {
		this(locks, settings, placeholders, () -> false, List::of);
	}

	/**
	 * Makes an advisor that says on which threads methods that return a future run. They
	 * are threads of their own; idle ones end.
	 * @param locks gives what takes the locks, asked once
	 * @param settings gives the settings, asked once
	 * @param placeholders resolves placeholders in annotations
	 * @param virtualThreads tells whether those threads are virtual, asked once
	 * @param decorators gives what is wrapped around such a method and what follows it,
	 * to take along a context; the first is outermost; asked once
	 */
	public DistributedLockAdvisor(Supplier<LockTemplate> locks, Supplier<AspectSettings> settings,
			StringValueResolver placeholders, BooleanSupplier virtualThreads,
			Supplier<List<TaskDecorator>> decorators) {
		Supplier<AspectSettings> settingsOnce = SingletonSupplier.of(settings);
		this.source = new LockOperationSource(new LockOperationParser(settingsOnce, placeholders));
		this.pointcut = new DistributedLockPointcut(this.source);
		Supplier<LockTemplate> locksOnce = SingletonSupplier.of(locks);
		Supplier<Executor> threads = SingletonSupplier
			.of(() -> MethodThreads.create(virtualThreads.getAsBoolean(), decorators.get()));
		this.advice = new DistributedLockInterceptor(this.source, locksOnce, settingsOnce,
				new AsynchronousCalls(locksOnce, threads));
	}

	/**
	 * Checks the classes of all beans, also of those that are not made yet.
	 * @param beanFactory the beans
	 * @return what is locked
	 * @throws InvalidDistributedLockException if an annotation cannot work
	 */
	public List<DeclaredLock> check(ConfigurableListableBeanFactory beanFactory) {
		new LockedBeans(this, this.source).check(beanFactory);
		return this.source.all()
			.stream()
			.map((operation) -> new DeclaredLock(operation.location(), operation.name(), operation.settings(),
					operation.mode()))
			.toList();
	}

	@Override
	public Pointcut getPointcut() {
		return this.pointcut;
	}

	@Override
	public Advice getAdvice() {
		return this.advice;
	}

	@Override
	public int getOrder() {
		return ORDER;
	}

}
