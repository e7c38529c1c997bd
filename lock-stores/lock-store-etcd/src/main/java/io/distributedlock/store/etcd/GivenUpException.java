package io.distributedlock.store.etcd;

import io.distributedlock.spi.StoreException;

/**
 * A request was not sent, since what its attempt had is being taken away.
 */
final class GivenUpException extends StoreException {

	private static final long serialVersionUID = 1L;

	GivenUpException(String message) {
		super(message, false, true, null);
	}

}
