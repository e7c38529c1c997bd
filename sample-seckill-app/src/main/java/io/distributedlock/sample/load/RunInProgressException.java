package io.distributedlock.sample.load;

/**
 * A run of the same product is under way, on this instance or another.
 */
class RunInProgressException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	RunInProgressException(String productId) {
		super("A run of product '" + productId + "' is under way. Wait for its end, or choose another product.");
	}

}
