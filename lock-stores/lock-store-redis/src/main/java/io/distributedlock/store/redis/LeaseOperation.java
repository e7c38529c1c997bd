package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.distributedlock.LockKey;

/**
 * An acquire or a release. Both go out in the same calls, since a call costs more than
 * what is in it.
 *
 * @param <R> type of the result
 */
abstract sealed class LeaseOperation<R> extends Operation<R> permits AcquireOperation, ReleaseOperation {

	/** How the record of a holder that nobody waits for begins. */
	static final String HEAD = "1h";

	static final int TIME_DIGITS = 16;

	private static final int COUNT_DIGITS = 4;

	private static final int LIMIT_AT = 2 * COUNT_DIGITS;

	private static final int KIND_AT = LIMIT_AT + TIME_DIGITS;

	/** Who has less time left must not make the others of its call late. */
	private static final long SOON = 100_000_000;

	private static final byte[] ONLY_RELEASES = Ascii.bytes("0");

	private final StoreContext context;

	LeaseOperation(StoreContext context, LockKey key, long deadline) {
		super(LockScript.LEASE, key, context.layout().bucket(key.id()), deadline);
		this.context = context;
	}

	final StoreContext context() {
		return this.context;
	}

	/**
	 * Acquires first, see the script.
	 */
	@Override
	final List<? extends Operation<?>> inOrder(List<? extends Operation<?>> all) {
		if (all.size() == 1) {
			return all;
		}
		List<Operation<?>> ordered = new ArrayList<>(all.size());
		for (Operation<?> operation : all) {
			if (operation instanceof AcquireOperation) {
				ordered.add(operation);
			}
		}
		for (Operation<?> operation : all) {
			if (operation instanceof ReleaseOperation) {
				ordered.add(operation);
			}
		}
		return ordered;
	}

	@Override
	final void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().mark(bucket()));
		arguments.add(this.context.instance());
		arguments.add(this.context.leaseSettings(bucket()));
		arguments.add((this instanceof AcquireOperation first) ? common(all, first) : ONLY_RELEASES);
	}

	/**
	 * Finds the acquires that are like most: what they have in common is sent once. The
	 * earliest of their limits holds for all of them, so none is executed too late.
	 */
	private static byte[] common(List<? extends Operation<?>> all, AcquireOperation first) {
		int acquires = 0;
		int most = 1;
		long limit = Long.MAX_VALUE;
		long soon = System.nanoTime() + SOON;
		Duration ttl = first.ttl();
		char kind = first.kind();
		for (Operation<?> any : all) {
			if (any instanceof AcquireOperation operation) {
				acquires++;
				most = Math.max(most, operation.tokens());
				if (operation.shorten(kind, ttl, soon)) {
					limit = Math.min(limit, operation.notAfter());
				}
			}
		}
		byte[] millis = Ascii.bytes(ttl.toMillis());
		byte[] common = new byte[KIND_AT + 1 + millis.length];
		Ascii.pad(common, 0, acquires, COUNT_DIGITS);
		Ascii.pad(common, COUNT_DIGITS, most, COUNT_DIGITS);
		Ascii.pad(common, LIMIT_AT, limit, TIME_DIGITS);
		common[KIND_AT] = (byte) kind;
		System.arraycopy(millis, 0, common, KIND_AT + 1, millis.length);
		return common;
	}

}
