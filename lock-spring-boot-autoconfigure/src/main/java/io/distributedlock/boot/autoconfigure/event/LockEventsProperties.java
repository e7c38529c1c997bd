package io.distributedlock.boot.autoconfigure.event;

import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;

/**
 * Settings of the application events.
 *
 * @param publish When to publish application events about locks.
 */
@ConfigurationProperties("distributed-lock.events")
record LockEventsProperties(@DefaultValue("when-listened") Publish publish) {

	/**
	 * When to publish.
	 */
	enum Publish {

		/**
		 * Events of a kind that some listener was interested in when the application had
		 * started, and lost leases in any case.
		 */
		WHEN_LISTENED,

		/** All events, for listeners that come and go while the application runs. */
		ALWAYS,

		/** No events. */
		NEVER

	}

}
