package io.distributedlock.sample.shop;

/**
 * The shop refuses. Without a stack trace: a flash sale refuses in masses.
 */
public abstract sealed class ShopException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	private ShopException(String message) {
		super(message, null, false, false);
	}

	/** There is no such product. */
	static final class UnknownProduct extends ShopException {

		private static final long serialVersionUID = 1L;

		UnknownProduct(String productId) {
			super("There is no product '" + productId + "'. Set its stock first: PUT /api/products/" + productId);
		}

	}

	/** Nothing is left. */
	static final class SoldOut extends ShopException {

		private static final long serialVersionUID = 1L;

		SoldOut(String productId) {
			super("Product '" + productId + "' is sold out.");
		}

	}

	/** One to a customer. */
	static final class BoughtAlready extends ShopException {

		private static final long serialVersionUID = 1L;

		BoughtAlready(String productId, String userId) {
			super("User '" + userId + "' has bought product '" + productId + "' already.");
		}

	}

	/** The database has seen a later holder of the lock. */
	static final class StaleToken extends ShopException {

		private static final long serialVersionUID = 1L;

		StaleToken(String message) {
			super(message);
		}

	}

}
