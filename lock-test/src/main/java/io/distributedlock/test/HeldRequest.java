package io.distributedlock.test;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * A request on its way to a store that comes there when the test says so, perhaps long
 * after its caller has given it up.
 */
public final class HeldRequest {

	private final CommandKind kind;

	private final Duration timeout;

	private final Supplier<CompletionStage<@Nullable Object>> command;

	private final CompletableFuture<@Nullable Object> reply = new CompletableFuture<>();

	// Makes "has its time passed" and "execute it" one step.
	private final ReentrantLock mutex = new ReentrantLock();

	private boolean delivered;

	private boolean expired;

	HeldRequest(CommandKind kind, Duration timeout, Supplier<CompletionStage<@Nullable Object>> command) {
		this.kind = kind;
		this.timeout = timeout;
		this.command = command;
	}

	/**
	 * Returns what is asked of the store.
	 * @return the kind of command
	 */
	public CommandKind kind() {
		return this.kind;
	}

	/**
	 * Lets the request come to the store. The caller gets the reply if it still waits for
	 * it.
	 * @return false if the store did not execute it: it came there before, or its time
	 * has passed and it is of a kind that the SPI forbids to execute then
	 */
	public boolean deliver() {
		CompletionStage<@Nullable Object> answer;
		this.mutex.lock();
		try {
			if (this.delivered || (this.expired && this.kind.isBoundToItsTimeout())) {
				return false;
			}
			this.delivered = true;
			answer = this.command.get();
		}
		finally {
			this.mutex.unlock();
		}
		answer.whenComplete((result, failure) -> {
			if (failure != null) {
				this.reply.completeExceptionally(failure);
			}
			else {
				this.reply.complete(result);
			}
		});
		return true;
	}

	/**
	 * Ends the caller's waiting now, as the timeout would.
	 */
	public void expire() {
		this.mutex.lock();
		try {
			this.expired = true;
		}
		finally {
			this.mutex.unlock();
		}
		this.reply.completeExceptionally(noReply(this.timeout));
	}

	CompletionStage<@Nullable Object> reply() {
		return this.reply;
	}

	static StoreException noReply(Duration timeout) {
		return new StoreException("No reply within " + timeout.toMillis() + "ms", true, true, null);
	}

	@Override
	public String toString() {
		return "HeldRequest[" + this.kind + "]";
	}

}
