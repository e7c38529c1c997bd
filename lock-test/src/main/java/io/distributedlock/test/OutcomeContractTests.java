package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What holds when the outcome of a command is unknown. The commands get so little time
 * that on a real server some are answered, some fail before they were sent and some
 * after. {@link LockStoreContractTests} includes this suite.
 */
public interface OutcomeContractTests extends ContractBench {

	/** From too short for any server to long enough for most. */
	int TIMEOUTS = 24;

	/**
	 * Returns a time that hardly suffices.
	 * @param index from 0 to {@value #TIMEOUTS}
	 * @return the time
	 */
	static Duration scarce(int index) {
		return Duration.ofNanos(Math.round(10_000 * Math.pow(1.35, index)));
	}

	@ContractTest
	default void anAcquireWithoutAnAnswerLeavesNothingOnceItIsAbandoned() {
		Map<LockKey, AttemptId> unknown = new LinkedHashMap<>();
		for (int i = 0; i < TIMEOUTS; i++) {
			LockKey next = numbered(i);
			AttemptId attempt = AttemptId.random();
			Optional<AcquireReply> reply = StoreClient.outcome(
					client("jvm-1").store()
						.acquire(new AcquireCommand(next, attempt, StoreClient.LONG_TTL, 1, false, scarce(i))),
					scarce(i));
			reply.ifPresent((answer) -> assertThat(answer).isInstanceOf(AcquireReply.Granted.class));
			unknown.put(next, attempt);
		}
		pass(scarce(TIMEOUTS));
		client("jvm-1").awaitAnswers(key());
		unknown.forEach((next, attempt) -> client("jvm-1").abandon(next, attempt));
		pass(Duration.ofMillis(100));
		unknown.forEach((next, attempt) -> {
			AttemptId other = client("jvm-2").hold(next);
			client("jvm-1").assertHoldsNothing(next, attempt);
			client("jvm-2").assertHolds(next, other);
		});
	}

	@ContractTest
	default void aReleaseWithoutAnAnswerCanBeSentAgain() {
		for (int i = 0; i < TIMEOUTS; i++) {
			LockKey next = numbered(i);
			AttemptId attempt = client("jvm-1").hold(next);
			Optional<ReleaseReply> reply = StoreClient.outcome(
					client("jvm-1").store().release(new ReleaseCommand(next, attempt, Duration.ZERO, scarce(i))),
					scarce(i));
			reply.ifPresent((answer) -> assertThat(answer).isEqualTo(new ReleaseReply.Released(false)));
			client("jvm-1").awaitAnswers(key());
			assertThat(client("jvm-1").release(next, attempt)).isIn(new ReleaseReply.Released(false),
					new ReleaseReply.NotOwner());
			AttemptId other = client("jvm-2").hold(next);
			pass(scarce(i).plusMillis(1));
			client("jvm-2").assertHolds(next, other);
		}
	}

	@ContractTest
	default void aRenewalWithoutAnAnswerIsReportedAsFailedAndHarmsNothing() {
		AttemptId attempt = client("jvm-1").hold(key());
		for (int i = 0; i < TIMEOUTS; i++) {
			Optional<List<RenewReply>> replies = StoreClient.outcome(client("jvm-1").store()
				.renew(List.of(new RenewCommand(key(), attempt, StoreClient.LONG_TTL, scarce(i)))), scarce(i));
			replies
				.ifPresent((answers) -> assertThat(answers).singleElement().isNotInstanceOf(RenewReply.NotOwner.class));
		}
		client("jvm-1").awaitAnswers(key());
		client("jvm-1").assertHolds(key(), attempt);
	}

	@ContractTest
	default void whatIsUnderWayWhenAStoreIsClosedIsAnsweredAllTheSame() {
		LockStore store = closing("jvm-8");
		List<CompletionStage<AcquireReply>> replies = new ArrayList<>();
		for (int i = 0; i < 32; i++) {
			replies.add(store.acquire(new AcquireCommand(numbered(i), AttemptId.random(), Duration.ofSeconds(1), 1,
					false, Duration.ofSeconds(1))));
		}
		store.close();
		replies.forEach((reply) -> StoreClient.outcome(reply, Duration.ofSeconds(1)));
		Optional<AcquireReply> late = StoreClient.outcome(store.acquire(
				new AcquireCommand(key(), AttemptId.random(), Duration.ofSeconds(1), 1, false, Duration.ofSeconds(1))),
				Duration.ofSeconds(1));
		assertThat(late).as("answer of a store that is closed").isEmpty();
	}

	@ContractTest
	default void aFailureTellsWhatIsKnownOfIt() {
		LockStore store = closing("jvm-8");
		store.close();
		List<Throwable> failures = new ArrayList<>();
		store
			.acquire(new AcquireCommand(key(), AttemptId.random(), Duration.ofSeconds(1), 1, false,
					Duration.ofSeconds(1)))
			.whenComplete((reply, failure) -> failures.add(failure));
		assertThat(failures).singleElement().isInstanceOfSatisfying(StoreException.class, (failure) -> {
			assertThat(failure.getMessage()).isNotBlank();
			assertThat(failure.mayHaveExecuted()).as("may have been executed").isFalse();
		});
	}

	/**
	 * Connects a JVM whose store the test closes itself.
	 * @param instance what it is called
	 * @return a new store
	 */
	LockStore closing(String instance);

	private LockKey numbered(int number) {
		return LockKey.of("contract", key().parts().get(0), "unknown", number);
	}

}
