package io.distributedlock.sample.shop;

import java.time.Duration;

import io.distributedlock.LockContext;
import io.distributedlock.spring.DistributedLock;
import org.jspecify.annotations.Nullable;

import org.springframework.stereotype.Service;
import org.springframework.transaction.annotation.Transactional;

/**
 * Sells. {@link #buy} and {@link #buyWithoutLock} run the same steps; only the lock, and
 * the token that comes with it, tell them apart.
 * <p>
 * The lock is outside, the transaction inside: the stock is committed before the next
 * buyer reads it.
 */
@Service
public class ShopService {

	/** Name of the lock around each product's stock. */
	public static final String STOCK = "stock";

	private final ShopRepository repository;

	private final Duration pause;

	ShopService(ShopRepository repository, ShopProperties properties) {
		this.repository = repository;
		this.pause = properties.pause();
	}

	/**
	 * Sells one unit, one buyer at a time in the whole cluster.
	 * @param productId what is bought
	 * @param userId who buys
	 * @return the order
	 * @throws ShopException if there is nothing to sell to this user
	 */
	@Transactional
	@DistributedLock(name = STOCK, key = "#productId", ttl = "10s", waitTime = "2s")
	public Order buy(String productId, String userId) {
		return sell(productId, userId, token());
	}

	/**
	 * Sells one unit, with nothing that keeps buyers apart. It oversells.
	 * @param productId what is bought
	 * @param userId who buys
	 * @return the order
	 * @throws ShopException if there seems to be nothing to sell to this user
	 */
	@Transactional
	public Order buyWithoutLock(String productId, String userId) {
		return sell(productId, userId, null);
	}

	private Order sell(String productId, String userId, @Nullable Long token) {
		int stock = this.repository.stock(productId).orElseThrow(() -> new ShopException.UnknownProduct(productId));
		if (this.repository.hasBought(productId, userId)) {
			throw new ShopException.BoughtAlready(productId, userId);
		}
		if (stock <= 0) {
			throw new ShopException.SoldOut(productId);
		}
		pause();
		this.repository.writeStock(productId, stock - 1, token);
		return this.repository.createOrder(productId, userId, token);
	}

	/**
	 * Begins a sale: sets the stock and forgets the orders of the sale before. It writes
	 * the stock, so it needs the lock like everybody else who does.
	 * @param productId which product; it is made if there is none
	 * @param stock units to sell
	 * @return the product
	 */
	@Transactional
	@DistributedLock(name = STOCK, key = "#productId", ttl = "10s", waitTime = "10s")
	public Product open(String productId, int stock) {
		this.repository.open(productId, stock, token());
		return product(productId);
	}

	/**
	 * Returns how a product stands.
	 * @param productId which product
	 * @return the product
	 * @throws ShopException if there is none
	 */
	@Transactional(readOnly = true)
	public Product product(String productId) {
		return this.repository.find(productId).orElseThrow(() -> new ShopException.UnknownProduct(productId));
	}

	private static long token() {
		return LockContext.current(STOCK).orElseThrow().fencingToken();
	}

	private void pause() {
		if (this.pause.isZero()) {
			return;
		}
		try {
			Thread.sleep(this.pause.toMillis());
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new IllegalStateException("Interrupted in the middle of an order", ex);
		}
	}

}
