package io.distributedlock.boot.autoconfigure.shedlock;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;

import io.distributedlock.OnOutage;
import io.distributedlock.boot.autoconfigure.DistributedLockProperties;
import io.distributedlock.boot.autoconfigure.LockStoreSetupException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.util.ClassUtils;

/**
 * Looks, when all beans are there, for settings of ShedLock's locks that cannot work with
 * a job, or have no effect since ShedLock itself says how long a lock lasts.
 */
final class ShedLockSettingsCheck implements SmartInitializingSingleton {

	private static final Logger logger = LoggerFactory.getLogger(ShedLockSettingsCheck.class);

	private static final boolean ANNOTATIONS_PRESENT = ClassUtils.isPresent(
			"net.javacrumbs.shedlock.spring.annotation.SchedulerLock", ShedLockSettingsCheck.class.getClassLoader());

	private final DistributedLockProperties properties;

	private final String name;

	private final ConfigurableListableBeanFactory beanFactory;

	ShedLockSettingsCheck(DistributedLockProperties properties, String name,
			ConfigurableListableBeanFactory beanFactory) {
		this.properties = properties;
		this.name = name;
		this.beanFactory = beanFactory;
	}

	@Override
	public void afterSingletonsInstantiated() {
		this.properties.entryFor(this.name).ifPresent((entry) -> {
			List<String> ignored = ignored(entry);
			if (!ignored.isEmpty()) {
				logger.warn(
						"distributed-lock.locks.{}: {} without effect, since ShedLock says for each of its locks how"
								+ " long it lasts (lockAtMostFor, lockAtLeastFor), and does not wait. Leave it out.",
						this.name, String.join(", ", ignored));
			}
			if (entry.onOutage() == OnOutage.LOCAL && ANNOTATIONS_PRESENT) {
				refuseLeastTimes();
			}
		});
	}

	private static List<String> ignored(DistributedLockProperties.Lock entry) {
		List<String> ignored = new ArrayList<>();
		addIf(entry.ttl() != null, "ttl", ignored);
		addIf(entry.waitTime() != null, "wait-time", ignored);
		addIf(entry.renew() != null, "renew", ignored);
		addIf(entry.minHold() != null, "min-hold", ignored);
		addIf(entry.maxHold() != null, "max-hold", ignored);
		addIf(entry.keep() != null, "keep", ignored);
		addIf(entry.permits() != null, "permits", ignored);
		addIf(entry.adaptiveTtl() != null && entry.adaptiveTtl().enabled(), "adaptive-ttl", ignored);
		return ignored;
	}

	private static void addIf(boolean given, String setting, List<String> ignored) {
		if (given) {
			ignored.add(setting);
		}
	}

	private void refuseLeastTimes() {
		Set<String> jobs = SchedulerLocks.withLeastTime(this.beanFactory);
		if (!jobs.isEmpty()) {
			throw new LockStoreSetupException(
					"distributed-lock.locks." + this.name + ".on-outage is local, but " + String.join(", ", jobs)
							+ " asks with lockAtLeastFor for a lock that stays taken after the work: only the store can"
							+ " keep it so, and each run would fail.",
					"Leave out lockAtLeastFor (and defaultLockAtLeastFor), or on-outage.");
		}
	}

}
