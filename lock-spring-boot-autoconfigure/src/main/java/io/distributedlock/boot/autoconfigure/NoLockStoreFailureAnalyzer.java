package io.distributedlock.boot.autoconfigure;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Says which dependency to add when there is no store.
 */
final class NoLockStoreFailureAnalyzer extends AbstractFailureAnalyzer<NoLockStoreException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, NoLockStoreException cause) {
		if (cause.memoryChosen()) {
			return new FailureAnalysis(
					"distributed-lock.store=memory was chosen, but the module that has this store, lock-test, is not on the"
							+ " classpath.",
					"""
							Add it, with the scope test if only tests use it:

							    <dependency>
							        <groupId>io.distributedlock</groupId>
							        <artifactId>lock-test</artifactId>
							    </dependency>

							Or, to keep locks in Redis, take distributed-lock.store=memory out of the configuration.""",
					cause);
		}
		return new FailureAnalysis("Distributed locks need a store that keeps them, and there is none.",
				"""
						Do one of these:
						- For Redis, add the dependency io.distributedlock:lock-spring-boot-starter and point spring.data.redis.* \
						at your server. (Is it there already? Then see whether distributed-lock.redis.enabled is false, or \
						whether an application with several RedisConnectionFactory beans has one marked with \
						@LockRedisConnectionFactory or @Primary.)
						- For development on one machine, add io.distributedlock:lock-test and set distributed-lock.store=memory.
						- Define a bean of type io.distributedlock.spi.LockStore.""",
				cause);
	}

}
