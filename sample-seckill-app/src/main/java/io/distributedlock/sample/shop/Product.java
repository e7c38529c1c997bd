package io.distributedlock.sample.shop;

import com.fasterxml.jackson.annotation.JsonProperty;

/**
 * A product on sale, as it stands.
 *
 * @param id which product
 * @param stock units that the database says are left
 * @param initialStock units that there were when the sale began
 * @param orders units sold since then
 * @param buyersTwice users who bought more than once, which the shop means to refuse
 * @param fence highest fencing token that has written the stock
 */
public record Product(String id, int stock, int initialStock, int orders, int buyersTwice, long fence) {

	/**
	 * Returns what was sold but never there.
	 * @return orders minus initial stock, zero if that is negative
	 */
	@JsonProperty
	public int oversold() {
		return Math.max(0, this.orders - this.initialStock);
	}

}
