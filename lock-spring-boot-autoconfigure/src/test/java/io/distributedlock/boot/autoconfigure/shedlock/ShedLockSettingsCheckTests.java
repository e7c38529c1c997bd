package io.distributedlock.boot.autoconfigure.shedlock;

import java.time.Duration;
import java.time.Instant;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.LockStoreSetupException;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import net.javacrumbs.shedlock.core.LockConfiguration;
import net.javacrumbs.shedlock.core.LockProvider;
import net.javacrumbs.shedlock.core.SimpleLock;
import net.javacrumbs.shedlock.spring.annotation.EnableSchedulerLock;
import net.javacrumbs.shedlock.spring.annotation.SchedulerLock;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Settings of ShedLock's locks, by their name.
 */
@ExtendWith(OutputCaptureExtension.class)
class ShedLockSettingsCheckTests {

	private static final String LOCAL = "distributed-lock.locks.shedlock.on-outage=local";

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, ShedLockAutoConfiguration.class))
		.withPropertyValues("distributed-lock.store=memory");

	@Test
	void lockAtMostForIsNotReplacedByAnAdaptiveTtl(CapturedOutput output) {
		this.runner.withPropertyValues("distributed-lock.locks.shedlock.adaptive-ttl.enabled=true").run((context) -> {
			LockProvider provider = context.getBean(LockProvider.class);
			LockTemplate locks = context.getBean(LockTemplate.class);
			for (int i = 0; i < 150; i++) {
				locks.acquire(LockRequest.of("shedlock").withRenew(false)).close();
			}
			try (Lease adapted = locks.acquire(LockRequest.of("shedlock").withRenew(false))) {
				assertThat(adapted.remaining()).isLessThan(Duration.ofSeconds(20));
			}
			SimpleLock lock = provider
				.lock(new LockConfiguration(Instant.now(), "job", Duration.ofMinutes(14), Duration.ZERO))
				.orElseThrow();
			assertThat(context.getBean(LockInspector.class).held()).singleElement()
				.satisfies((held) -> assertThat(held.remaining()).isGreaterThan(Duration.ofMinutes(12)));
			lock.unlock();
		});
		assertThat(output).contains("distributed-lock.locks.shedlock: adaptive-ttl without effect");
	}

	@Test
	void lockAtLeastForOfAJobDoesNotGoWithLocalLocks() {
		this.runner.withUserConfiguration(Scheduling.class)
			.withBean(KeptJob.class)
			.withPropertyValues(LOCAL, "job.least=20s")
			.run((context) -> assertThat(context.getStartupFailure()).isInstanceOf(LockStoreSetupException.class)
				.hasMessageContaining(KeptJob.class.getName() + ".run asks with lockAtLeastFor")
				.hasMessageContaining("Leave out lockAtLeastFor"));
	}

	@Test
	void lockAtLeastForOfAllJobsDoesNotGoWithLocalLocks() {
		this.runner.withUserConfiguration(KeepingScheduling.class)
			.withBean(Job.class)
			.withPropertyValues(LOCAL)
			.run((context) -> assertThat(context.getStartupFailure()).isInstanceOf(LockStoreSetupException.class)
				.hasMessageContaining(Job.class.getName() + ".run"));
	}

	@Test
	void jobsWithoutLockAtLeastForMayRunUnderLocalLocks() {
		this.runner.withUserConfiguration(Scheduling.class)
			.withBean(Job.class)
			.withBean(KeptJob.class)
			.withPropertyValues(LOCAL, "job.least=PT0S")
			.run((context) -> assertThat(context).hasNotFailed());
		this.runner.withUserConfiguration(KeepingScheduling.class)
			.withBean(KeptJob.class)
			.withPropertyValues("distributed-lock.locks.other.on-outage=local", "job.least=20s")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void whatShedLockSaysItselfIsAWarning(CapturedOutput output) {
		this.runner
			.withPropertyValues("distributed-lock.shedlock.name=jobs", "distributed-lock.locks.jobs.ttl=20s",
					"distributed-lock.locks.jobs.wait-time=2s")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains("distributed-lock.locks.jobs: ttl, wait-time without effect");
	}

	@Configuration(proxyBeanMethods = false)
	@EnableSchedulerLock(defaultLockAtMostFor = "10m")
	static class Scheduling {

	}

	@Configuration(proxyBeanMethods = false)
	@EnableSchedulerLock(defaultLockAtMostFor = "10m", defaultLockAtLeastFor = "30s")
	static class KeepingScheduling {

	}

	static class Job {

		@SchedulerLock(name = "job")
		public void run() {
		}

	}

	static class KeptJob {

		@SchedulerLock(name = "kept", lockAtLeastFor = "${job.least}")
		public void run() {
		}

	}

}
