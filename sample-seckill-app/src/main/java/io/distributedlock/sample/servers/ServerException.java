package io.distributedlock.sample.servers;

import org.jspecify.annotations.Nullable;

/**
 * An embedded server could not be started or joined. The message says what to type.
 */
class ServerException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	ServerException(String message, @Nullable Throwable cause) {
		super(message, cause);
	}

}
