package io.distributedlock.benchmarks.peer;

import java.time.Duration;
import java.util.concurrent.locks.Lock;

import org.jspecify.annotations.Nullable;

import org.springframework.integration.jdbc.lock.DefaultLockRepository;
import org.springframework.integration.jdbc.lock.JdbcLockRegistry;
import org.springframework.jdbc.support.JdbcTransactionManager;

/**
 * Spring Integration's {@code JdbcLockRegistry}, as its page "JDBC Lock Registry" shows
 * it, with the insert for PostgreSQL that the page recommends.
 */
final class SpringIntegrationJdbcPeer implements PeerClient {

	private static final Duration EXPIRE_AFTER = Duration.ofSeconds(30);

	// See SpringIntegrationRedisPeer.
	private static final int CAPACITY = 100_000;

	private final Database database;

	private final JdbcLockRegistry registry;

	SpringIntegrationJdbcPeer(Address server, String prefix) {
		this.database = Database.connect(server);
		DefaultLockRepository repository = new DefaultLockRepository(this.database.dataSource());
		repository.setRegion(prefix);
		repository.setInsertQuery(repository.getInsertQuery() + " ON CONFLICT DO NOTHING");
		repository.setTransactionManager(new JdbcTransactionManager(this.database.dataSource()));
		repository.afterPropertiesSet();
		repository.afterSingletonsInstantiated();
		repository.start();
		this.registry = new JdbcLockRegistry(repository, EXPIRE_AFTER);
		this.registry.setCacheCapacity(CAPACITY);
	}

	@Override
	public HeldLock lock(String key) {
		Lock lock = this.registry.obtain(key);
		lock.lock();
		return lock::unlock;
	}

	@Override
	public @Nullable HeldLock tryLock(String key) {
		Lock lock = this.registry.obtain(key);
		return lock.tryLock() ? lock::unlock : null;
	}

	@Override
	public void close() {
		this.database.close();
	}

}
