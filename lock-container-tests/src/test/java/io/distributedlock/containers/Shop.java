package io.distributedlock.containers;

import io.distributedlock.LockContext;
import io.distributedlock.spring.DistributedLock;

import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/**
 * An application that has an annotated method and says nothing of servers: where they are
 * comes from the containers.
 */
@Configuration(proxyBeanMethods = false)
@EnableAutoConfiguration
class Shop {

	@Bean
	Stock stock() {
		return new Stock();
	}

	/**
	 * Sells in a way that loses orders if two do it at once.
	 */
	static class Stock {

		private volatile int sold;

		private volatile long lastToken;

		@DistributedLock(name = "stock", key = "#productId", waitTime = "20s")
		public long sell(String productId) {
			int before = this.sold;
			long token = LockContext.current("stock").orElseThrow().fencingToken();
			if (token <= this.lastToken) {
				throw new IllegalStateException(
						"Token " + token + " of " + productId + " came after " + this.lastToken);
			}
			this.lastToken = token;
			Thread.yield();
			this.sold = before + 1;
			return token;
		}

		int sold() {
			return this.sold;
		}

	}

}
