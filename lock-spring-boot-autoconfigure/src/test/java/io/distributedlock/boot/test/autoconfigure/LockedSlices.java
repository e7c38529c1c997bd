package io.distributedlock.boot.test.autoconfigure;

import io.distributedlock.LockContext;
import io.distributedlock.spring.DistributedLock;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;

/**
 * The application of which the tests beside it see a part.
 */
@SpringBootConfiguration
@EnableAutoConfiguration
class LockedSlices {

	@RestController
	static class ShopController {

		private final Shop shop;

		ShopController(Shop shop) {
			this.shop = shop;
		}

		@GetMapping("/buy/{product}")
		String buy(@PathVariable String product) {
			return this.shop.buy(product);
		}

	}

	static class Shop {

		@DistributedLock(name = "stock", key = "#product", waitTime = "0s")
		public String buy(String product) {
			return LockContext.current("stock").map((lease) -> lease.store() + " " + lease.key()).orElse("not locked");
		}

	}

}
