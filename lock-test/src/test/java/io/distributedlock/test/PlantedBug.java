package io.distributedlock.test;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

import io.distributedlock.spi.LockStore;
import io.distributedlock.test.InMemoryLockServer.Builder;

/**
 * A mistake that stores have been seen to make, and the contract tests that must catch
 * it.
 */
interface PlantedBug {

	/**
	 * Names the contract tests that must fail.
	 */
	List<String> caughtBy();

	/**
	 * Spoils a store.
	 */
	default LockStore store(InMemoryLockStore good) {
		return good;
	}

	/**
	 * Spoils the server.
	 */
	default Builder server(Builder server) {
		return server;
	}

	static <T> CompletionStage<T> reply(T reply) {
		return CompletableFuture.completedFuture(reply);
	}

	static <T> T now(CompletionStage<T> stage) {
		return stage.toCompletableFuture().join();
	}

}
