package io.distributedlock.test;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Future;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * What lies between a client and the server.
 */
interface Network {

	/**
	 * No network: all happens on the calling thread.
	 */
	Network NONE = new Network() {

		@Override
		public <T extends @Nullable Object> CompletionStage<T> send(Duration timeout, Supplier<T> command) {
			try {
				return CompletableFuture.completedFuture(command.get());
			}
			catch (StoreException ex) {
				return CompletableFuture.failedFuture(ex);
			}
		}

		@Override
		public void signal(Runnable signal) {
			signal.run();
		}

	};

	/**
	 * Brings a command to the server and its reply back.
	 */
	<T extends @Nullable Object> CompletionStage<T> send(Duration timeout, Supplier<T> command);

	/**
	 * Brings a signal to the client.
	 */
	void signal(Runnable signal);

	static Network delayed(ScheduledExecutorService executor, Supplier<Duration> delay) {
		return new Delayed(executor, delay);
	}

	/**
	 * Each delivery takes some time, so that they may overtake each other.
	 */
	record Delayed(ScheduledExecutorService executor, Supplier<Duration> delay) implements Network {

		@Override
		public <T extends @Nullable Object> CompletionStage<T> send(Duration timeout, Supplier<T> command) {
			CompletableFuture<T> reply = new CompletableFuture<>();
			try {
				Future<?> timer = this.executor.schedule(
						() -> reply.completeExceptionally(HeldRequest.noReply(timeout)), timeout.toNanos(),
						TimeUnit.NANOSECONDS);
				reply.whenComplete((ignored, failure) -> timer.cancel(false));
				deliver(() -> execute(command, reply));
			}
			catch (RejectedExecutionException ex) {
				reply.completeExceptionally(
						new StoreException("The executor of the imitated network has ended", true, false, ex));
			}
			return reply;
		}

		private <T extends @Nullable Object> void execute(Supplier<T> command, CompletableFuture<T> reply) {
			try {
				T answer = command.get();
				deliver(() -> reply.complete(answer));
			}
			catch (RuntimeException ex) {
				reply.completeExceptionally(ex);
			}
		}

		@Override
		public void signal(Runnable signal) {
			try {
				deliver(signal);
			}
			catch (RejectedExecutionException ex) {
				// The test is over; a signal may always get lost.
			}
		}

		private void deliver(Runnable delivery) {
			this.executor.schedule(delivery, this.delay.get().toNanos(), TimeUnit.NANOSECONDS);
		}

	}

}
