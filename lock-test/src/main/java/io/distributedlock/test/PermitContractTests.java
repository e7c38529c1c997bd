package io.distributedlock.test;

import java.time.Duration;
import java.util.List;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredShare;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.SharedLockStore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * What a {@link SharedLockStore} must do for holders of permits: a semaphore, each of
 * whose holders has a lease of its own.
 */
public interface PermitContractTests extends ContractBench {

	/** Two may be in. */
	Share TWO = new Share.Permits(2);

	@ContractTest
	default void asManyAsThereArePermitsHoldTheLockAtOnce() {
		AttemptId first = client("jvm-1").holdShare(key(), TWO);
		AttemptId second = client("jvm-1").holdShare(key(), TWO);
		assertThat(client("jvm-2").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
		assertThat(client("jvm-1").releaseShare(key(), first)).isEqualTo(new ReleaseReply.Released(false));
		AttemptId third = client("jvm-2").holdShare(key(), TWO);
		assertThat(client("jvm-3").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
		client("jvm-1").assertHoldsShare(key(), second);
		client("jvm-2").assertHoldsShare(key(), third);
	}

	@ContractTest
	default void permitsNeitherGoWithAnOwnerWhoIsAloneNorWithReaders() {
		AttemptId permit = client("jvm-1").holdShare(key(), TWO);
		assertThat(client("jvm-2").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").share(key(), AttemptId.random(), Share.READERS, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
		client("jvm-1").releaseShare(key(), permit);
		AttemptId reader = client("jvm-2").holdShare(key(), Share.READERS);
		assertThat(client("jvm-1").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
		client("jvm-2").releaseShare(key(), reader);
		client("jvm-2").hold(key());
		assertThat(client("jvm-1").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
	}

	@ContractTest
	default void eachPermitHasATokenOfItsOwnAndTokensRise() {
		Granted first = (Granted) client("jvm-1").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL);
		Granted second = (Granted) client("jvm-2").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL);
		assertThat(second.firstToken()).isGreaterThan(first.firstToken());
		assertThat(second.tokens()).isOne();
	}

	@ContractTest
	default void aPermitAskedForAgainIsTheSame() {
		AttemptId attempt = AttemptId.random();
		AcquireReply first = client("jvm-1").share(key(), attempt, TWO, StoreClient.LONG_TTL);
		assertThat(client("jvm-1").share(key(), attempt, TWO, StoreClient.LONG_TTL)).isEqualTo(first);
		client("jvm-2").holdShare(key(), TWO);
	}

	@ContractTest
	default void aPermitThatExpiredIsFree() {
		AttemptId living = client("jvm-1").holdShare(key(), TWO);
		AttemptId dead = client("jvm-1").holdShare(key(), TWO, shortTtl());
		long since = nanoTime();
		AttemptId next = AttemptId.random();
		askUntilGranted(() -> client("jvm-2").share(key(), next, TWO, StoreClient.LONG_TTL), shortTtl(), since);
		client("jvm-1").assertHoldsShare(key(), living);
		client("jvm-1").assertHoldsNoShare(key(), dead);
		client("jvm-2").assertHoldsShare(key(), next);
	}

	@ContractTest
	default void waitersForAPermitAreServedInOrderEachWithItsOwnPlace() {
		AttemptId first = client("jvm-1").holdShare(key(), TWO);
		AttemptId second = client("jvm-1").holdShare(key(), TWO);
		AttemptId third = client("jvm-2").enqueueForShare(key(), TWO);
		AttemptId fourth = client("jvm-2").enqueueForShare(key(), TWO);
		AttemptId fifth = client("jvm-3").enqueueForShare(key(), TWO);
		assertThat(client("jvm-1").releaseShare(key(), first)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-2").queueForShare(key(), fourth, TWO)).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").queueForShare(key(), third, TWO)).isInstanceOf(Granted.class);
		client("jvm-1").releaseShare(key(), second);
		assertThat(client("jvm-3").queueForShare(key(), fifth, TWO)).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").queueForShare(key(), fourth, TWO)).isInstanceOf(Granted.class);
		client("jvm-2").releaseShare(key(), third);
		assertThat(client("jvm-3").queueForShare(key(), fifth, TWO)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void aPermitThatIsKeptStaysTakenByNobodyForThatTime() {
		AttemptId kept = client("jvm-1").holdShare(key(), TWO);
		client("jvm-1").holdShare(key(), TWO);
		long since = startClock();
		assertThat(client("jvm-1").releaseShare(key(), kept, shortTtl())).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-1").assertHoldsNoShare(key(), kept);
		AttemptId next = AttemptId.random();
		askUntilGranted(() -> client("jvm-2").share(key(), next, TWO, StoreClient.LONG_TTL), shortTtl(), since);
		assertThat(Duration.ofNanos(nanoTime() - since))
			.isGreaterThanOrEqualTo(shortTtl().minus(shortTtl().dividedBy(100)).minusMillis(2));
	}

	@ContractTest
	default void aReservedPermitThatNobodyClaimsGoesToTheNext() {
		AttemptId first = client("jvm-1").holdShare(key(), TWO);
		client("jvm-1").holdShare(key(), TWO);
		client("jvm-2").enqueueForShare(key(), TWO);
		AttemptId living = client("jvm-3").enqueueForShare(key(), TWO);
		long sent = startClock();
		client("jvm-1").releaseShare(key(), first);
		Duration reservation = ((SharedLockStore) client("jvm-1").store()).reservation();
		askUntilGranted(() -> client("jvm-3").queueForShare(key(), living, TWO), reservation, sent);
		client("jvm-3").assertHoldsShare(key(), living);
	}

	@ContractTest
	default void oneWhoWantsToBeAloneIsServedWhenAllPermitsAreBack() {
		AttemptId first = client("jvm-1").holdShare(key(), TWO);
		AttemptId second = client("jvm-1").holdShare(key(), TWO);
		AttemptId alone = client("jvm-2").enqueue(key());
		client("jvm-1").releaseShare(key(), first);
		assertThat(client("jvm-3").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL)).as("newcomer")
			.isInstanceOf(Refused.class);
		assertThat(client("jvm-2").queueAgain(key(), alone)).isInstanceOf(Refused.class);
		assertThat(client("jvm-1").releaseShare(key(), second)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-2").queueAgain(key(), alone)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void anAbandonedPermitGoesToTheNext() {
		AttemptId first = client("jvm-1").holdShare(key(), TWO);
		client("jvm-1").holdShare(key(), TWO);
		AttemptId waiting = client("jvm-2").enqueueForShare(key(), TWO);
		client("jvm-1").abandonShare(key(), first);
		assertThat(client("jvm-3").share(key(), AttemptId.random(), TWO, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
		assertThat(client("jvm-2").queueForShare(key(), waiting, TWO)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void aPermitCanBeEndedByForceAndTheOthersStay() {
		assumeThat(client("jvm-1").store()).isInstanceOf(InspectableLockStore.class);
		AttemptId first = AttemptId.random();
		Granted granted = (Granted) client("jvm-1").share(key(), first, TWO, StoreClient.LONG_TTL);
		AttemptId second = client("jvm-2").holdShare(key(), TWO);
		StoredLock seen = client("jvm-3").inspect(key()).orElseThrow();
		assertThat(seen.shares()).extracting(StoredShare::instance)
			.containsExactlyInAnyOrder(client("jvm-1").instance(), client("jvm-2").instance());
		assertThat(client("jvm-3").forceRelease(key(), granted.firstToken())).isTrue();
		client("jvm-1").assertHoldsNoShare(key(), first);
		client("jvm-2").assertHoldsShare(key(), second);
	}

}
