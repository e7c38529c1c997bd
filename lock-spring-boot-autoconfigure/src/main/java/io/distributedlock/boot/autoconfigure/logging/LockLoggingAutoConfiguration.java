package io.distributedlock.boot.autoconfigure.logging;

import io.distributedlock.spi.Ticker;

import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/**
 * {@link EnableAutoConfiguration Auto-configuration} of the log messages about locks.
 */
@AutoConfiguration
public final class LockLoggingAutoConfiguration {

	@Bean
	@ConditionalOnMissingBean
	LockLog lockLog() {
		return new LockLog(Ticker.SYSTEM);
	}

}
