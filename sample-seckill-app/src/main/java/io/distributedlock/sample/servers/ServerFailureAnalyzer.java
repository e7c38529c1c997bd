package io.distributedlock.sample.servers;

import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;

/**
 * Tells what to do when an embedded server does not start, instead of a stack trace.
 */
class ServerFailureAnalyzer extends AbstractFailureAnalyzer<ServerException> {

	@Override
	protected FailureAnalysis analyze(Throwable rootFailure, ServerException cause) {
		return new FailureAnalysis(cause.getMessage(), """
				Do what is said above, or use servers of your own:
				- Redis: --spring.data.redis.host=... --spring.data.redis.port=...
				- PostgreSQL: --spring.datasource.url=jdbc:postgresql://... with .username and .password
				- etcd: --distributed-lock.etcd.endpoints=http://...:2379
				- ZooKeeper: --distributed-lock.zookeeper.connect-string=...:2181
				- Redlock: --distributed-lock.redlock.nodes=...:6379,...:6379,...:6379
				- Redis and PostgreSQL in Docker: --spring.profiles.active=docker""", cause);
	}

}
