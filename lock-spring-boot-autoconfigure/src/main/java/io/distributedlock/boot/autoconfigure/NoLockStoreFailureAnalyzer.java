package io.distributedlock.boot.autoconfigure;

import java.util.Optional;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Says which dependency to add when there is no store.
 */
final class NoLockStoreFailureAnalyzer extends AbstractFailureAnalyzer<NoLockStoreException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, NoLockStoreException cause) {
		if ("memory".equals(cause.chosen())) {
			return new FailureAnalysis(
					"distributed-lock.store=memory was chosen, but the module that has this store, lock-test, is not on the"
							+ " classpath.",
					"""
							Add it, with the scope test if only tests use it:

							    <dependency>
							        <groupId>io.distributedlock</groupId>
							        <artifactId>lock-test</artifactId>
							    </dependency>

							Or, to keep locks on a server, take distributed-lock.store=memory out of the configuration.""",
					cause);
		}
		Optional<String> needs = KnownStore.needs(cause.chosen());
		if (needs.isPresent()) {
			return new FailureAnalysis("distributed-lock.store=" + cause.chosen()
					+ " was chosen, but there is no such store, and no other.", needs.get(), cause);
		}
		return new FailureAnalysis("Distributed locks need a store that keeps them, and there is none.",
				"""
						Do one of these:
						- For Redis, add the dependency io.distributedlock:lock-spring-boot-starter and point spring.data.redis.* \
						at your server. (Is it there already? Then see whether distributed-lock.redis.enabled is false, or \
						whether an application with several RedisConnectionFactory beans has one marked with \
						@LockRedisConnectionFactory or @Primary.)
						- For a database, add io.distributedlock:lock-spring-boot-starter-jdbc, with a DataSource.
						- For etcd, add io.distributedlock:lock-spring-boot-starter-etcd and set distributed-lock.etcd.endpoints.
						- For ZooKeeper, add io.distributedlock:lock-spring-boot-starter-zookeeper and set \
						distributed-lock.zookeeper.connect-string.
						- For development on one machine, add io.distributedlock:lock-test and set distributed-lock.store=memory.
						- Define a bean of type io.distributedlock.spi.LockStore.""",
				cause);
	}

}
