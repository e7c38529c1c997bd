package io.distributedlock.boot.autoconfigure.metrics;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the meters.
 *
 * @param maxNames How many lock names get meters of their own. Further ones are counted
 * under the name "other".
 */
@ConfigurationProperties("distributed-lock.metrics")
record LockMetricsProperties(@DefaultValue("200") int maxNames) {

	LockMetricsProperties {
		if (maxNames < 1) {
			throw new IllegalArgumentException("distributed-lock.metrics.max-names is " + maxNames
					+ ". It must be 1 or more; use management.metrics.enable.lock=false to switch the meters off.");
		}
	}

}
