package io.distributedlock.sample.shop;

import org.jspecify.annotations.Nullable;

/**
 * A purchase that was made.
 *
 * @param id its number
 * @param productId what was bought
 * @param userId who bought it
 * @param token fencing token under which it was made, null without the lock
 */
public record Order(long id, String productId, String userId, @Nullable Long token) {
}
