package io.distributedlock.sample.load;

/**
 * How one request of a load run ended.
 */
enum Outcome {

	/** An order was made. */
	ORDERED,

	/** Nothing was left. */
	SOLD_OUT,

	/** The user had one already. */
	BOUGHT_ALREADY,

	/** The lock was not had in time. */
	BUSY,

	/** It could not have been had in time, and the buyer was told so at once. */
	SHED,

	/** The lock was lost, or the database refused its token; no order was made. */
	STALE,

	/** Anything else. */
	FAILED;

	/**
	 * Reads the outcome from an answer of the shop.
	 * @param status the HTTP status
	 * @param body the body, a receipt or problem details
	 * @return the outcome
	 */
	static Outcome of(int status, String body) {
		return switch (status) {
			case 201 -> ORDERED;
			case 409 -> conflict(body);
			case 503 -> unavailable(body);
			default -> FAILED;
		};
	}

	private static Outcome unavailable(String body) {
		if (body.contains("urn:seckill:busy")) {
			return BUSY;
		}
		return body.contains("urn:seckill:shed") ? SHED : FAILED;
	}

	private static Outcome conflict(String body) {
		if (body.contains("urn:seckill:sold-out")) {
			return SOLD_OUT;
		}
		if (body.contains("urn:seckill:bought-already")) {
			return BOUGHT_ALREADY;
		}
		return (body.contains("urn:seckill:stale-token") || body.contains("urn:seckill:lock-lost")) ? STALE : FAILED;
	}

}
