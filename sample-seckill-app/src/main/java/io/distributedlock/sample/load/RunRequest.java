package io.distributedlock.sample.load;

import java.net.URI;
import java.util.List;
import java.util.regex.Pattern;

import io.distributedlock.sample.shop.InvalidRequestException;
import org.jspecify.annotations.Nullable;

/**
 * What a load run should do.
 *
 * @param productId what is sold
 * @param stock units to sell
 * @param users how many users want one
 * @param concurrency how many requests are under way at the same time
 * @param lock whether orders take the lock
 * @param clicks how often each user orders; more than one shows whether a second purchase
 * is refused
 * @param targets base URLs of the instances to storm, each of this machine
 */
record RunRequest(String productId, int stock, int users, int concurrency, boolean lock, int clicks,
		List<URI> targets) {

	private static final int MAX_STOCK = 1_000_000;

	private static final int MAX_USERS = 100_000;

	private static final int MAX_CONCURRENCY = 512;

	private static final int MAX_CLICKS = 5;

	private static final int MAX_TARGETS = 16;

	private static final Pattern PRODUCT_ID = Pattern.compile("[A-Za-z0-9._-]{1,64}");

	// Literal loopback addresses: a name could point elsewhere a moment later.
	private static final Pattern LOOPBACK = Pattern
		.compile("http://(localhost|127\\.0\\.0\\.1|\\[::1])(:[0-9]{1,5})?/?");

	RunRequest {
		if (!PRODUCT_ID.matcher(productId).matches()) {
			throw new InvalidRequestException("productId must be 1 to 64 letters, digits, dots, dashes, underscores.");
		}
		inRange("stock", stock, 0, MAX_STOCK);
		inRange("users", users, 1, MAX_USERS);
		inRange("concurrency", concurrency, 1, MAX_CONCURRENCY);
		inRange("clicks", clicks, 1, MAX_CLICKS);
		inRange("number of targets", targets.size(), 1, MAX_TARGETS);
		for (URI target : targets) {
			if (!LOOPBACK.matcher(target.toString()).matches()) {
				throw new InvalidRequestException("Target '" + target + "' is not on this machine. Use base URLs such"
						+ " as http://127.0.0.1:8081; nobody else's server is to be stormed from here.");
			}
		}
		targets = List.copyOf(targets);
	}

	private static void inRange(String what, int value, int min, int max) {
		if (value < min || value > max) {
			throw new InvalidRequestException(what + " is " + value + ", it must be from " + min + " to " + max + ".");
		}
	}

	int requests() {
		return this.users * this.clicks;
	}

	/**
	 * Body of a request for a run. What is left out has a default.
	 *
	 * @param productId what is sold; "42" if left out
	 * @param stock units to sell; 100 if left out
	 * @param users how many users want one; 2,000 if left out
	 * @param concurrency requests under way at the same time; 64 if left out
	 * @param lock whether orders take the lock; true if left out
	 * @param clicks orders of each user; 1 if left out
	 * @param targets instances to storm; this one if left out
	 */
	record Body(@Nullable String productId, @Nullable Integer stock, @Nullable Integer users,
			@Nullable Integer concurrency, @Nullable Boolean lock, @Nullable Integer clicks,
			@Nullable List<URI> targets) {

		RunRequest toRequest(URI self) {
			return new RunRequest((this.productId != null) ? this.productId : "42", orElse(this.stock, 100),
					orElse(this.users, 2000), orElse(this.concurrency, 64), this.lock == null || this.lock,
					orElse(this.clicks, 1),
					(this.targets != null && !this.targets.isEmpty()) ? this.targets : List.of(self));
		}

		private static int orElse(@Nullable Integer value, int defaultValue) {
			return (value != null) ? value : defaultValue;
		}

	}

}
