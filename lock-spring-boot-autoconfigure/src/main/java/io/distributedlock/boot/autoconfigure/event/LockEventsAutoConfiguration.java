package io.distributedlock.boot.autoconfigure.event;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;

/**
 * {@link EnableAutoConfiguration Auto-configuration} of the application events about
 * locks.
 */
@AutoConfiguration
@EnableConfigurationProperties(LockEventsProperties.class)
public final class LockEventsAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean
	LockEventPublisher lockEventPublisher(ApplicationContext context, LockEventsProperties properties) {
		return new LockEventPublisher(context, properties.publish());
	}

}
