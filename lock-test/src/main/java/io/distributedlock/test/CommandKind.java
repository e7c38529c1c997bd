package io.distributedlock.test;

import java.util.Arrays;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;

import org.jspecify.annotations.Nullable;

/**
 * Kinds of commands that a store executes.
 */
public enum CommandKind {

	/** {@link io.distributedlock.spi.LockStore#acquire}. */
	ACQUIRE("acquire"),

	/** {@link io.distributedlock.spi.QueueingLockStore#acquireOrEnqueue}. */
	ACQUIRE_OR_ENQUEUE("acquireOrEnqueue"),

	/** {@link io.distributedlock.spi.LockStore#renew}; a batch counts once. */
	RENEW("renew"),

	/** {@link io.distributedlock.spi.LockStore#release}. */
	RELEASE("release"),

	/** {@link io.distributedlock.spi.QueueingLockStore#releaseAndEnqueue}. */
	RELEASE_AND_ENQUEUE("releaseAndEnqueue"),

	/** {@link io.distributedlock.spi.LockStore#extend}. */
	EXTEND("extend"),

	/** {@link io.distributedlock.spi.LockStore#abandon}. */
	ABANDON("abandon"),

	/**
	 * {@link io.distributedlock.spi.FairLockStore#acquireInOrder}; a batch counts once.
	 */
	ACQUIRE_IN_ORDER("acquireInOrder"),

	/** {@link io.distributedlock.spi.FairLockStore#releaseInOrder}. */
	RELEASE_IN_ORDER("releaseInOrder"),

	/** {@link io.distributedlock.spi.SharedLockStore#acquireShared}. */
	ACQUIRE_SHARED("acquireShared"),

	/**
	 * {@link io.distributedlock.spi.SharedLockStore#renewShared}; a batch counts once.
	 */
	RENEW_SHARED("renewShared"),

	/** {@link io.distributedlock.spi.SharedLockStore#extendShared}. */
	EXTEND_SHARED("extendShared"),

	/** {@link io.distributedlock.spi.SharedLockStore#releaseShared}. */
	RELEASE_SHARED("releaseShared"),

	/** {@link io.distributedlock.spi.SharedLockStore#abandonShared}. */
	ABANDON_SHARED("abandonShared"),

	/** {@link io.distributedlock.spi.SharedLockStore#downgrade}. */
	DOWNGRADE("downgrade"),

	/** {@link io.distributedlock.spi.InspectableLockStore#inspect}. */
	INSPECT("inspect"),

	/** {@link io.distributedlock.spi.InspectableLockStore#forceRelease}. */
	FORCE_RELEASE("forceRelease");

	private static final Map<String, CommandKind> BY_METHOD = Arrays.stream(values())
		.collect(Collectors.toUnmodifiableMap((kind) -> kind.method, Function.identity()));

	private final String method;

	CommandKind(String method) {
		this.method = method;
	}

	static @Nullable CommandKind ofMethod(String name) {
		return BY_METHOD.get(name);
	}

	/** Returns the kind of the single commands of a batch. */
	static @Nullable CommandKind ofBatch(String name) {
		return switch (name) {
			case "acquireEach" -> ACQUIRE;
			case "releaseEach" -> RELEASE;
			default -> null;
		};
	}

	String method() {
		return this.method;
	}

	/**
	 * Tells whether the store must not execute the command after its timeout, since it
	 * would leave a grant or a queue entry that nobody knows of.
	 */
	boolean isBoundToItsTimeout() {
		return switch (this) {
			case ACQUIRE, ACQUIRE_OR_ENQUEUE, RELEASE_AND_ENQUEUE, ACQUIRE_IN_ORDER, RELEASE_IN_ORDER, ACQUIRE_SHARED ->
				true;
			default -> false;
		};
	}

}
