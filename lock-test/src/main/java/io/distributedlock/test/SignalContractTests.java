package io.distributedlock.test;

import java.time.Duration;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.test.StoreClient.Signal;
import org.awaitility.Awaitility;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a {@link io.distributedlock.spi.SignallingLockStore} with a queue must do when
 * nothing fails. That signals may be lost is the subject of {@link QueueContractTests}.
 */
public interface SignalContractTests extends QueueContractTests {

	@ContractTest
	default void theFirstWaiterIsToldOfItsReservationAndNobodyElse() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueue(key());
		AttemptId second = client("jvm-3").enqueue(key());
		client("jvm-1").release(key(), holder);
		awaitSignal(client("jvm-2"), Signal.reserved(key(), first));
		client("jvm-2").acquireAgain(key(), first, StoreClient.LONG_TTL, 1);
		client("jvm-2").release(key(), first);
		awaitSignal(client("jvm-3"), Signal.reserved(key(), second));
		assertThat(client("jvm-1").signals()).isEmpty();
		assertThat(client("jvm-2").signals()).doesNotContain(Signal.reserved(key(), second));
		assertThat(client("jvm-3").signals()).doesNotContain(Signal.reserved(key(), first));
	}

	@ContractTest
	default void aSignalNamesTheLatestAttempt() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId older = client("jvm-2").enqueue(key());
		AttemptId newer = client("jvm-2").enqueue(key());
		client("jvm-1").release(key(), holder);
		awaitSignal(client("jvm-2"), Signal.reserved(key(), newer));
		assertThat(client("jvm-2").signals()).doesNotContain(Signal.reserved(key(), older));
	}

	@ContractTest
	default void aSignalIsNoGrant() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		client("jvm-1").release(key(), holder);
		awaitSignal(client("jvm-2"), Signal.reserved(key(), waiter));
		client("jvm-2").assertHoldsNothing(key(), waiter);
	}

	@ContractTest
	default void whoeverIsNextAfterAnAbandonedReservationIsTold() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueue(key());
		AttemptId second = client("jvm-3").enqueue(key());
		client("jvm-1").release(key(), holder);
		client("jvm-2").abandon(key(), first);
		awaitSignal(client("jvm-3"), Signal.reserved(key(), second));
	}

	@ContractTest
	default void aSuccessorIsToldWhenItsTurnHasCome() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId waiter = client("jvm-2").enqueue(key());
		AttemptId successor = AttemptId.random();
		client("jvm-1").releaseAndQueue(key(), holder, successor);
		awaitSignal(client("jvm-2"), Signal.reserved(key(), waiter));
		client("jvm-2").acquireAgain(key(), waiter, StoreClient.LONG_TTL, 1);
		client("jvm-2").release(key(), waiter);
		awaitSignal(client("jvm-1"), Signal.reserved(key(), successor));
	}

	private static void awaitSignal(StoreClient client, Signal signal) {
		Awaitility.await()
			.pollInterval(Duration.ofMillis(2))
			.untilAsserted(() -> assertThat(client.signals()).as("signals of %s", client).contains(signal));
	}

}
