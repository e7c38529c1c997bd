package io.distributedlock.benchmarks.peer;

import java.time.Duration;
import java.time.Instant;

import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.provider.jdbctemplate.JdbcTemplateLockProvider;
import net.javacrumbs.shedlock.provider.redis.spring.RedisLockProvider;
import org.jspecify.annotations.Nullable;

import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;
import org.springframework.jdbc.core.JdbcTemplate;

/**
 * ShedLock, whose locks can be tried for but not waited for: {@code LockProvider.lock},
 * as the section "Running without Spring" of its README shows. The providers are made as
 * the sections on Redis and JDBC recommend: the database's time is used.
 */
final class ShedLockPeer implements PeerClient {

	private static final Duration AT_MOST = Duration.ofSeconds(30);

	private final LockProvider provider;

	private final AutoCloseable connections;

	private final String prefix;

	private ShedLockPeer(LockProvider provider, AutoCloseable connections, String prefix) {
		this.provider = provider;
		this.connections = connections;
		this.prefix = prefix;
	}

	static ShedLockPeer redis(Address server, String prefix) {
		LettuceConnectionFactory factory = SpringRedis.connect(server);
		return new ShedLockPeer(new RedisLockProvider(factory), factory::destroy, prefix);
	}

	static ShedLockPeer jdbc(Address server, String prefix) {
		Database database = Database.connect(server);
		return new ShedLockPeer(new JdbcTemplateLockProvider(JdbcTemplateLockProvider.Configuration.builder()
			.withJdbcTemplate(new JdbcTemplate(database.dataSource()))
			.usingDbTime()
			.build()), database, prefix);
	}

	@Override
	public HeldLock lock(String key) {
		HeldLock held = tryLock(key);
		if (held == null) {
			throw new IllegalStateException(key + " is taken, and ShedLock cannot wait");
		}
		return held;
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		LockConfiguration configuration = new LockConfiguration(Instant.now(), this.prefix + key, AT_MOST,
				Duration.ZERO);
		SimpleLock lock = this.provider.lock(configuration).orElse(null);
		return (lock != null) ? lock::unlock : null;
	}

	@Override
	public void close() {
		try {
			this.connections.close();
		}
		catch (Exception ex) {
			throw new IllegalStateException(ex);
		}
	}

}
