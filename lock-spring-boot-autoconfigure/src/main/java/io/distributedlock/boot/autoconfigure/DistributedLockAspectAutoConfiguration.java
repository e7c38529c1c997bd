package io.distributedlock.boot.autoconfigure;

import java.util.Map;

import io.distributedlock.LockInspector;
import io.distributedlock.LockSettings;
import io.distributedlock.LockTemplate;
import io.distributedlock.spring.AspectSettings;
import io.distributedlock.spring.DistributedLockAdvisor;

import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.SearchStrategy;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.thread.Threading;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Import;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.annotation.Role;
import org.springframework.core.env.Environment;
import org.springframework.core.task.TaskDecorator;

/**
 * Auto-configuration for
 * {@link io.distributedlock.spring.DistributedLock @DistributedLock}.
 */
@AutoConfiguration(after = DistributedLockAutoConfiguration.class)
@EnableConfigurationProperties(DistributedLockProperties.class)
@Import(ProxyCreatorRegistrar.class)
@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
public final class DistributedLockAspectAutoConfiguration {

	// Each context of a hierarchy has its own, of the same name, which hides the one of
	// the parent: proxies are made per context, of the advisors of that context.
	@Bean
	@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
	@ConditionalOnMissingBean(search = SearchStrategy.CURRENT)
	static DistributedLockAdvisor distributedLockAdvisor(ObjectProvider<LockTemplate> locks,
			ObjectProvider<DistributedLockProperties> properties, ObjectProvider<TaskDecorator> decorators,
			BeanFactory beanFactory, Environment environment) {
		ConfigurableListableBeanFactory beans = (ConfigurableListableBeanFactory) beanFactory;
		// The environment as well: without a strict resolver in the bean factory, unknown
		// placeholders would stay as they are.
		return new DistributedLockAdvisor(locks::getObject, () -> aspectSettings(properties.getObject()),
				(text) -> environment.resolveRequiredPlaceholders(String.valueOf(beans.resolveEmbeddedValue(text))),
				() -> Threading.VIRTUAL.isActive(environment), () -> decorators.orderedStream().toList());
	}

	@Bean
	@ConditionalOnMissingBean(search = SearchStrategy.CURRENT)
	@Lazy(false)
	static DeclaredLocksCheck declaredLocksCheck(DistributedLockAdvisor advisor, DistributedLockProperties properties,
			ObjectProvider<LockInspector> inspector, ObjectProvider<LockTemplate> locks, BeanFactory beanFactory) {
		return new DeclaredLocksCheck(advisor, properties, inspector, locks,
				(ConfigurableListableBeanFactory) beanFactory);
	}

	static AspectSettings aspectSettings(DistributedLockProperties properties) {
		Map<String, LockSettings> entries = properties.toLockSettings();
		return new AspectSettings(properties.enabled(), properties.toSettings(),
				(name) -> LockNames.entryFor(name, entries.keySet()).map(entries::get).orElse(LockSettings.NONE),
				properties.transaction().onActiveTransaction());
	}

}
