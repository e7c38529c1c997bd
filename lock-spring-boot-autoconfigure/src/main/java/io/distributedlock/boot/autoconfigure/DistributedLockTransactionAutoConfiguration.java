package io.distributedlock.boot.autoconfigure;

import io.distributedlock.spring.LockTransactionGuard;

import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.annotation.Bean;
import org.springframework.transaction.ConfigurableTransactionManager;

/**
 * Auto-configuration that lets no transaction commit when its lock was lost.
 */
@AutoConfiguration
@ConditionalOnClass(ConfigurableTransactionManager.class)
@EnableConfigurationProperties(DistributedLockProperties.class)
public final class DistributedLockTransactionAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean
	static LockTransactionGuard lockTransactionGuard(ObjectProvider<DistributedLockProperties> properties) {
		return new LockTransactionGuard(() -> properties.getObject().transaction().commitMargin());
	}

	@Bean
	static TransactionGuardPostProcessor transactionGuardPostProcessor(ObjectProvider<LockTransactionGuard> guard) {
		return new TransactionGuardPostProcessor(guard);
	}

}
