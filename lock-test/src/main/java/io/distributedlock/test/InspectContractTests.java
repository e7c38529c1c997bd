package io.distributedlock.test;

import java.time.Duration;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.test.StoreClient.Signal;
import org.awaitility.Awaitility;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What an {@link io.distributedlock.spi.InspectableLockStore} must do.
 */
public interface InspectContractTests extends ContractBench {

	@ContractTest
	default void nothingIsKnownOfALockThatNobodyUses() {
		assertThat(client("jvm-1").inspect(key())).isEmpty();
		AttemptId attempt = client("jvm-1").hold(key());
		client("jvm-1").release(key(), attempt);
		assertThat(client("jvm-2").inspect(key())).isEmpty();
	}

	@ContractTest
	default void aHeldLockIsShownWithItsHolderItsTokensAndItsTime() {
		AttemptId attempt = AttemptId.random();
		Granted granted = (Granted) client("jvm-1").acquire(key(), attempt, Duration.ofSeconds(20), 5);
		assertThat(client("jvm-2").inspect(key())).hasValueSatisfying((lock) -> {
			assertThat(lock.key()).isEqualTo(key());
			assertThat(lock.store()).isEqualTo(client("jvm-2").store().name());
			assertThat(lock.state()).isEqualTo(State.HELD);
			assertThat(lock.instance()).isEqualTo(client("jvm-1").instance());
			assertThat(lock.firstToken()).isEqualTo(granted.firstToken());
			assertThat(lock.lastToken()).isEqualTo(granted.firstToken() + granted.tokens() - 1);
			assertThat(lock.remaining()).isPositive().isLessThanOrEqualTo(Duration.ofSeconds(20));
			assertThat(lock.queue()).isEmpty();
		});
	}

	@ContractTest
	default void aKeptLockIsShownAsCooling() {
		AttemptId attempt = client("jvm-1").hold(key());
		client("jvm-1").release(key(), attempt, Duration.ofSeconds(20));
		assertThat(client("jvm-2").inspect(key())).hasValueSatisfying((lock) -> {
			assertThat(lock.state()).isEqualTo(State.COOLING);
			assertThat(lock.instance()).isNull();
			assertThat(lock.firstToken()).isZero();
			assertThat(lock.lastToken()).isZero();
			assertThat(lock.remaining()).isPositive().isLessThanOrEqualTo(Duration.ofSeconds(20));
		});
	}

	@ContractTest
	default void lookingChangesNothing() {
		long sent = startClock();
		AttemptId attempt = client("jvm-1").hold(key(), shortTtl());
		assertThat(client("jvm-2").inspect(key())).isPresent();
		assertThat(client("jvm-1").inspect(key()).map(StoredLock::state)).contains(State.HELD);
		acquireWhenFree(client("jvm-2"), key(), shortTtl(), sent);
		client("jvm-1").assertHoldsNothing(key(), attempt);
	}

	@ContractTest
	default void aForcedReleaseNeedsATokenOfTheGrant() {
		AttemptId attempt = AttemptId.random();
		Granted granted = (Granted) client("jvm-1").acquire(key(), attempt, StoreClient.LONG_TTL, 5);
		assertThat(client("jvm-2").forceRelease(key(), granted.firstToken() - 1)).isFalse();
		assertThat(client("jvm-2").forceRelease(key(), granted.firstToken() + granted.tokens() + 1000)).isFalse();
		assertThat(client("jvm-2").forceRelease(key(), 0)).isFalse();
		client("jvm-1").assertHolds(key(), attempt);
		assertThat(client("jvm-2").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
	}

	@ContractTest
	default void aForcedReleaseEndsTheGrant() {
		AttemptId attempt = AttemptId.random();
		Granted granted = (Granted) client("jvm-1").acquire(key(), attempt, StoreClient.LONG_TTL, 5);
		assertThat(client("jvm-2").forceRelease(key(), granted.firstToken() + granted.tokens() - 1)).isTrue();
		client("jvm-1").assertHoldsNothing(key(), attempt);
		assertThat(client("jvm-2").forceRelease(key(), granted.firstToken())).as("a second time").isFalse();
		client("jvm-2").hold(key());
	}

	@ContractTest
	default void aForcedReleaseAcceptsTokensThatTheGrantGotLater() {
		AttemptId attempt = client("jvm-1").hold(key());
		ExtendReply.Extended more = (ExtendReply.Extended) client("jvm-1").extend(key(), attempt, StoreClient.LONG_TTL,
				5);
		assertThat(client("jvm-2").inspect(key()).map(StoredLock::lastToken))
			.contains(more.firstToken() + more.tokens() - 1);
		assertThat(client("jvm-2").forceRelease(key(), more.firstToken())).isTrue();
		client("jvm-1").assertHoldsNothing(key(), attempt);
	}

	@ContractTest
	default void theHolderIsToldOfAForcedRelease() {
		AttemptId attempt = AttemptId.random();
		Granted granted = (Granted) client("jvm-1").acquire(key(), attempt);
		client("jvm-2").forceRelease(key(), granted.firstToken());
		if (client("jvm-1").store() instanceof SignallingLockStore) {
			Awaitility.await()
				.untilAsserted(() -> assertThat(client("jvm-1").signals()).contains(Signal.revoked(key(), attempt)));
		}
		// Without signals it is told by its next renewal.
		client("jvm-1").assertHoldsNothing(key(), attempt);
	}

}
