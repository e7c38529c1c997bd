package io.distributedlock.sample.shop;

import org.jspecify.annotations.Nullable;

import org.springframework.http.HttpStatus;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.PutMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RequestMapping;
import org.springframework.web.bind.annotation.RequestParam;
import org.springframework.web.bind.annotation.ResponseStatus;
import org.springframework.web.bind.annotation.RestController;

/**
 * The shop over HTTP.
 */
@RestController
@RequestMapping("/api/products/{id}")
class ShopController {

	private static final int MAX_STOCK = 1_000_000;

	private static final int MAX_ID_LENGTH = 64;

	private final ShopService shop;

	ShopController(ShopService shop) {
		this.shop = shop;
	}

	@GetMapping
	Product product(@PathVariable String id) {
		return this.shop.product(id);
	}

	@PutMapping
	Product open(@PathVariable String id, @RequestBody Sale sale) {
		checkId("product id", id);
		if (sale.stock() == null || sale.stock() < 0 || sale.stock() > MAX_STOCK) {
			throw new InvalidRequestException("stock must be a number from 0 to " + MAX_STOCK + ".");
		}
		return this.shop.open(id, sale.stock());
	}

	/**
	 * Sells one unit.
	 * @param id which product
	 * @param lock whether to take the lock; without it the shop oversells
	 * @param buyer who buys
	 * @return the order
	 */
	@PostMapping("/orders")
	@ResponseStatus(HttpStatus.CREATED)
	Receipt buy(@PathVariable String id, @RequestParam(defaultValue = "true") boolean lock, @RequestBody Buyer buyer) {
		checkId("product id", id);
		checkId("userId", buyer.userId());
		String userId = String.valueOf(buyer.userId());
		Order order = lock ? this.shop.buy(id, userId) : this.shop.buyWithoutLock(id, userId);
		return new Receipt(order.id(), order.productId(), order.userId(),
				(order.token() != null) ? order.token().toString() : null);
	}

	private static void checkId(String what, @Nullable String id) {
		if (id == null || id.isBlank() || id.length() > MAX_ID_LENGTH) {
			throw new InvalidRequestException(what + " must have 1 to " + MAX_ID_LENGTH + " characters.");
		}
	}

	/**
	 * Body of a request that begins a sale.
	 *
	 * @param stock units to sell
	 */
	record Sale(@Nullable Integer stock) {
	}

	/**
	 * Body of a request to buy.
	 *
	 * @param userId who buys
	 */
	record Buyer(@Nullable String userId) {
	}

	/**
	 * Answer to a purchase.
	 *
	 * @param orderId number of the order
	 * @param productId what was bought
	 * @param userId who bought it
	 * @param token fencing token, as text since it is too large for some JSON readers;
	 * null without the lock
	 */
	record Receipt(long orderId, String productId, String userId, @Nullable String token) {
	}

}
