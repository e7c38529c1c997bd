package io.distributedlock.boot.autoconfigure;

import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

import io.distributedlock.LockInspector;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.spring.DeclaredLock;
import io.distributedlock.spring.DistributedLockAdvisor;
import io.distributedlock.spring.InvalidDistributedLockException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;

/**
 * Compares what is annotated with what is configured, when all beans are there. What
 * cannot work is an error, what looks like a mistake a warning.
 */
final class DeclaredLocksCheck implements SmartInitializingSingleton {

	private static final Logger logger = LoggerFactory.getLogger(DeclaredLocksCheck.class);

	private final DistributedLockAdvisor advisor;

	private final DistributedLockProperties properties;

	private final ObjectProvider<LockInspector> inspector;

	private final ObjectProvider<LockTemplate> locks;

	private final ConfigurableListableBeanFactory beanFactory;

	DeclaredLocksCheck(DistributedLockAdvisor advisor, DistributedLockProperties properties,
			ObjectProvider<LockInspector> inspector, ObjectProvider<LockTemplate> locks,
			ConfigurableListableBeanFactory beanFactory) {
		this.advisor = advisor;
		this.properties = properties;
		this.inspector = inspector;
		this.locks = locks;
		this.beanFactory = beanFactory;
	}

	@Override
	public void afterSingletonsInstantiated() {
		List<DeclaredLock> locks = this.advisor.check(this.beanFactory);
		if (!isInChildContext()) {
			warnOfUnusedEntries(locks,
					this.beanFactory.getBeanProvider(AdapterLockName.class)
						.stream()
						.map(AdapterLockName::value)
						.toList());
		}
		if (!this.properties.enabled()) {
			if (!locks.isEmpty()) {
				logger.warn(
						"distributed-lock.enabled is false: {} methods with @DistributedLock run WITHOUT their lock.",
						locks.size());
			}
			return;
		}
		requireStores(locks);
		warnOfShortTtls(locks);
	}

	// There, what is configured may be for the parent, which has looked at it already.
	private boolean isInChildContext() {
		return this.beanFactory.getParentBeanFactory() instanceof ListableBeanFactory parent
				&& parent.getBeanNamesForType(DeclaredLocksCheck.class, true, false).length > 0;
	}

	private void warnOfUnusedEntries(List<DeclaredLock> locks, List<String> adapters) {
		Set<String> names = locks.stream().map(DeclaredLock::name).collect(Collectors.toCollection(TreeSet::new));
		names.addAll(adapters);
		for (String entry : new TreeSet<>(this.properties.locks().keySet())) {
			if (names.stream().noneMatch((name) -> LockNames.matches(name, entry))) {
				logger.warn(
						"distributed-lock.locks.{} matches the name of no @DistributedLock.{} (If only code uses that"
								+ " name, with LockTemplate, all is well; there it must be written exactly so.)",
						entry, hint(entry, locks, names));
			}
		}
	}

	private static String hint(String entry, List<DeclaredLock> locks, Set<String> names) {
		for (DeclaredLock lock : locks) {
			String method = nameOfMethod(lock.method());
			if (LockNames.matches(method, entry)) {
				return " The method " + method + " has the name '" + lock.name() + "'.";
			}
		}
		return LockNames.nearest(entry, names).map((name) -> " Did you mean '" + name + "'?").orElse("");
	}

	/**
	 * What a lock would be called if its annotation gave it no name: of
	 * {@code com.acme.Shop.buy(String)}, {@code Shop.buy}.
	 */
	private static String nameOfMethod(String method) {
		String[] parts = method.split("\\(", 2)[0].split("[.$]");
		return (parts.length > 1) ? parts[parts.length - 2] + "." + parts[parts.length - 1] : parts[0];
	}

	private void requireStores(List<DeclaredLock> locks) {
		// Makes the engine, so that a store that cannot be reached is found now.
		LockInspector inspector = this.inspector.getIfAvailable();
		if (inspector == null) {
			return;
		}
		List<String> stores = inspector.stores();
		this.properties.locks().forEach((name, lock) -> {
			if (isMissing(lock.store(), stores)) {
				throw new LockStoreSetupException("distributed-lock.locks." + name + ".store is '" + lock.store()
						+ "', but there is no such lock store.", useOneOf(stores, lock.store()));
			}
		});
		for (DeclaredLock lock : locks) {
			String store = lock.settings().store();
			if (isMissing(store, stores)) {
				throw new InvalidDistributedLockException(lock.method(), "there is no store '" + store + "'.",
						useOneOf(stores, store), null);
			}
			requireCapabilities(lock);
		}
	}

	/**
	 * Not every store can share a lock or keep strict order.
	 */
	private void requireCapabilities(DeclaredLock lock) {
		try {
			this.locks.getObject()
				.check(LockRequest.of(LockKey.of(lock.name()), lock.settings()).withMode(lock.mode()).asDeclared());
		}
		catch (IllegalArgumentException ex) {
			throw new InvalidDistributedLockException(lock.method(), "its lock cannot be had as it is declared.",
					String.valueOf(ex.getMessage()), ex);
		}
	}

	private static boolean isMissing(@Nullable String store, List<String> stores) {
		return store != null && !stores.contains(store);
	}

	private static String useOneOf(List<String> stores, @Nullable String store) {
		return "Use one of " + stores + ", or leave the store out."
				+ KnownStore.needs(store).map((needs) -> " " + needs).orElse("");
	}

	private void warnOfShortTtls(List<DeclaredLock> locks) {
		Duration least = this.properties.commandTimeout().multipliedBy(3);
		if (this.properties.ttl().compareTo(least) < 0) {
			warnOfShortTtl("distributed-lock.ttl", this.properties.ttl(), least);
		}
		for (DeclaredLock lock : locks) {
			Duration ttl = lock.settings().ttl();
			if (ttl != null && !ttl.equals(this.properties.ttl()) && ttl.compareTo(least) < 0) {
				warnOfShortTtl("The ttl of lock '" + lock.name() + "' on " + lock.method(), ttl, least);
			}
		}
	}

	private void warnOfShortTtl(String what, Duration ttl, Duration least) {
		logger
			.warn("{} is {}ms, shorter than three command timeouts ({}ms). A command gets at most a sixth of the ttl: here"
					+ " {}ms instead of {}ms, and a store that answers more slowly costs the lock. Raise the ttl, which"
					+ " costs nothing while instances live, or, if the store is always that fast, lower"
					+ " distributed-lock.command-timeout to {}ms.", what, ttl.toMillis(), least.toMillis(),
					ttl.dividedBy(6).toMillis(), this.properties.commandTimeout().toMillis(),
					ttl.dividedBy(6).toMillis());
	}

}
