package io.distributedlock.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

/**
 * Waits for answers that are certain to come within the command timeout.
 */
final class Waits {

	private Waits() {
	}

	/**
	 * Returns the result. An interrupt does not end the wait, since the answer decides
	 * what the caller has to be told; the flag is set again afterwards.
	 */
	static <T> T get(CompletableFuture<T> future) {
		boolean interrupted = false;
		try {
			while (true) {
				try {
					return future.get();
				}
				catch (InterruptedException ex) {
					interrupted = true;
				}
			}
		}
		catch (ExecutionException ex) {
			throw unwrap(ex.getCause());
		}
		finally {
			if (interrupted) {
				Thread.currentThread().interrupt();
			}
		}
	}

	static Throwable cause(Throwable failure) {
		return (failure instanceof CompletionException && failure.getCause() != null) ? failure.getCause() : failure;
	}

	private static RuntimeException unwrap(Throwable cause) {
		if (cause instanceof RuntimeException ex) {
			return ex;
		}
		if (cause instanceof Error error) {
			throw error;
		}
		return new IllegalStateException("Unexpected failure", cause);
	}

}
