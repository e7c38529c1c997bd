package io.distributedlock.store.etcd;

import io.distributedlock.spi.StoreException;

/**
 * etcd has no space left. It does not say whether it has executed the request, but it
 * will not do so later: this is an answer, not the want of one.
 */
final class NoSpaceException extends StoreException {

	private static final long serialVersionUID = 1L;

	NoSpaceException(String message, boolean mayHaveExecuted, Throwable cause) {
		super(message, mayHaveExecuted, true, cause);
	}

}
