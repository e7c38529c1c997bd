package io.distributedlock.sample.shop;

/**
 * A request says something that makes no sense. The message says what to send instead.
 */
public class InvalidRequestException extends RuntimeException {

	private static final long serialVersionUID = 1L;

	/**
	 * Makes the exception.
	 * @param message what to send instead
	 */
	public InvalidRequestException(String message) {
		super(message);
	}

}
