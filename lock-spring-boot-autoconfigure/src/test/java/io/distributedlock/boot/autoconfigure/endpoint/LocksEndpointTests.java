package io.distributedlock.boot.autoconfigure.endpoint;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.distributedlock.LockInspector.HeldLock;
import io.distributedlock.LockInspector.HotLock;
import io.distributedlock.LockInspector.LockStatistics;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockInspector.WaitedLock;
import io.distributedlock.LockKey;
import io.distributedlock.boot.autoconfigure.endpoint.ForceReleaseDescriptor.Result;
import io.distributedlock.boot.autoconfigure.endpoint.LocksDescriptor.HeldLockDescriptor;
import io.distributedlock.boot.autoconfigure.support.StubInspector;
import org.junit.jupiter.api.Test;

import org.springframework.boot.actuate.audit.AuditEvent;
import org.springframework.boot.actuate.audit.listener.AuditApplicationEvent;
import org.springframework.boot.actuate.endpoint.InvalidEndpointRequestException;
import org.springframework.boot.actuate.endpoint.SanitizingFunction;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class LocksEndpointTests {

	private static final String[] NO_PARTS = {};

	private final StubInspector inspector = new StubInspector();

	private final List<Object> published = new ArrayList<>();

	private final LocksEndpoint endpoint = endpoint();

	private LocksEndpoint endpoint(SanitizingFunction... functions) {
		return new LocksEndpoint(this.inspector, "app-1", List.of(functions), this.published::add);
	}

	@Test
	void allLocksOfThisInstanceAreShownWithItsName() {
		this.inspector.heldHere(LockKey.of("stock", 42), 17);
		this.inspector.waiting.add(new WaitedLock(LockKey.of("stock", 42), "redis", 3, Duration.ofMillis(120)));
		this.inspector.statistics
			.add(new LockStatistics("stock", 10, 2, 1, 1, 0, 7, Duration.ofSeconds(5), Duration.ofSeconds(20)));
		LocksDescriptor locks = this.endpoint.locks(null);
		assertThat(locks.instance()).isEqualTo("app-1");
		assertThat(locks.stores()).containsExactly("redis", "broken");
		assertThat(locks.held()).singleElement().satisfies((held) -> {
			assertThat(held.id()).isEqualTo("stock:42");
			assertThat(held.key()).containsExactly("42");
			assertThat(held.token()).isEqualTo("17");
			assertThat(held.owner()).isEqualTo("worker-1");
			assertThat(held.waiters()).isEqualTo(3);
		});
		assertThat(locks.waiting()).singleElement()
			.satisfies((waited) -> assertThat(waited.longestWait()).isEqualTo(Duration.ofMillis(120)));
		assertThat(locks.statistics()).singleElement().satisfies((statistics) -> {
			assertThat(statistics.refused()).isEqualTo(2);
			assertThat(statistics.shed()).isEqualTo(1);
			assertThat(statistics.averageWait()).isEqualTo(Duration.ofMillis(500));
			assertThat(statistics.averageHold()).isEqualTo(Duration.ofSeconds(2));
		});
	}

	@Test
	void theTenHottestKeysAreShownSanitized() {
		this.inspector.hotKeys
			.add(new HotLock(LockKey.of("account", "DE1"), "redis", 0.66666, 42, Duration.ofMillis(900)));
		for (int i = 0; i < 20; i++) {
			this.inspector.hotKeys.add(new HotLock(LockKey.of("stock", i), "redis", 0.01, 1, Duration.ofMillis(1)));
		}
		LocksDescriptor locks = endpoint(SanitizingFunction.sanitizeValue().ifKeyEquals("lock.account")).locks(null);
		assertThat(locks.hotKeys()).hasSize(10).first().satisfies((hot) -> {
			assertThat(hot.name()).isEqualTo("account");
			assertThat(hot.key()).containsExactly("******");
			assertThat(hot.id()).doesNotContain("DE1");
			assertThat(hot.store()).isEqualTo("redis");
			assertThat(hot.share()).isEqualTo(0.667);
			assertThat(hot.waits()).isEqualTo(42);
			assertThat(hot.longestWait()).isEqualTo(Duration.ofMillis(900));
		});
	}

	@Test
	void aNameThatWasNeverAcquiredHasNoAverageButNoErrorEither() {
		this.inspector.statistics.add(new LockStatistics("stock", 0, 2, 0, 0, 0, 0, Duration.ZERO, Duration.ZERO));
		assertThat(this.endpoint.locks(null).statistics().get(0).averageWait()).isZero();
	}

	@Test
	void durationsAreShownInMilliseconds() {
		this.inspector.held.add(new HeldLock(LockKey.of("stock", 42), "redis", "w", 3, Duration.ofNanos(1_234_567),
				Duration.ofNanos(7_999_999), 1, 0));
		this.inspector.statistics
			.add(new LockStatistics("stock", 3, 0, 0, 0, 0, 0, Duration.ofMillis(10), Duration.ofMillis(20)));
		LocksDescriptor locks = this.endpoint.locks(null);
		assertThat(locks.held().get(0).held()).isEqualTo(Duration.ofMillis(1));
		assertThat(locks.held().get(0).remaining()).isEqualTo(Duration.ofMillis(7));
		assertThat(locks.statistics().get(0).averageWait()).isEqualTo(Duration.ofMillis(3));
	}

	@Test
	void aHundredThousandLocksAreCountedButNotAllShown() {
		for (int i = 0; i < 100_000; i++) {
			this.inspector.heldHere(LockKey.of("stock", i), i + 1);
		}
		assertThat(this.endpoint.locks(null).heldCount()).isEqualTo(100_000);
		assertThat(this.endpoint.locks(null).held()).hasSize(200);
		assertThat(this.endpoint.locks(5).held()).hasSize(5);
		assertThat(this.endpoint.locks(0).held()).isEmpty();
		assertThatExceptionOfType(InvalidEndpointRequestException.class).isThrownBy(() -> this.endpoint.locks(-1));
	}

	@Test
	void oneLockIsShownAsTheStoreSeesItWithTheLocalLease() {
		LockKey key = LockKey.of("stock", "eu", 42);
		this.inspector.heldElsewhere(key);
		this.inspector.heldHere(key, 17);
		LockDescriptor lock = this.endpoint.lock("stock", new String[] { "eu", "42" }, null, null);
		assertThat(lock.stored()).isNotNull();
		assertThat(lock.stored().state()).isEqualTo(State.HELD);
		assertThat(lock.stored().holder()).isEqualTo("app-2");
		assertThat(lock.stored().firstToken()).isEqualTo("10");
		assertThat(lock.stored().lastToken()).isEqualTo("20");
		assertThat(lock.stored().queue()).singleElement()
			.satisfies((queued) -> assertThat(queued.instance()).isEqualTo("app-3"));
		assertThat(lock.local()).singleElement().satisfies((held) -> assertThat(held.token()).isEqualTo("17"));
	}

	@Test
	void allLeasesOfASharedLockThatThisInstanceHoldsAreShown() {
		LockKey key = LockKey.of("report", "eu");
		this.inspector.heldHere(key, 17);
		this.inspector.heldHere(LockKey.of("report", "us"), 5);
		this.inspector.heldHere(key, 18);
		this.inspector.heldHere(key, 19);
		LockDescriptor lock = this.endpoint.lock("report", new String[] { "eu" }, null, null);
		assertThat(lock.local()).extracting(HeldLockDescriptor::token).containsExactlyInAnyOrder("17", "18", "19");
		assertThat(this.endpoint.lock("report", new String[] { "asia" }, null, null).local()).isEmpty();
	}

	@Test
	void aStoreThatGivesNoAnswerStillLeavesWhatThisInstanceKnows() {
		this.inspector.held
			.add(new HeldLock(LockKey.of("stock", 42), "broken", "w", 3, Duration.ZERO, Duration.ZERO, 1, 0));
		LockDescriptor lock = this.endpoint.lock("stock", new String[] { "42" }, "broken", null);
		assertThat(lock.error()).contains("no answer");
		assertThat(lock.stored()).isNull();
		assertThat(lock.local()).isNotEmpty();
	}

	@Test
	void aLockIsShownAsTheStoreSeesItInWhichThisInstanceHoldsIt() {
		LockKey key = LockKey.of("audit", 9);
		this.inspector.stores = List.of("redis", "broken", "etcd");
		this.inspector.held.add(new HeldLock(key, "etcd", "w", 3, Duration.ZERO, Duration.ofSeconds(9), 1, 0));
		LockDescriptor lock = this.endpoint.lock("audit", new String[] { "9" }, null, null);
		assertThat(lock.store()).isEqualTo("etcd");
		assertThat(lock.local()).isNotEmpty();
	}

	@Test
	void aLockIsLookedForInAllStoresAndReleasedWhereItIsHeld() {
		LockKey key = LockKey.of("audit", 9);
		this.inspector.stores = List.of("etcd", "broken", "redis");
		this.inspector.heldElsewhere(key);
		assertThat(this.endpoint.lock("audit", new String[] { "9" }, null, null).store()).isEqualTo("redis");
		assertThat(this.endpoint.forceRelease("audit", new String[] { "9" }, 15, null, null).result())
			.isEqualTo(Result.RELEASED);
	}

	@Test
	void aFreeLockIsThatOfTheDefaultStore() {
		this.inspector.stores = List.of("redis", "etcd");
		assertThat(this.endpoint.lock("audit", new String[] { "9" }, null, null).store()).isEqualTo("redis");
	}

	@Test
	void aKeyThatDoesNotFitIntoAPathIsGivenAsInTheId() {
		LockKey key = LockKey.of("stock", "a/b", "c:d é");
		this.inspector.heldElsewhere(key);
		String afterName = key.id().substring("stock:".length());
		assertThat(this.endpoint.lock("stock", NO_PARTS, null, afterName).stored()).isNotNull();
		assertThat(this.endpoint.lock("stock", NO_PARTS, null, afterName).key()).containsExactly("a/b", "c:d é");
	}

	@Test
	void aHashedKeyIsFoundWhereItIsHeld() {
		LockKey key = LockKey.of("stock", "x".repeat(600));
		String hash = key.id().substring("stock:".length());
		assertThat(hash).startsWith("~");
		assertThatExceptionOfType(InvalidEndpointRequestException.class)
			.isThrownBy(() -> this.endpoint.lock("stock", NO_PARTS, null, hash))
			.withMessageContaining("hash of a long key");
		this.inspector.heldHere(key, 5);
		assertThat(this.endpoint.lock("stock", NO_PARTS, null, hash).local()).isNotEmpty();
	}

	@Test
	void badRequestsSayWhatIsWrong() {
		assertThatExceptionOfType(InvalidEndpointRequestException.class)
			.isThrownBy(() -> this.endpoint.lock("stock", NO_PARTS, "mongo", null))
			.withMessageContaining("'mongo'")
			.withMessageContaining("redis");
		assertThatExceptionOfType(InvalidEndpointRequestException.class)
			.isThrownBy(() -> this.endpoint.lock("stock", new String[] { "1" }, null, "1"));
		assertThatExceptionOfType(InvalidEndpointRequestException.class)
			.isThrownBy(() -> this.endpoint.lock("stock", NO_PARTS, null, "%zz"));
		assertThatExceptionOfType(InvalidEndpointRequestException.class)
			.isThrownBy(() -> this.endpoint.lock("stock", NO_PARTS, null, "a::b"));
	}

	@Test
	void forceReleaseTakesTheLockAwayAndLeavesAnAuditEvent() {
		this.inspector.heldElsewhere(LockKey.of("stock", 42));
		ForceReleaseDescriptor release = this.endpoint.forceRelease("stock", new String[] { "42" }, 15, null, null);
		assertThat(release.result()).isEqualTo(Result.RELEASED);
		assertThat(this.inspector.stored).isEmpty();
		AuditEvent audit = audit();
		assertThat(audit.getType()).isEqualTo("LOCK_FORCE_RELEASE");
		assertThat(audit.getPrincipal()).isEqualTo("jmx");
		assertThat(audit.getData()).containsEntry("lock", "stock:42")
			.containsEntry("store", "redis")
			.containsEntry("token", "15")
			.containsEntry("result", "RELEASED")
			.containsEntry("instance", "app-1");
	}

	@Test
	void forceReleaseWithAnotherTokenChangesNothingAndIsAuditedToo() {
		this.inspector.heldElsewhere(LockKey.of("stock", 42));
		ForceReleaseDescriptor release = this.endpoint.forceRelease("stock", new String[] { "42" }, 9, null, null);
		assertThat(release.result()).isEqualTo(Result.TOKEN_MISMATCH);
		assertThat(release.lock().stored()).isNotNull();
		assertThat(this.inspector.stored).isNotEmpty();
		assertThat(audit().getData()).containsEntry("result", "TOKEN_MISMATCH");
	}

	@Test
	void forceReleaseOfAFreeLockSaysSo() {
		this.inspector.stores = List.of("redis", "etcd");
		assertThat(this.endpoint.forceRelease("stock", new String[] { "42" }, 9, null, null).result())
			.isEqualTo(Result.NOT_HELD);
	}

	@Test
	void forceReleaseWithoutAnAnswerIsUnknownAndAudited() {
		assertThat(this.endpoint.forceRelease("stock", new String[] { "42" }, 9, "broken", null).result())
			.isEqualTo(Result.UNKNOWN);
		assertThat(audit().getData()).containsEntry("result", "UNKNOWN");
	}

	@Test
	void sanitizingFunctionsSeeEachPartUnderTheNameOfItsLock() {
		LocksEndpoint sanitized = endpoint(SanitizingFunction.sanitizeValue().ifKeyEquals("lock.account"));
		this.inspector.heldHere(LockKey.of("account", "DE89", 1), 5);
		this.inspector.heldHere(LockKey.of("stock", 42), 6);
		LocksDescriptor locks = sanitized.locks(null);
		assertThat(locks.held().get(0).key()).containsExactly("******", "******");
		assertThat(locks.held().get(0).id()).isEqualTo("account:******:******");
		assertThat(locks.held().get(1).id()).isEqualTo("stock:42");
		assertThat(locks.toString()).doesNotContain("DE89");
	}

	@Test
	void aSanitizedKeyIsNotInTheAuditEventEither() {
		LocksEndpoint sanitized = endpoint(SanitizingFunction.sanitizeValue().ifValueStringMatches("DE.*"));
		this.inspector.heldElsewhere(LockKey.of("account", "DE89"));
		ForceReleaseDescriptor release = sanitized.forceRelease("account", new String[] { "DE89" }, 15, null, null);
		assertThat(release.result()).isEqualTo(Result.RELEASED);
		assertThat(release.toString()).doesNotContain("DE89");
		assertThat(audit().getData().toString()).doesNotContain("DE89");
	}

	private AuditEvent audit() {
		assertThat(this.published).hasSize(1);
		return ((AuditApplicationEvent) this.published.get(0)).getAuditEvent();
	}

}
