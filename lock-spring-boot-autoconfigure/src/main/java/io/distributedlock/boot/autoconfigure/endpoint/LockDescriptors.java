package io.distributedlock.boot.autoconfigure.endpoint;

import java.time.Duration;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.List;

import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.HotLock;
import io.distributedlock.LockInspector.LockStatistics;
import io.distributedlock.LockInspector.ObservedHoldTime;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.boot.autoconfigure.endpoint.LockDescriptor.QueuedDescriptor;
import io.distributedlock.boot.autoconfigure.endpoint.LockDescriptor.ShareDescriptor;
import io.distributedlock.boot.autoconfigure.endpoint.LockDescriptor.StoredLockDescriptor;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.AdaptiveTtlDescriptor;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.HeldLockDescriptor;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.HotLockDescriptor;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.LockStatisticsDescriptor;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.WaitedLockDescriptor;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.actuate.endpoint.SanitizableData;
import org.springframework.boot.actuate.endpoint.Sanitizer;

/**
 * Turns what the inspector tells into what the endpoint shows, keys sanitized.
 */
final class LockDescriptors {

	/**
	 * A sanitizing function sees each part of a key under this and the lock's name.
	 */
	static final String DATA_KEY_PREFIX = "lock.";

	private final Sanitizer sanitizer;

	LockDescriptors(Sanitizer sanitizer) {
		this.sanitizer = sanitizer;
	}

	List<String> key(LockKey key) {
		List<String> parts = new ArrayList<>(key.parts().size());
		for (String part : key.parts()) {
			Object shown = this.sanitizer.sanitize(new SanitizableData(null, DATA_KEY_PREFIX + key.name(), part), true);
			parts.add(String.valueOf(shown));
		}
		return parts;
	}

	String id(LockKey key) {
		List<String> shown = key(key);
		return shown.equals(key.parts()) ? key.id() : key.name() + ":" + String.join(":", shown);
	}

	HeldLockDescriptor held(HeldLock lock) {
		return new HeldLockDescriptor(id(lock.key()), lock.key().name(), key(lock.key()), lock.store(), lock.owner(),
				Long.toString(lock.fencingToken()), millis(lock.held()), millis(lock.remaining()), lock.nested(),
				lock.waiters(), lock.isDegraded());
	}

	WaitedLockDescriptor waited(WaitedLock lock) {
		return new WaitedLockDescriptor(id(lock.key()), lock.key().name(), key(lock.key()), lock.store(),
				lock.waiters(), millis(lock.longestWait()));
	}

	HotLockDescriptor hot(HotLock lock) {
		return new HotLockDescriptor(id(lock.key()), lock.key().name(), key(lock.key()), lock.store(),
				Math.round(lock.share() * 1000) / 1000.0, lock.waits(), millis(lock.longestWait()));
	}

	AdaptiveTtlDescriptor adaptiveTtl(ObservedHoldTime observed) {
		Duration ttl = observed.ttl();
		return new AdaptiveTtlDescriptor(observed.name(), observed.holds(), millis(observed.quantile()),
				(ttl != null) ? millis(ttl) : null);
	}

	LockStatisticsDescriptor statistics(LockStatistics statistics) {
		return new LockStatisticsDescriptor(statistics.name(), statistics.acquired(), statistics.refused(),
				statistics.shed(), statistics.failed(), statistics.lost(), statistics.localHandoffs(),
				average(statistics.totalWait(), statistics.acquired()),
				average(statistics.totalHold(), statistics.acquired()));
	}

	private static Duration average(Duration total, long count) {
		return (count > 0) ? millis(total.dividedBy(count)) : Duration.ZERO;
	}

	// Down, so that no lock is shown to last longer than it does.
	private static Duration millis(Duration duration) {
		return duration.truncatedTo(ChronoUnit.MILLIS);
	}

	StoredLockDescriptor stored(StoredLock lock) {
		return new StoredLockDescriptor(lock.state(), lock.instance(), token(lock.firstToken()),
				token(lock.lastToken()), millis(lock.remaining()),
				lock.queue()
					.stream()
					.map((entry) -> new QueuedDescriptor(entry.instance(), entry.since(), entry.alive()))
					.toList(),
				lock.shares()
					.stream()
					.map((share) -> new ShareDescriptor(share.instance(), share.state(), token(share.token()),
							millis(share.remaining())))
					.toList());
	}

	private static @Nullable String token(long token) {
		return (token != 0) ? Long.toString(token) : null;
	}

}
