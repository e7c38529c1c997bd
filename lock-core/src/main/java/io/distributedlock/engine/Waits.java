package io.distributedlock.engine;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;

import io.distributedlock.LockStoreException;

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

	/**
	 * Makes of an outage that another thread has noticed one that shows where the calling
	 * thread was, so that a log without the name of the caller tells who it was. What the
	 * store said stays the cause.
	 */
	static LockStoreException ofCaller(LockStoreException outage) {
		LockStoreException mine = new LockStoreException(outage.key(), String.valueOf(outage.getMessage()),
				outage.getCause());
		for (Throwable suppressed : outage.getSuppressed()) {
			mine.addSuppressed(suppressed);
		}
		return mine;
	}

	private static RuntimeException unwrap(Throwable cause) {
		if (cause instanceof LockStoreException outage) {
			return ofCaller(outage);
		}
		if (cause instanceof RuntimeException ex) {
			return ex;
		}
		if (cause instanceof Error error) {
			throw error;
		}
		return new IllegalStateException("Unexpected failure", cause);
	}

}
