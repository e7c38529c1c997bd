package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReadWriteLock;

import io.distributedlock.Lease;
import io.distributedlock.LeaseState;
import io.distributedlock.LockLostException;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.LossReason;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.ForwardingLockStore;
import io.distributedlock.test.InMemoryLockStore;
import io.distributedlock.test.ManualTicker;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

/**
 * Rule S3: readers.
 */
class ReaderRulesTests extends EngineFixture {

	private static LockRequest reading() {
		return stock().withMode(LockMode.READ);
	}

	@Test
	void readersOfOneJvmShareOneGrantAndOneToken() throws Exception {
		List<Lease> readers = new ArrayList<>();
		for (int i = 0; i < 5; i++) {
			readers.add(heldByAnother(this.engine, reading()));
		}
		assertThat(this.faults.count(CommandKind.ACQUIRE_SHARED)).isOne();
		assertThat(readers).extracting(Lease::fencingToken).containsOnly(readers.get(0).fencingToken());
		assertThat(readers).extracting(Lease::mode).containsOnly(LockMode.READ);
		readers.subList(0, 4).forEach(Lease::close);
		assertThat(this.faults.count(CommandKind.RELEASE_SHARED)).isZero();
		assertThat(readers.get(4).isHeld()).isTrue();
		readers.get(4).close();
		assertThat(this.faults.count(CommandKind.RELEASE_SHARED)).isOne();
		assertThat(storeIsEmpty()).isTrue();
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void aWriterWaitsForReadersOfAllJvms() throws Exception {
		Lease here = heldByAnother(this.engine, reading());
		Lease there = heldByAnother(otherJvm("jvm-2"), reading());
		Future<Lease> writer = waitingThread(this.engine, stock());
		here.close();
		assertThat(writer.isDone()).isFalse();
		there.close();
		Lease written = writer.get(5, TimeUnit.SECONDS);
		assertThat(written.mode()).isEqualTo(LockMode.WRITE);
		assertThat(written.fencingToken()).isGreaterThan(here.fencingToken());
		written.close();
	}

	@Test
	void readersWaitForAWriterAndThenReadTogether() throws Exception {
		LockEngine other = otherJvm("jvm-2");
		Lease writer = heldByAnother(other, stock());
		List<Future<Lease>> waiting = new ArrayList<>();
		for (int i = 0; i < 3; i++) {
			waiting.add(waitingThread(this.engine, reading()));
		}
		assertThatExceptionOfType(LockNotAcquiredException.class)
			.isThrownBy(() -> this.engine.acquire(reading().withWaitTime(Duration.ZERO)))
			.matches((refused) -> refused.reason() == Reason.BUSY);
		writer.close();
		List<Lease> readers = new ArrayList<>();
		for (Future<Lease> reader : waiting) {
			readers.add(reader.get(5, TimeUnit.SECONDS));
		}
		assertThat(readers).allMatch(Lease::isHeld);
		assertThat(readers).allMatch((reader) -> reader.fencingToken() >= writer.fencingToken());
		readers.forEach(Lease::close);
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aWaitingWriterIsNotStarvedByReadersThatComeAgainAndAgain() throws Exception {
		AtomicBoolean stop = new AtomicBoolean();
		List<Future<Integer>> readers = new ArrayList<>();
		CountDownLatch reading = new CountDownLatch(6);
		for (int i = 0; i < 6; i++) {
			LockEngine jvm = (i % 2 == 0) ? this.engine : otherJvm("reader-" + i);
			readers.add(onThread(() -> {
				int reads = 0;
				while (!stop.get()) {
					Lease lease = jvm.acquire(reading().withWaitTime(Duration.ofSeconds(10)));
					reading.countDown();
					Thread.sleep(1);
					lease.close();
					reads++;
				}
				return reads;
			}));
		}
		assertThat(reading.await(10, TimeUnit.SECONDS)).isTrue();
		LockEngine writing = otherJvm("writer");
		for (int i = 0; i < 5; i++) {
			LockEngine jvm = (i % 2 == 0) ? writing : this.engine;
			onThread(() -> jvm.acquire(stock().withWaitTime(Duration.ofSeconds(2))).release()).get();
		}
		stop.set(true);
		for (Future<Integer> reader : readers) {
			assertThat(reader.get(10, TimeUnit.SECONDS)).isPositive();
		}
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void whoWritesMayReadAsWell() {
		try (Lease writer = this.engine.acquire(stock())) {
			try (Lease reader = this.engine.acquire(reading())) {
				assertThat(reader.mode()).isEqualTo(LockMode.READ);
				assertThat(reader.fencingToken()).isEqualTo(writer.fencingToken());
				assertThat(this.faults.count(CommandKind.ACQUIRE_SHARED)).isZero();
			}
			assertThat(writer.isHeld()).isTrue();
		}
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void whoReadsCannotWriteAndIsToldWhy() {
		try (Lease reader = this.engine.acquire(reading())) {
			assertThatIllegalStateException().isThrownBy(() -> this.engine.acquire(stock()))
				.withMessageContaining("stock:42")
				.withMessageContaining("mode = WRITE from the start");
			assertThat(reader.isHeld()).isTrue();
		}
		this.engine.acquire(stock()).close();
	}

	@Test
	void whoReadsMayReadAgainEvenIfAWriterWaits() throws Exception {
		LockOwner owner = LockOwner.create("flow");
		Lease outer = this.engine.acquire(reading().withOwner(owner));
		Future<Lease> writer = waitingThread(otherJvm("jvm-2"), stock());
		Lease inner = this.engine.acquire(reading().withOwner(owner).withWaitTime(Duration.ZERO));
		outer.close();
		assertThat(inner.isHeld()).isTrue();
		assertThat(writer.isDone()).isFalse();
		inner.close();
		writer.get(5, TimeUnit.SECONDS).close();
	}

	@Test
	void aReaderThatStaysTooLongLosesItsLeaseAndTheOthersKeepTheirs() throws Exception {
		LockRequest brief = reading().withTtl(SHORT_TTL).withMaxHold(Duration.ofMillis(300));
		Lease first = heldByAnother(this.engine, brief);
		AtomicReference<LockLostException> loss = new AtomicReference<>();
		first.onLost(loss::set);
		Lease second = heldByAnother(this.engine, reading().withTtl(SHORT_TTL));
		eventually().until(() -> first.state() == LeaseState.LOST);
		eventually().untilAsserted(() -> assertThat(loss.get()).isNotNull());
		assertThat(loss.get().reason()).isEqualTo(LossReason.MAX_HOLD);
		assertThat(first.isHeld()).isFalse();
		assertThat(second.isHeld()).isTrue();
		assertThatExceptionOfType(LockLostException.class).isThrownBy(first::close);
		assertThat(second.isHeld()).isTrue();
		second.close();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void whatAReaderHasExtendedBeyondItsMaxHoldLastsAlsoWhenOthersComeAndGo() throws Exception {
		ManualTicker ticker = new ManualTicker();
		FaultyLockStore counted = FaultyLockStore.around(this.server.connect("slow"));
		LockEngine slow = engine((builder) -> builder.store(counted.store()).ticker(ticker));
		LockRequest request = reading().withTtl(Duration.ofSeconds(9));
		Lease extended = heldByAnother(slow, request.withMaxHold(Duration.ofSeconds(10)));
		Lease other = heldByAnother(slow, request);
		extended.extend(Duration.ofSeconds(60));
		// Past the max-hold of the first, so that the room is renewed for the other
		// alone.
		ticker.advance(Duration.ofSeconds(25));
		eventually().until(() -> counted.count(CommandKind.RENEW_SHARED) >= 2);
		other.close();
		ticker.advance(Duration.ofSeconds(30));
		assertThat(extended.isHeld()).isTrue();
		extended.close();
	}

	@Test
	void aRoomIsRenewedOnceForAllAndAsLongAsAnybodyIsIn() throws Exception {
		Lease first = heldByAnother(this.engine, reading().withTtl(SHORT_TTL));
		Lease second = heldByAnother(this.engine, reading().withTtl(SHORT_TTL));
		eventually().until(() -> this.faults.count(CommandKind.RENEW_SHARED) >= 2);
		first.close();
		this.faults.resetCounts();
		eventually().until(() -> this.faults.count(CommandKind.RENEW_SHARED) >= 4);
		assertThat(second.isHeld()).isTrue();
		second.close();
	}

	@Test
	void aReaderThatIsNotRenewedEndsAfterItsTtlWhateverOthersDo() throws Exception {
		Lease renewed = heldByAnother(this.engine, reading().withTtl(SHORT_TTL));
		Lease single = heldByAnother(this.engine, reading().withTtl(SHORT_TTL).withRenew(false));
		eventually().until(() -> single.state() == LeaseState.LOST);
		assertThat(renewed.isHeld()).isTrue();
		single.release();
		renewed.close();
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void allReadersOfARoomLearnThatItWasEndedByForce() throws Exception {
		Lease first = heldByAnother(this.engine, reading());
		Lease second = heldByAnother(this.engine, reading());
		assertThat(otherJvm("operator").forceRelease(key(), null, first.fencingToken())).isTrue();
		eventually().until(() -> first.state() == LeaseState.LOST && second.state() == LeaseState.LOST);
		assertThat(first.isHeld()).isFalse();
		first.release();
		second.release();
		assertThat(this.engine.gateCount()).isZero();
	}

	@Test
	void aDeadJvmsReadersBlockAWriterNoLongerThanTheirTtl() throws Exception {
		InMemoryLockStore dying = this.server.connect("dying");
		LockEngine dead = engine((builder) -> builder.store(dying));
		heldByAnother(dead, reading().withTtl(SHORT_TTL));
		dying.close();
		long start = System.nanoTime();
		this.engine.acquire(stock().withWaitTime(Duration.ofSeconds(15))).close();
		assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(SHORT_TTL.plusSeconds(4));
	}

	@Test
	void aReaderWhoseAnswerIsLostLeavesNothingBehind() {
		this.faults.next(CommandKind.ACQUIRE_SHARED, Fault.dropReply());
		assertThatExceptionOfType(LockStoreException.class)
			.isThrownBy(() -> this.engine.acquire(reading().withTtl(SHORT_TTL).withWaitTime(Duration.ZERO)));
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void readersGoThroughAFailureThatPasses() {
		this.faults.next(CommandKind.ACQUIRE_SHARED,
				Fault.failBefore(new StoreException("refused", false, true, null)));
		try (Lease reader = this.engine.acquire(reading())) {
			assertThat(reader.isHeld()).isTrue();
		}
	}

	@Test
	void aReadWriteLockOfTheJdkSharesAndExcludes() throws Exception {
		ReadWriteLock lock = this.engine.asReadWriteLock(stock());
		lock.readLock().lock();
		assertThat(onThread(() -> {
			boolean read = lock.readLock().tryLock();
			if (read) {
				lock.readLock().unlock();
			}
			return read && !lock.writeLock().tryLock();
		}).get()).isTrue();
		assertThatExceptionOfType(IllegalMonitorStateException.class).isThrownBy(lock.writeLock()::unlock);
		lock.readLock().unlock();
		lock.writeLock().lock();
		lock.readLock().lock();
		assertThat(onThread(() -> lock.readLock().tryLock()).get()).isFalse();
		lock.writeLock().unlock();
		lock.readLock().unlock();
		assertThat(storeIsEmpty()).isTrue();
	}

	@Test
	void aReaderCannotKeepALock() {
		assertThatIllegalArgumentException()
			.isThrownBy(() -> this.engine.acquire(reading().withMinHold(Duration.ofSeconds(1))))
			.withMessageContaining("minHold");
		assertThatIllegalArgumentException().isThrownBy(() -> this.engine.acquire(reading().withFair(true)))
			.withMessageContaining("fair");
		assertThatIllegalArgumentException().isThrownBy(() -> this.engine.acquire(reading().withPermits(2)))
			.withMessageContaining("permits");
		try (Lease reader = this.engine.acquire(reading())) {
			assertThatIllegalStateException().isThrownBy(reader::keep).withMessageContaining("WRITE");
		}
	}

	@Test
	void aStoreThatKnowsNoReadersIsNamedBeforeAnythingHappens() {
		InMemoryLockStore plain = this.server.connect("plain");
		LockEngine engine = engine((builder) -> builder.store(new ForwardingLockStore(plain)));
		assertThatIllegalArgumentException().isThrownBy(() -> engine.check(reading()))
			.withMessageContaining("knows no readers");
		assertThatIllegalArgumentException().isThrownBy(() -> engine.acquire(stock().withPermits(2)))
			.withMessageContaining("knows no permits");
		assertThatIllegalArgumentException().isThrownBy(() -> engine.acquire(stock().withFair(true)))
			.withMessageContaining("strict order");
		assertThatIllegalArgumentException().isThrownBy(() -> engine.asReadWriteLock(stock()));
		engine.check(stock());
	}

}
