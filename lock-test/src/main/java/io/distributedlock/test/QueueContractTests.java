package io.distributedlock.test;

import java.time.Duration;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a {@link QueueingLockStore} must do. None of these tests needs a signal to arrive:
 * waiters ask again, as they must when signals are lost.
 */
public interface QueueContractTests extends ContractBench {

	@ContractTest
	default void waitersAreServedInTheOrderOfTheirArrival() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueue(key());
		AttemptId second = client("jvm-3").enqueue(key());
		assertThat(client("jvm-1").release(key(), holder)).isEqualTo(new ReleaseReply.Released(true));
		assertRefused(client("jvm-3"), second);
		assertGranted(client("jvm-2"), first);
		assertThat(client("jvm-2").release(key(), first)).isEqualTo(new ReleaseReply.Released(true));
		assertGranted(client("jvm-3"), second);
		assertThat(client("jvm-3").release(key(), second)).isEqualTo(new ReleaseReply.Released(false));
	}

	@ContractTest
	default void aReleasedLockIsKeptForTheFirstWaiter() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		client("jvm-1").release(key(), holder);
		pass(reservation().dividedBy(4));
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertThat(client("jvm-1").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		client("jvm-2").assertHoldsNothing(key(), waiter);
		assertThat(client("jvm-2").acquireAgain(key(), waiter, StoreClient.LONG_TTL, 1)).as("claim")
			.isInstanceOf(Granted.class);
		client("jvm-2").assertHolds(key(), waiter);
	}

	@ContractTest
	default void aClaimHasItsFullTtlAndAHigherToken() {
		AttemptId holder = AttemptId.random();
		Granted before = (Granted) client("jvm-1").acquire(key(), holder, StoreClient.LONG_TTL, 5);
		AttemptId waiter = client("jvm-2").enqueue(key());
		client("jvm-1").release(key(), holder);
		pass(reservation().dividedBy(4));
		long sent = startClock();
		Granted claimed = (Granted) client("jvm-2").acquireAgain(key(), waiter, shortTtl(), 5);
		assertThat(claimed.firstToken()).isGreaterThanOrEqualTo(before.firstToken() + before.tokens());
		acquireWhenFree(client("jvm-3"), key(), shortTtl(), sent);
	}

	@ContractTest
	default void aReservationExpiresAndThenAnybodyGetsTheLock() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId late = client("jvm-2").enqueue(key());
		long sent = startClock();
		client("jvm-1").release(key(), holder);
		AttemptId next = acquireWhenFree(client("jvm-3"), key(), reservation(), sent);
		assertRefused(client("jvm-2"), late);
		client("jvm-3").assertHolds(key(), next);
	}

	@ContractTest
	default void aWaiterWhoseSignalWasLostIsServedWhenItAsksAgain() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		client("jvm-1").release(key(), holder);
		pass(reservation().multipliedBy(2).dividedBy(5));
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertGranted(client("jvm-2"), waiter);
	}

	@ContractTest
	default void aWaiterThatDoesNotAskAgainIsSkipped() {
		AttemptId holder = client("jvm-1").hold(key());
		client("jvm-2").enqueue(key());
		AttemptId living = client("jvm-3").enqueue(key());
		askAgainFor(queueEntryTtl().plus(expirySlack()), client("jvm-3"), living);
		client("jvm-1").release(key(), holder);
		assertGranted(client("jvm-3"), living);
	}

	@ContractTest
	default void aWaiterThatDiesWithAReservationHoldsUpTheOthersNoLongerThanThat() {
		AttemptId holder = client("jvm-1").hold(key());
		client("jvm-2").enqueue(key());
		AttemptId living = client("jvm-3").enqueue(key());
		long sent = startClock();
		client("jvm-1").release(key(), holder);
		askUntilGranted(() -> client("jvm-3").queueAgain(key(), living), reservation(), sent);
		client("jvm-3").assertHolds(key(), living);
	}

	@ContractTest
	default void aLockThatExpiredGoesToAWaiterThatAsks() {
		client("jvm-1").hold(key(), shortTtl());
		AttemptId first = client("jvm-2").enqueue(key());
		AttemptId second = client("jvm-3").enqueue(key());
		long sent = startClock();
		askUntilGranted(() -> {
			AcquireReply reply = client("jvm-3").queueAgain(key(), second);
			return (reply instanceof Refused) ? client("jvm-2").queueAgain(key(), first) : reply;
		}, shortTtl(), sent);
	}

	@ContractTest
	default void aWaiterThatAsksAgainKeepsItsPlace() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueue(key());
		client("jvm-3").enqueue(key());
		assertRefused(client("jvm-2"), first);
		client("jvm-1").release(key(), holder);
		assertGranted(client("jvm-2"), first);
	}

	@ContractTest
	default void aNewerAttemptTakesThePlaceOfTheOlderOne() {
		AttemptId holder = client("jvm-1").hold(key());
		client("jvm-2").enqueue(key());
		AttemptId other = client("jvm-3").enqueue(key());
		AttemptId newer = client("jvm-2").enqueue(key());
		assertThat(client("jvm-1").release(key(), holder)).isEqualTo(new ReleaseReply.Released(true));
		assertRefused(client("jvm-3"), other);
		assertGranted(client("jvm-2"), newer);
		assertThat(client("jvm-2").release(key(), newer)).isEqualTo(new ReleaseReply.Released(true));
		assertGranted(client("jvm-3"), other);
		assertThat(client("jvm-3").release(key(), other)).as("the older attempt has no place any more")
			.isEqualTo(new ReleaseReply.Released(false));
	}

	@ContractTest
	default void oneTryLeavesNoPlaceInTheQueue() {
		AttemptId holder = client("jvm-1").hold(key());
		assertThat(client("jvm-2").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertThat(client("jvm-1").release(key(), holder)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-3").hold(key());
	}

	@ContractTest
	default void aGrantLeavesNoPlaceInTheQueue() {
		long sent = startClock();
		client("jvm-1").hold(key(), shortTtl());
		AttemptId waiter = client("jvm-2").enqueue(key());
		askUntilGranted(() -> client("jvm-2").queueAgain(key(), waiter), shortTtl(), sent);
		assertThat(client("jvm-2").release(key(), waiter)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-3").hold(key());
	}

	@ContractTest
	default void anAbandonedGrantGoesToTheFirstWaiter() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		client("jvm-1").abandon(key(), holder);
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertGranted(client("jvm-2"), waiter);
	}

	@ContractTest
	default void anAbandonedReservationGoesToTheNextWaiter() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueue(key());
		AttemptId second = client("jvm-3").enqueue(key());
		client("jvm-1").release(key(), holder);
		client("jvm-2").abandon(key(), first);
		assertThat(client("jvm-1").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertGranted(client("jvm-3"), second);
		client("jvm-2").assertHoldsNothing(key(), first);
	}

	@ContractTest
	default void anAbandonedReservationThatNobodyElseWaitsForIsFree() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		client("jvm-1").release(key(), holder);
		client("jvm-2").abandon(key(), waiter);
		client("jvm-3").hold(key());
	}

	@ContractTest
	default void anAbandonedPlaceIsNotServed() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		client("jvm-2").abandon(key(), waiter);
		client("jvm-1").assertHolds(key(), holder);
		assertThat(client("jvm-1").release(key(), holder)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-3").hold(key());
	}

	@ContractTest
	default void abandoningAnOlderAttemptLeavesTheNewerOneItsPlace() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId older = client("jvm-2").enqueue(key());
		AttemptId newer = client("jvm-2").enqueue(key());
		client("jvm-2").abandon(key(), older);
		assertThat(client("jvm-1").release(key(), holder)).isEqualTo(new ReleaseReply.Released(true));
		assertGranted(client("jvm-2"), newer);
	}

	@ContractTest
	default void noWaiterIsServedBeforeAKeptLockIsFree() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		long sent = startClock();
		assertThat(client("jvm-1").release(key(), holder, shortTtl())).isEqualTo(new ReleaseReply.Released(false));
		askUntilGranted(() -> client("jvm-2").queueAgain(key(), waiter), shortTtl(), sent);
		assertThat(Duration.ofNanos(nanoTime() - sent))
			.isGreaterThanOrEqualTo(shortTtl().minus(shortTtl().dividedBy(100)).minusMillis(2));
	}

	@ContractTest
	default void aReleaseWithASuccessorGivesItTheLockIfNobodyElseWaits() {
		AttemptId holder = AttemptId.random();
		Granted before = (Granted) client("jvm-1").acquire(key(), holder, shortTtl(), 5);
		AttemptId successor = AttemptId.random();
		ReleaseReply reply = client("jvm-1").releaseAndQueue(key(), holder, successor);
		assertThat(reply).isInstanceOfSatisfying(ReleaseReply.Succeeded.class, (succeeded) -> {
			assertThat(succeeded.firstToken()).isGreaterThanOrEqualTo(before.firstToken() + before.tokens());
			assertThat(succeeded.tokens()).isBetween(1, 3);
		});
		client("jvm-1").assertHoldsNothing(key(), holder);
		assertThat(client("jvm-1").releaseAndQueue(key(), holder, successor)).as("sent again").isEqualTo(reply);
		pass(shortTtl().plus(expirySlack()));
		client("jvm-1").assertHolds(key(), successor);
		assertThat(client("jvm-1").release(key(), successor)).isEqualTo(new ReleaseReply.Released(false));
	}

	@ContractTest
	default void aReleaseWithASuccessorPutsItBehindTheOthers() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueue(key());
		AttemptId second = client("jvm-3").enqueue(key());
		AttemptId successor = AttemptId.random();
		assertThat(client("jvm-1").releaseAndQueue(key(), holder, successor)).isInstanceOf(ReleaseReply.Queued.class);
		client("jvm-1").assertHoldsNothing(key(), holder);
		assertRefused(client("jvm-1"), successor);
		assertRefused(client("jvm-3"), second);
		assertGranted(client("jvm-2"), first);
		client("jvm-2").release(key(), first);
		assertGranted(client("jvm-3"), second);
		assertThat(client("jvm-3").release(key(), second)).isEqualTo(new ReleaseReply.Released(true));
		assertGranted(client("jvm-1"), successor);
		assertThat(client("jvm-1").release(key(), successor)).isEqualTo(new ReleaseReply.Released(false));
	}

	@ContractTest
	default void aReleaseOfAnEndedGrantGivesItsSuccessorNothing() {
		AttemptId ended = client("jvm-1").hold(key());
		client("jvm-1").release(key(), ended);
		AttemptId successor = AttemptId.random();
		assertThat(client("jvm-1").releaseAndQueue(key(), ended, successor)).isEqualTo(new ReleaseReply.NotOwner());
		client("jvm-1").assertHoldsNothing(key(), successor);
		AttemptId next = client("jvm-2").hold(key());
		assertThat(client("jvm-1").releaseAndQueue(key(), ended, successor)).isEqualTo(new ReleaseReply.NotOwner());
		assertThat(client("jvm-2").release(key(), next)).isEqualTo(new ReleaseReply.Released(false));
	}

	@ContractTest
	default void aGrantThatOthersWaitForYields() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		assertThat(client("jvm-1").extend(key(), holder, StoreClient.LONG_TTL, 10)).isEqualTo(new ExtendReply.Yield());
		client("jvm-1").assertHolds(key(), holder);
		client("jvm-2").abandon(key(), waiter);
		assertThat(client("jvm-1").extend(key(), holder, StoreClient.LONG_TTL, 10))
			.isInstanceOf(ExtendReply.Extended.class);
	}

	@ContractTest
	default void aWaiterWithoutAnAnswerHasNoPlaceOnceItIsAbandoned() {
		for (int i = 0; i < OutcomeContractTests.TIMEOUTS; i++) {
			LockKey next = LockKey.of("contract", key().parts().get(0), "unknown", i);
			Duration scarce = OutcomeContractTests.scarce(i);
			AttemptId holder = client("jvm-1").hold(next);
			AttemptId waiter = AttemptId.random();
			StoreClient.outcome(((QueueingLockStore) client("jvm-2").store())
				.acquireOrEnqueue(new AcquireCommand(next, waiter, StoreClient.LONG_TTL, 1, false, scarce)), scarce);
			pass(scarce.plusMillis(1));
			client("jvm-2").abandon(next, waiter);
			assertThat(client("jvm-1").release(next, holder)).as("release with nobody in the queue")
				.isEqualTo(new ReleaseReply.Released(false));
			client("jvm-2").assertHoldsNothing(next, waiter);
		}
	}

	@ContractTest
	default void aReleaseWithASuccessorAndWithoutAnAnswerLeavesNothingOnceBothAreGivenUp() {
		for (int i = 0; i < OutcomeContractTests.TIMEOUTS; i++) {
			LockKey next = LockKey.of("contract", key().parts().get(0), "unknown", i);
			Duration scarce = OutcomeContractTests.scarce(i);
			AttemptId holder = client("jvm-1").hold(next);
			AttemptId successor = AttemptId.random();
			StoreClient.outcome(((QueueingLockStore) client("jvm-1").store()).releaseAndEnqueue(
					new ReleaseCommand(next, holder, Duration.ZERO, scarce),
					new QueueingLockStore.Successor(successor, StoreClient.LONG_TTL, 3)), scarce);
			pass(scarce.plusMillis(1));
			client("jvm-1").abandon(next, holder);
			client("jvm-1").abandon(next, successor);
			AttemptId other = client("jvm-2").hold(next);
			client("jvm-1").assertHoldsNothing(next, successor);
			client("jvm-2").assertHolds(next, other);
		}
	}

	@ContractTest
	default void aManyTimesContendedLockIsServedRoundRobin() {
		LockKey key = key();
		StoreClient[] clients = { client("jvm-1"), client("jvm-2"), client("jvm-3") };
		AttemptId[] attempts = { clients[0].hold(key), clients[1].enqueue(key), clients[2].enqueue(key) };
		for (int i = 0; i < 30; i++) {
			int holder = i % 3;
			AttemptId next = AttemptId.random();
			assertThat(clients[holder].releaseAndQueue(key, attempts[holder], next))
				.isInstanceOf(ReleaseReply.Queued.class);
			attempts[holder] = next;
			int served = (i + 1) % 3;
			assertThat(clients[served].queueAgain(key, attempts[served])).as("turn %s", i).isInstanceOf(Granted.class);
		}
	}

	private Duration reservation() {
		return ((QueueingLockStore) client("jvm-1").store()).reservation();
	}

	private void assertGranted(StoreClient client, AttemptId attempt) {
		assertThat(client.queueAgain(key(), attempt)).as("%s asks again", client).isInstanceOf(Granted.class);
	}

	private void assertRefused(StoreClient client, AttemptId attempt) {
		assertThat(client.queueAgain(key(), attempt)).as("%s asks again", client).isInstanceOf(Refused.class);
	}

	private void askAgainFor(Duration time, StoreClient client, AttemptId attempt) {
		long since = nanoTime();
		while (Duration.ofNanos(nanoTime() - since).compareTo(time) < 0) {
			assertRefused(client, attempt);
			pass(queueEntryTtl().dividedBy(6));
		}
	}

}
