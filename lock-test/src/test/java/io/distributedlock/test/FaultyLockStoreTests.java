package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.spi.StoreException;
import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class FaultyLockStoreTests {

	private static final Duration TTL = Duration.ofSeconds(10);

	private static final Duration TIMEOUT = Duration.ofMillis(100);

	private static final StoreException FAILURE = new StoreException("planned", true, true, null);

	private final LockKey key = LockKey.of("stock", 42);

	private final AttemptId one = AttemptId.random();

	private final InMemoryLockServer server = InMemoryLockServer.create();

	private final FaultyLockStore faulty = FaultyLockStore.around(this.server.connect("jvm-1"));

	private final LockStore store = this.faulty.store();

	@Test
	void hasTheCapabilitiesOfTheOriginal() {
		assertThat(this.store).isInstanceOf(QueueingLockStore.class)
			.isInstanceOf(SignallingLockStore.class)
			.isInstanceOf(InspectableLockStore.class);
		assertThat(this.store.name()).isEqualTo("memory");
		assertThat(this.store).isEqualTo(this.store).isNotEqualTo(FaultyLockStore.around(this.store).store());
	}

	@Test
	void commandsPassAndAreCountedByKind() {
		assertThat(acquire().toCompletableFuture())
			.isCompletedWithValueMatching(AcquireReply.Granted.class::isInstance);
		assertThat(release().toCompletableFuture()).isCompletedWithValue(new ReleaseReply.Released(false));
		this.store.renew(List.of());
		assertThat(this.faulty.count(CommandKind.ACQUIRE)).isOne();
		assertThat(this.faulty.count(CommandKind.RENEW)).isOne();
		assertThat(this.faulty.count(CommandKind.EXTEND)).isZero();
		assertThat(this.faulty.count()).isEqualTo(3);
		this.faulty.resetCounts();
		assertThat(this.faulty.count()).isZero();
	}

	@Test
	void aLostRequestIsNotExecutedAndTimesOut() {
		this.faulty.next(CommandKind.ACQUIRE, Fault.dropRequest());
		assertTimesOut(acquire());
		assertThat(this.server.size()).isZero();
	}

	@Test
	void aLostReplyIsExecutedAndTimesOut() {
		this.faulty.next(CommandKind.ACQUIRE, Fault.dropReply());
		assertTimesOut(acquire());
		assertThat(this.server.size()).isOne();
	}

	@Test
	void aDelayedRequestIsExecutedLate() {
		this.faulty.next(CommandKind.ACQUIRE, Fault.delay(Duration.ofMillis(20)));
		CompletableFuture<AcquireReply> reply = acquire().toCompletableFuture();
		assertThat(reply).isNotDone();
		assertThat(reply.join()).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void aCommandFailsAsPlannedBeforeOrAfterItIsExecuted() {
		this.faulty.next(CommandKind.ACQUIRE, Fault.failBefore(FAILURE), Fault.failAfter(FAILURE));
		assertThat(failure(acquire())).isSameAs(FAILURE);
		assertThat(this.server.size()).isZero();
		assertThat(failure(acquire())).isSameAs(FAILURE);
		assertThat(this.server.size()).isOne();
	}

	@Test
	void aReleaseThatIsHeldBackIsExecutedLongAfterItsCallerGaveUp() {
		acquire();
		this.faulty.next(CommandKind.RELEASE, Fault.holdBack());
		assertTimesOut(release());
		assertThat(this.server.size()).isOne();
		HeldRequest ghost = this.faulty.heldBack().get(0);
		assertThat(ghost.kind()).isEqualTo(CommandKind.RELEASE);
		assertThat(ghost.deliver()).isTrue();
		assertThat(this.server.size()).isZero();
		assertThat(ghost.deliver()).as("a second time").isFalse();
	}

	@Test
	void anAcquireThatIsHeldBackIsExecutedOnlyInItsTime() {
		this.faulty.next(CommandKind.ACQUIRE, Fault.holdBack(), Fault.holdBack());
		CompletionStage<AcquireReply> late = acquire();
		this.faulty.heldBack().get(0).expire();
		assertTimesOut(late);
		assertThat(this.faulty.heldBack().get(0).deliver()).isFalse();
		assertThat(this.server.size()).isZero();
		CompletableFuture<AcquireReply> inTime = acquire().toCompletableFuture();
		assertThat(this.faulty.heldBack().get(1).deliver()).isTrue();
		assertThat(inTime.join()).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void faultsEndWhenHealed() {
		this.faulty.next(CommandKind.ACQUIRE, Fault.failBefore(FAILURE)).otherwise((kind) -> Fault.failBefore(FAILURE));
		assertThat(failure(release())).isSameAs(FAILURE);
		this.faulty.heal();
		assertThat(acquire().toCompletableFuture().join()).isInstanceOf(AcquireReply.Granted.class);
	}

	@Test
	void signalsAreLostOnDemand() {
		List<AttemptId> reserved = new ArrayList<>();
		List<String> resumed = new ArrayList<>();
		((SignallingLockStore) this.store).subscribe(new SignalReceiver() {

			@Override
			public void reserved(String keyId, AttemptId attempt) {
				reserved.add(attempt);
			}

			@Override
			public void revoked(String keyId, AttemptId attempt) {
				throw new AssertionError("nothing is revoked here");
			}

			@Override
			public void resumed() {
				resumed.add("resumed");
			}

		});
		InMemoryLockStore other = this.server.connect("jvm-2");
		for (boolean lost : List.of(true, false)) {
			this.faulty.loseSignals(() -> lost);
			AttemptId holder = AttemptId.random();
			other.acquire(new AcquireCommand(this.key, holder, TTL, 1, false, TIMEOUT));
			((QueueingLockStore) this.store)
				.acquireOrEnqueue(new AcquireCommand(this.key, this.one, TTL, 1, false, TIMEOUT));
			other.release(new ReleaseCommand(this.key, holder, Duration.ZERO, TIMEOUT));
			assertThat(reserved).hasSize(lost ? 0 : 1);
			acquire();
			release();
		}
		this.faulty.resume();
		assertThat(resumed).hasSize(1);
	}

	private CompletionStage<AcquireReply> acquire() {
		return this.store.acquire(new AcquireCommand(this.key, this.one, TTL, 1, false, TIMEOUT));
	}

	private CompletionStage<ReleaseReply> release() {
		return this.store.release(new ReleaseCommand(this.key, this.one, Duration.ZERO, TIMEOUT));
	}

	private static void assertTimesOut(CompletionStage<?> reply) {
		await().untilAsserted(() -> assertThat(reply.toCompletableFuture()).isCompletedExceptionally());
		assertThat(failure(reply)).asInstanceOf(InstanceOfAssertFactories.type(StoreException.class))
			.satisfies((ex) -> {
				assertThat(ex.mayHaveExecuted()).isTrue();
				assertThat(ex.isRetryable()).isTrue();
			});
	}

	private static Throwable failure(CompletionStage<?> stage) {
		return stage.<Throwable>handle((reply, failure) -> failure).toCompletableFuture().join();
	}

}
