package io.distributedlock.benchmarks.several;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.RedisLockStore;

import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

/**
 * This library, put together as its auto-configuration does it.
 */
final class OurEngine implements AutoCloseable {

	private final LettuceConnectionFactory factory;

	final LockEngine locks;

	OurEngine(Address server) {
		this.factory = new LettuceConnectionFactory(new RedisStandaloneConfiguration(server.host(), server.port()));
		this.factory.afterPropertiesSet();
		this.factory.start();
		this.locks = LockEngine.builder().store(RedisLockStore.builder(this.factory).build()).build();
	}

	@Override
	public void close() {
		this.locks.close();
		this.factory.destroy();
	}

}
