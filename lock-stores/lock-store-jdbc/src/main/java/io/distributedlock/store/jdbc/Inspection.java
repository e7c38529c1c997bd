package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Optional;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredShare;
import io.distributedlock.LockKey;

/**
 * Shows the row of a lock to operators.
 */
final class Inspection {

	private Inspection() {
	}

	static Optional<StoredLock> of(LockRow row, LockKey key, String store) {
		if (row.isFree() && row.line().isEmpty()) {
			return Optional.empty();
		}
		List<QueuedInstance> waiters = row.line()
			.all()
			.stream()
			.map((place) -> new QueuedInstance(place.instance(), Instant.EPOCH.plus(place.since(), ChronoUnit.MICROS),
					place.isAlive(row.now())))
			.toList();
		List<StoredShare> shares = row.shares().all().stream().map((share) -> show(share, row.now())).toList();
		boolean held = row.state().equals(LockRow.HELD);
		return Optional.of(new StoredLock(key, store, state(row), row.instance(), held ? row.firstToken() : 0,
				held ? row.lastToken() : 0, row.remaining(), waiters, shares));
	}

	private static StoredLock.State state(LockRow row) {
		return switch (row.state()) {
			case LockRow.HELD -> StoredLock.State.HELD;
			case LockRow.RESERVED -> StoredLock.State.RESERVED;
			case LockRow.COOLING -> StoredLock.State.COOLING;
			case LockRow.SHARED -> StoredLock.State.SHARED;
			default -> StoredLock.State.FREE;
		};
	}

	private static StoredShare show(Claim share, long now) {
		StoredLock.State state = switch (share.state()) {
			case HELD -> StoredLock.State.HELD;
			case RESERVED -> StoredLock.State.RESERVED;
			default -> StoredLock.State.COOLING;
		};
		return new StoredShare((share.state() != Claim.State.COOLING) ? share.instance() : null, state, share.token(),
				Duration.of(share.expiresAt() - now, ChronoUnit.MICROS));
	}

}
