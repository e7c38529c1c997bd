package io.distributedlock.boot.autoconfigure.endpoint;

import java.security.Principal;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.endpoint.SecurityContext;
import org.springframework.boot.actuate.endpoint.annotation.DeleteOperation;
import org.springframework.boot.actuate.endpoint.annotation.ReadOperation;
import org.springframework.boot.actuate.endpoint.annotation.Selector;
import org.springframework.boot.actuate.endpoint.annotation.Selector.Match;
import org.springframework.boot.actuate.endpoint.web.WebEndpointResponse;
import org.springframework.boot.actuate.endpoint.web.annotation.EndpointWebExtension;

/**
 * {@link EndpointWebExtension @EndpointWebExtension} of the {@link LocksEndpoint}: HTTP
 * status, and the name of who asks.
 */
@EndpointWebExtension(endpoint = LocksEndpoint.class)
public final class LocksEndpointWebExtension {

	private static final int STATUS_CONFLICT = 409;

	private final LocksEndpoint delegate;

	/**
	 * Makes the extension.
	 * @param delegate does the work
	 */
	public LocksEndpointWebExtension(LocksEndpoint delegate) {
		this.delegate = delegate;
	}

	/**
	 * Shows what this instance holds and waits for.
	 * @param limit see {@link LocksEndpoint#locks}
	 * @return 200 with this instance's locks, 503 if it has none since there is no store
	 * or the store cannot be reached
	 */
	@ReadOperation
	public WebEndpointResponse<LocksDescriptor> locks(@Nullable Integer limit) {
		LocksDescriptor locks = this.delegate.locks(limit);
		return new WebEndpointResponse<>(locks, (locks.error() != null) ? WebEndpointResponse.STATUS_SERVICE_UNAVAILABLE
				: WebEndpointResponse.STATUS_OK);
	}

	/**
	 * Shows one lock.
	 * @param name what the lock protects
	 * @param parts the parts of its key
	 * @param store name of the store, or null for the default store
	 * @param key instead of {@code parts}, see {@link LocksEndpoint#lock}
	 * @return 200 with the lock, 404 if neither store nor this instance knows it, 503 if
	 * the store gave no answer
	 */
	@ReadOperation
	public WebEndpointResponse<LockDescriptor> lock(@Selector String name,
			@Selector(match = Match.ALL_REMAINING) String[] parts, @Nullable String store, @Nullable String key) {
		LockDescriptor lock = this.delegate.lock(name, parts, store, key);
		if (lock.error() != null) {
			return new WebEndpointResponse<>(lock, WebEndpointResponse.STATUS_SERVICE_UNAVAILABLE);
		}
		return new WebEndpointResponse<>(lock,
				lock.isKnown() ? WebEndpointResponse.STATUS_OK : WebEndpointResponse.STATUS_NOT_FOUND);
	}

	/**
	 * Takes a lock away from its holder.
	 * @param context who asks
	 * @param name what the lock protects
	 * @param parts the parts of its key
	 * @param token a fencing token of the grant that is to end
	 * @param store name of the store, or null for the default store
	 * @param key instead of {@code parts}, see {@link LocksEndpoint#lock}
	 * @return 200 if it was released, 404 if nobody holds it, 409 if it is held with
	 * another token, 503 if the store gave no answer
	 */
	@DeleteOperation
	public WebEndpointResponse<ForceReleaseDescriptor> forceRelease(SecurityContext context, @Selector String name,
			@Selector(match = Match.ALL_REMAINING) String[] parts, long token, @Nullable String store,
			@Nullable String key) {
		Principal principal = context.getPrincipal();
		ForceReleaseDescriptor release = this.delegate.forceRelease(name, parts, token, store, key,
				(principal != null) ? principal.getName() : "anonymous");
		return new WebEndpointResponse<>(release, switch (release.result()) {
			case RELEASED -> WebEndpointResponse.STATUS_OK;
			case TOKEN_MISMATCH -> STATUS_CONFLICT;
			case NOT_HELD -> WebEndpointResponse.STATUS_NOT_FOUND;
			case UNKNOWN -> WebEndpointResponse.STATUS_SERVICE_UNAVAILABLE;
		});
	}

}
