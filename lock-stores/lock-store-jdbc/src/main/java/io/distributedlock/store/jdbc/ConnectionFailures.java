package io.distributedlock.store.jdbc;

import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

/**
 * Remembers why there was no connection. A pool keeps a caller waiting for longer than a
 * command may take (HikariCP 30 s) before it says what is wrong, so that the command has
 * failed without a reason by then. The next ones can be told.
 */
final class ConnectionFailures {

	/** HikariCP's time-out, twice. */
	private static final long LATELY = TimeUnit.SECONDS.toNanos(60);

	private volatile @Nullable Failure last;

	/** No connection was had. */
	void failed(Throwable error) {
		this.last = new Failure(error, System.nanoTime());
	}

	/** A connection was had. */
	void succeeded() {
		if (this.last != null) {
			this.last = null;
		}
	}

	/** Returns why the last try gave no connection, null if it did or was long ago. */
	@Nullable Throwable lately() {
		Failure failure = this.last;
		return (failure != null && System.nanoTime() - failure.at() < LATELY) ? failure.error() : null;
	}

	/**
	 * What went wrong, and when.
	 *
	 * @param error the exception
	 * @param at the time as of {@link System#nanoTime()}
	 */
	private record Failure(Throwable error, long at) {
	}

}
