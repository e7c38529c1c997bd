package io.distributedlock.boot.autoconfigure.health;

import java.time.Duration;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the health indicator.
 *
 * @param window How long lost leases make the indicator DEGRADED, and how long a failed
 * renewal that no other one followed makes it DOWN.
 */
@ConfigurationProperties("distributed-lock.health")
record LockHealthProperties(@DefaultValue("1m") Duration window) {

	LockHealthProperties {
		if (window.isNegative() || window.isZero()) {
			throw new IllegalArgumentException("distributed-lock.health.window is " + window
					+ ". It must be above 0; use management.health.lock.enabled=false to switch the indicator off.");
		}
	}

}
