package io.distributedlock.engine;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;

import io.distributedlock.LockInspector.StoredLock;

/**
 * What stores have said lately of locks that are waited for, so that those who wait for
 * the same lock need not all ask who has it.
 * <p>
 * An answer is of use to a wait only if the store was asked after the wait had begun:
 * whoever is in its way for good had the lock by then. That makes sure that the wait that
 * closes a cycle sees the holder with its first probe. All others ask again anyway.
 * <p>
 * Not safe for use by many threads.
 */
final class Looks {

	/** For how long an answer is shared; less than the pause between two probes. */
	private static final long FRESH = 25_000_000;

	private final Map<LockName, Look> latest = new HashMap<>();

	/**
	 * Looks at the lock that a wait is for, or returns what another wait has seen.
	 * @param ask asks the store
	 */
	CompletionStage<Optional<StoredLock>> at(LongWait wait, Supplier<CompletionStage<Optional<StoredLock>>> ask) {
		// Not the engine's clock, which stands still in tests.
		long now = System.nanoTime();
		LockName name = new LockName(wait.runtime.name(), wait.keyId());
		Look known = this.latest.get(name);
		if (known != null && now - known.at < FRESH && known.askedAt > wait.waiter.enteredAt
				&& !known.answer.isCompletedExceptionally()) {
			return known.answer;
		}
		this.latest.values().removeIf((look) -> now - look.at >= FRESH);
		long askedAt = wait.runtime.now();
		CompletableFuture<Optional<StoredLock>> answer = new CompletableFuture<>();
		this.latest.put(name, new Look(now, askedAt, answer));
		ask.get().whenComplete((found, thrown) -> {
			if (found != null) {
				answer.complete(found);
			}
			else {
				answer.completeExceptionally(
						(thrown != null) ? thrown : new IllegalStateException("The store answered nothing"));
			}
		});
		return answer;
	}

	/**
	 * @param at when, by the JVM's clock
	 * @param askedAt when, by the engine's clock
	 * @param answer what the store says
	 */
	private record Look(long at, long askedAt, CompletableFuture<Optional<StoredLock>> answer) {
	}

	private record LockName(String store, String keyId) {
	}

}
