package io.distributedlock.engine;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReadWriteLock;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LossReason;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.InMemoryLockStore;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * A writer that closes its last lease to write and goes on reading lets other readers in.
 */
class DowngradeRulesTests extends EngineFixture {

	private static final Duration PATIENT = Duration.ofSeconds(10);

	private final LockOwner owner = LockOwner.create("downgrading");

	private final LockEngine other = otherJvm("jvm-2");

	private LockRequest writing() {
		return stock().withOwner(this.owner);
	}

	private LockRequest readingToo() {
		return writing().withMode(LockMode.READ);
	}

	private static LockRequest reading() {
		return stock().withMode(LockMode.READ);
	}

	private static Optional<Lease> tryOnce(LockEngine engine, LockRequest request) {
		return engine.tryAcquire(request.withOwner(LockOwner.create("passer-by")).withWaitTime(Duration.ZERO));
	}

	private static boolean canRead(LockEngine engine, LockRequest request) {
		Optional<Lease> read = tryOnce(engine, request.withMode(LockMode.READ));
		read.ifPresent(Lease::close);
		return read.isPresent();
	}

	@Test
	void readersOfAllJvmsGetInAndWritersDoNot() {
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		assertThat(canRead(this.engine, stock())).isFalse();
		assertThat(canRead(this.other, stock())).isFalse();
		writer.close();
		assertThat(writer.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(reader.isHeld()).isTrue();
		assertThat(reader.fencingToken()).isEqualTo(writer.fencingToken());
		assertThat(tryOnce(this.engine, stock())).isEmpty();
		assertThat(tryOnce(this.other, stock())).isEmpty();
		assertThat(canRead(this.engine, stock())).isTrue();
		assertThat(canRead(this.other, stock())).isTrue();
		assertThat(reader.isHeld()).isTrue();
		reader.close();
		assertThat(reader.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(storeIsEmpty()).isTrue();
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void readersThatWaitGetInAndAWriterThatCameAfterThemGoesOnWaiting() throws Exception {
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		Future<Lease> here = waitingThread(this.engine, reading().withWaitTime(PATIENT));
		Future<Lease> there = waitingThread(this.other, reading().withWaitTime(PATIENT));
		eventually().until(() -> queued() == 2);
		Future<Lease> next = waitingThread(this.other, stock().withWaitTime(PATIENT));
		eventually().until(() -> queued() == 3);
		writer.close();
		Lease read = here.get(10, TimeUnit.SECONDS);
		Lease alsoRead = there.get(10, TimeUnit.SECONDS);
		assertThat(reader.isHeld()).isTrue();
		assertThat(next.isDone()).isFalse();
		reader.close();
		read.close();
		assertThat(next.isDone()).isFalse();
		alsoRead.close();
		Lease written = next.get(10, TimeUnit.SECONDS);
		assertThat(written.fencingToken()).isGreaterThan(reader.fencingToken())
			.isGreaterThan(read.fencingToken())
			.isGreaterThan(alsoRead.fencingToken());
		written.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void readersDoNotOvertakeAWriterThatWaits() throws Exception {
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		Future<Lease> next = waitingThread(this.other, stock().withWaitTime(PATIENT));
		eventually().until(() -> queued() == 1);
		writer.close();
		assertThat(reader.isHeld()).isTrue();
		assertThat(canRead(this.engine, stock())).isFalse();
		assertThat(canRead(this.other, stock())).isFalse();
		assertThat(next.isDone()).isFalse();
		reader.close();
		next.get(10, TimeUnit.SECONDS).close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aWriterOfTheSameJvmWaitsForTheReader() throws Exception {
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		Future<Lease> next = waitingThread(this.engine, stock().withWaitTime(PATIENT));
		writer.close();
		eventually().until(() -> queued() == 1);
		assertThat(next.isDone()).isFalse();
		assertThat(reader.isHeld()).isTrue();
		reader.close();
		next.get(10, TimeUnit.SECONDS).close();
		eventually().until(this::storeIsEmpty);
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void aReadWriteLockOfTheJdkIsSharedAfterUnlock() throws Exception {
		ReadWriteLock lock = this.engine.asReadWriteLock(stock());
		lock.writeLock().lock();
		lock.readLock().lock();
		lock.writeLock().unlock();
		assertThat(onThread(() -> {
			boolean read = lock.readLock().tryLock();
			if (read) {
				lock.readLock().unlock();
			}
			return read && !lock.writeLock().tryLock();
		}).get()).isTrue();
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock.writeLock()::unlock);
		lock.readLock().unlock();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void anAsynchronousReleaseDoesTheSame() throws Exception {
		Lease writer = this.engine.acquireAsync(writing()).get(10, TimeUnit.SECONDS);
		Lease reader = this.engine.acquireAsync(readingToo()).get(10, TimeUnit.SECONDS);
		assertThat(writer.releaseAsync().toCompletableFuture().get(10, TimeUnit.SECONDS)).isTrue();
		assertThat(canRead(this.other, stock())).isTrue();
		assertThat(reader.releaseAsync().toCompletableFuture().get(10, TimeUnit.SECONDS)).isTrue();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void theLockStaysExclusiveAsLongAsAnyLeaseToWriteIsOpen() {
		Lease outer = this.engine.acquire(writing());
		Lease inner = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		outer.close();
		assertThat(canRead(this.other, stock())).isFalse();
		assertThat(this.faults.count(CommandKind.DOWNGRADE)).isZero();
		inner.close();
		assertThat(canRead(this.other, stock())).isTrue();
		reader.close();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void aReaderThatEndsWithinItsWriterCostsTheStoreNothing() {
		try (Lease writer = this.engine.acquire(writing()); Lease reader = this.engine.acquire(readingToo())) {
			assertThat(reader.fencingToken()).isEqualTo(writer.fencingToken());
		}
		assertThat(this.faults.count(CommandKind.DOWNGRADE)).isZero();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void whoGoesOnReadingCannotWriteAgainAndIsToldWhy() {
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		writer.close();
		assertThatIllegalStateException().isThrownBy(() -> this.engine.acquire(writing()))
			.withMessageContaining("mode = WRITE from the start");
		assertThatIllegalStateException().isThrownBy(reader::keep).withMessageContaining("WRITE");
		Lease nested = this.engine.acquire(readingToo());
		reader.close();
		assertThat(nested.isHeld()).isTrue();
		nested.close();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void theShareIsRenewedAsOne() {
		Lease writer = this.engine.acquire(writing().withTtl(SHORT_TTL));
		Lease reader = this.engine.acquire(readingToo().withTtl(SHORT_TTL));
		writer.close();
		this.faults.resetCounts();
		eventually().until(() -> this.faults.count(CommandKind.RENEW_SHARED) >= 5);
		assertThat(this.faults.count(CommandKind.RENEW)).isZero();
		assertThat(reader.isHeld()).isTrue();
		reader.extend(Duration.ofSeconds(20));
		assertThat(reader.remaining()).isGreaterThan(Duration.ofSeconds(10));
		reader.close();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void maxHoldCountsFromWhenTheWriterCame() {
		Lease writer = this.engine.acquire(writing().withTtl(SHORT_TTL).withMaxHold(Duration.ofMillis(300)));
		Lease reader = this.engine.acquire(readingToo().withTtl(SHORT_TTL));
		AtomicReference<LockLostException> loss = new AtomicReference<>();
		reader.onLost(loss::set);
		writer.close();
		eventually().untilAsserted(() -> assertThat(loss.get()).isNotNull());
		assertThat(loss.get().reason()).isEqualTo(LossReason.MAX_HOLD);
		assertThat(reader.isHeld()).isFalse();
		reader.release();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void whatIsNotRenewedOrKeptStaysExclusive() {
		Lease brief = this.engine.acquire(writing().withRenew(false));
		Lease reader = this.engine.acquire(readingToo().withRenew(false));
		brief.close();
		assertThat(canRead(this.other, stock())).isFalse();
		reader.close();
		Lease keeping = this.engine.acquire(writing().withMinHold(Duration.ofSeconds(30)));
		reader = this.engine.acquire(readingToo());
		keeping.close();
		assertThat(canRead(this.other, stock())).isFalse();
		assertThat(this.faults.count(CommandKind.DOWNGRADE)).isZero();
		reader.close();
	}

	@Test
	void inAStoreThatCannotShareLikeThisTheLockStaysExclusive() {
		LockStore store = withoutDowngrade(this.server.connect("jvm-3"));
		LockEngine engine = engine((builder) -> builder.store(store));
		Lease writer = engine.acquire(writing());
		Lease reader = engine.acquire(readingToo());
		writer.close();
		assertThat(reader.isHeld()).isTrue();
		assertThat(canRead(this.other, stock())).isFalse();
		assertThat(canRead(engine, stock())).isFalse();
		// It is exclusive, so it may write again.
		engine.acquire(writing()).close();
		reader.close();
		assertThat(storeIsEmpty()).isTrue();
		assertThat(engine.gateCount()).isZero();
	}

	@Test
	void aFailureThatWouldOnlyRepeatLeavesTheLockExclusiveAndRenewed() {
		this.faults.next(CommandKind.DOWNGRADE,
				Fault.failBefore(new StoreException("not permitted", false, false, null)));
		Lease writer = this.engine.acquire(writing().withTtl(SHORT_TTL));
		Lease reader = this.engine.acquire(readingToo().withTtl(SHORT_TTL));
		writer.close();
		assertThat(canRead(this.other, stock())).isFalse();
		this.faults.resetCounts();
		eventually().until(() -> this.faults.count(CommandKind.RENEW) >= 4);
		assertThat(reader.isHeld()).isTrue();
		reader.close();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void aDowngradeThatFailedIsTriedAgain() {
		this.faults.next(CommandKind.DOWNGRADE, Fault.failBefore(new StoreException("refused", false, true, null)));
		Lease writer = this.engine.acquire(writing().withTtl(SHORT_TTL));
		Lease reader = this.engine.acquire(readingToo().withTtl(SHORT_TTL));
		writer.close();
		assertThat(reader.isHeld()).isTrue();
		eventually().until(() -> canRead(this.other, stock()));
		assertThat(reader.isHeld()).isTrue();
		reader.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void nobodyOfThisJvmGetsInWhileTheOutcomeIsUnknown() {
		this.faults.otherwise((kind) -> (kind == CommandKind.DOWNGRADE) ? Fault.dropReply() : Fault.none());
		Lease writer = this.engine.acquire(writing().withTtl(SHORT_TTL));
		Lease reader = this.engine.acquire(readingToo().withTtl(SHORT_TTL));
		writer.close();
		assertThat(writer.state()).isEqualTo(LeaseState.RELEASED);
		assertThat(tryOnce(this.engine, stock())).isEmpty();
		assertThatIllegalStateException().isThrownBy(() -> this.engine.acquire(writing()))
			.withMessageContaining("mode = WRITE from the start");
		// In the store it has happened.
		assertThat(canRead(this.other, stock())).isTrue();
		assertThat(this.faults.count(CommandKind.RENEW_SHARED)).isZero();
		this.faults.heal();
		eventually().until(() -> this.faults.count(CommandKind.RENEW_SHARED) > 0);
		assertThat(reader.isHeld()).isTrue();
		assertThat(canRead(this.engine, stock())).isTrue();
		reader.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void anUnknownDowngradeThatNeverSucceedsEndsTheLeaseAtItsDeadline() {
		this.faults.otherwise((kind) -> (kind == CommandKind.DOWNGRADE) ? Fault.dropRequest() : Fault.none());
		Lease writer = this.engine.acquire(writing().withTtl(SHORT_TTL));
		Lease reader = this.engine.acquire(readingToo().withTtl(SHORT_TTL));
		AtomicReference<LockLostException> loss = new AtomicReference<>();
		reader.onLost(loss::set);
		writer.close();
		eventually().untilAsserted(() -> assertThat(loss.get()).isNotNull());
		assertThat(loss.get().reason()).isEqualTo(LossReason.EXPIRED);
		assertThat(reader.isHeld()).isFalse();
		reader.release();
		eventually().until(this::storeIsEmpty);
		eventually().until(() -> this.engine.gateCount() == 0);
	}

	@Test
	void aShareThatTheLostReaderMayHaveIsTakenAway() {
		this.faults.otherwise((kind) -> (kind == CommandKind.DOWNGRADE) ? Fault.dropReply() : Fault.none());
		Lease writer = this.engine.acquire(writing().withTtl(SHORT_TTL));
		Lease reader = this.engine.acquire(readingToo().withTtl(SHORT_TTL));
		writer.close();
		eventually().until(() -> !reader.isHeld());
		eventually().until(this::storeIsEmpty);
		reader.release();
	}

	@Test
	void aReaderThatEndsWhileTheOutcomeIsUnknownLeavesNothing() {
		for (Fault fault : new Fault[] { Fault.dropReply(), Fault.dropRequest() }) {
			this.faults.next(CommandKind.DOWNGRADE, fault);
			Lease writer = this.engine.acquire(writing());
			Lease reader = this.engine.acquire(readingToo());
			CompletableFuture<Boolean> stopped = writer.releaseAsync().toCompletableFuture();
			assertThat(reader.release()).isTrue();
			assertThat(storeIsEmpty()).isTrue();
			assertThat(stopped.join()).isTrue();
		}
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void aDowngradeThatIsExecutedAfterTheReleaseLeavesNothing() {
		this.faults.next(CommandKind.DOWNGRADE, Fault.holdBack());
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		CompletableFuture<Boolean> stopped = writer.releaseAsync().toCompletableFuture();
		assertThat(reader.release()).isTrue();
		assertThat(this.faults.heldBack()).hasSize(1);
		assertThat(this.faults.heldBack().get(0).deliver()).isTrue();
		assertThat(stopped.join()).isTrue();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void aReleaseWithoutAnAnswerTakesAwayWhatTheDowngradeHasLeft() {
		this.faults.next(CommandKind.DOWNGRADE, Fault.dropReply());
		this.faults.next(CommandKind.RELEASE, Fault.dropRequest());
		Lease writer = this.engine.acquire(writing().withTtl(Duration.ofSeconds(30)));
		Lease reader = this.engine.acquire(readingToo().withTtl(Duration.ofSeconds(30)));
		writer.releaseAsync();
		assertThat(reader.release()).isTrue();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void callersThatWaitAreServedWhenAReaderEndsWhileTheOutcomeIsUnknown() throws Exception {
		this.faults.next(CommandKind.DOWNGRADE, Fault.dropReply());
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		Future<Lease> next = waitingThread(this.engine, stock().withWaitTime(PATIENT));
		writer.releaseAsync();
		assertThat(next.isDone()).isFalse();
		reader.release();
		Lease written = next.get(10, TimeUnit.SECONDS);
		assertThat(written.fencingToken()).isGreaterThan(reader.fencingToken());
		written.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aDowngradeWaitsForTheRenewalThatIsUnderWay() {
		this.faults.next(CommandKind.RENEW, Fault.holdBack());
		Lease writer = this.engine.acquire(writing().withTtl(Duration.ofSeconds(3)));
		Lease reader = this.engine.acquire(readingToo().withTtl(Duration.ofSeconds(3)));
		eventually().until(() -> !this.faults.heldBack().isEmpty());
		CompletableFuture<Boolean> stopped = writer.releaseAsync().toCompletableFuture();
		assertThat(stopped.join()).isTrue();
		eventually().until(() -> canRead(this.other, stock()));
		// The renewal comes to the store after the share is there.
		this.faults.heldBack().get(0).deliver();
		assertThat(reader.isHeld()).isTrue();
		reader.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aWriterWhoseLockIsLostLearnsItWhenItStopsWriting() throws Exception {
		this.faults.loseSignals(() -> true);
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		assertThat(this.other.forceRelease(key(), null, writer.fencingToken())).isTrue();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(writer::close);
		assertThat(reader.state()).isEqualTo(LeaseState.LOST);
		reader.release();
		assertThat(storeIsEmpty()).isTrue();
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void aForcedReleaseEndsTheReaderThatWasAWriter() {
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		writer.close();
		StoredLock seen = this.other.find(key(), null).orElseThrow();
		assertThat(seen.state()).isEqualTo(StoredLock.State.SHARED);
		assertThat(this.engine.held()).singleElement()
			.satisfies((held) -> assertThat(held.owner()).isEqualTo(this.owner.toString()));
		assertThat(this.other.forceRelease(key(), null, seen.shares().get(0).token())).isTrue();
		eventually().until(() -> reader.state() == LeaseState.LOST);
		reader.release();
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void aDeadlockThroughTheReaderThatWasAWriterIsFound() throws Exception {
		LockOwner second = LockOwner.create("second");
		LockRequest elsewhere = LockRequest.of("elsewhere", 1).withWaitTime(Duration.ofSeconds(30));
		Lease writer = this.engine.acquire(writing());
		Lease reader = this.engine.acquire(readingToo());
		writer.close();
		Lease held = this.other.acquire(elsewhere.withOwner(second));
		Future<Lease> wantsToWrite = onThread(
				() -> this.other.acquire(stock().withOwner(second).withWaitTime(Duration.ofSeconds(30))));
		Future<Lease> wantsElsewhere = onThread(() -> this.engine.acquire(elsewhere.withOwner(this.owner)));
		eventually().until(() -> wantsToWrite.isDone() || wantsElsewhere.isDone());
		Future<Lease> victim = wantsToWrite.isDone() ? wantsToWrite : wantsElsewhere;
		assertThat(victim).failsWithin(Duration.ofSeconds(10))
			.withThrowableOfType(ExecutionException.class)
			.withCauseInstanceOf(DeadlockDetectedException.class);
		((victim == wantsToWrite) ? held : reader).release();
		((victim == wantsToWrite) ? wantsElsewhere : wantsToWrite).get(10, TimeUnit.SECONDS).release();
		((victim == wantsToWrite) ? reader : held).release();
		eventually().until(this::storeIsEmpty);
	}

	/** Returns how many JVMs and readers of JVMs wait in the store. */
	private int queued() {
		return this.other.find(key(), null).map((seen) -> seen.queue().size()).orElse(0);
	}

	/** A store as it was before there were downgrades. */
	private static LockStore withoutDowngrade(InMemoryLockStore store) {
		return (LockStore) Proxy.newProxyInstance(InMemoryLockStore.class.getClassLoader(),
				InMemoryLockStore.class.getInterfaces(), (proxy, method, arguments) -> {
					if (method.getName().equals("downgrade")) {
						return CompletableFuture.completedFuture(new DowngradeReply.NotSupported());
					}
					try {
						return method.invoke(store, arguments);
					}
					catch (InvocationTargetException ex) {
						throw ex.getTargetException();
					}
				});
	}

}
