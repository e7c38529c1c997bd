package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.ReleaseReply;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a {@link FairLockStore} must do: strict order over all callers of all JVMs (rule
 * S4).
 */
public interface FairContractTests extends ContractBench {

	@ContractTest
	default void ofSeveralCallersTheFirstGetsAFreeLock() {
		AttemptId first = AttemptId.random();
		AttemptId second = AttemptId.random();
		List<AcquireReply> replies = client("jvm-1").line(key(), first, second);
		assertThat(replies.get(0)).isInstanceOf(Granted.class);
		assertThat(replies.get(1)).isInstanceOf(Refused.class);
		client("jvm-1").assertHolds(key(), first);
		client("jvm-1").assertHoldsNothing(key(), second);
	}

	@ContractTest
	default void callersOfSeveralJvmsAreServedInTheOrderInWhichTheyCame() {
		AttemptId holder = AttemptId.random();
		AttemptId first = AttemptId.random();
		AttemptId second = AttemptId.random();
		AttemptId third = AttemptId.random();
		client("jvm-1").line(key(), holder);
		client("jvm-2").line(key(), first);
		client("jvm-3").line(key(), second);
		client("jvm-2").line(key(), third);
		assertThat(client("jvm-1").releaseInLine(key(), holder)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-3").line(key(), second)).singleElement().isInstanceOf(Refused.class);
		List<AcquireReply> replies = client("jvm-2").line(key(), first, third);
		assertThat(replies.get(0)).isInstanceOf(Granted.class);
		assertThat(replies.get(1)).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").releaseInLine(key(), first)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-3").line(key(), second)).singleElement().isInstanceOf(Granted.class);
		assertThat(client("jvm-3").releaseInLine(key(), second)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-2").line(key(), third)).singleElement().isInstanceOf(Granted.class);
		assertThat(client("jvm-2").releaseInLine(key(), third)).isEqualTo(new ReleaseReply.Released(false));
	}

	@ContractTest
	default void theNextCallerOfTheSameJvmHasTheLockWithTheAnswerToTheRelease() {
		AttemptId holder = AttemptId.random();
		AttemptId next = AttemptId.random();
		AttemptId last = AttemptId.random();
		Granted before = (Granted) client("jvm-1").line(key(), holder, next).get(0);
		client("jvm-2").line(key(), last);
		ReleaseReply reply = client("jvm-1").releaseInLine(key(), holder);
		assertThat(reply).isInstanceOfSatisfying(ReleaseReply.Passed.class, (passed) -> {
			assertThat(passed.attempt()).isEqualTo(next);
			assertThat(passed.token()).isGreaterThan(before.firstToken());
		});
		client("jvm-1").assertHolds(key(), next);
		client("jvm-1").assertHoldsNothing(key(), holder);
		assertThat(client("jvm-1").releaseInLine(key(), next)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-2").line(key(), last)).singleElement().isInstanceOf(Granted.class);
	}

	@ContractTest
	default void aReleasePassesTheLockToNobodyWhoDidNotAskForStrictOrder() {
		AttemptId holder = AttemptId.random();
		client("jvm-1").line(key(), holder);
		AttemptId plain = client("jvm-1").enqueue(key());
		assertThat(client("jvm-1").releaseInLine(key(), holder)).isEqualTo(new ReleaseReply.Released(true));
		client("jvm-1").assertHoldsNothing(key(), plain);
		assertThat(client("jvm-1").queueAgain(key(), plain)).isInstanceOf(Granted.class);
		client("jvm-1").assertHolds(key(), plain);
	}

	@ContractTest
	default void aNewcomerWaitsBehindThoseThatWait() {
		AttemptId holder = client("jvm-1").hold(key(), shortTtl());
		AttemptId waiting = AttemptId.random();
		client("jvm-2").line(key(), waiting);
		client("jvm-1").assertHolds(key(), holder);
		client("jvm-1").release(key(), holder);
		assertThat(client("jvm-3").line(key(), AttemptId.random())).singleElement().isInstanceOf(Refused.class);
		assertThat(client("jvm-2").line(key(), waiting)).singleElement().isInstanceOf(Granted.class);
	}

	@ContractTest
	default void whenTheHolderDiesTheFirstIsServedNotTheOneThatAsksFirst() {
		long sent = startClock();
		client("jvm-1").hold(key(), shortTtl());
		AttemptId first = AttemptId.random();
		AttemptId second = AttemptId.random();
		client("jvm-2").line(key(), first);
		client("jvm-3").line(key(), second);
		askUntilGranted(() -> {
			assertThat(client("jvm-3").line(key(), second)).singleElement().isInstanceOf(Refused.class);
			return client("jvm-2").line(key(), first).get(0);
		}, shortTtl(), sent);
		client("jvm-2").assertHolds(key(), first);
	}

	@ContractTest
	default void aCallerThatDiedInTheQueueIsSkipped() {
		AttemptId holder = AttemptId.random();
		AttemptId dead = AttemptId.random();
		AttemptId living = AttemptId.random();
		client("jvm-1").line(key(), holder);
		client("jvm-2").line(key(), dead);
		client("jvm-3").line(key(), living);
		long since = nanoTime();
		while (Duration.ofNanos(nanoTime() - since).compareTo(queueEntryTtl().plus(expirySlack())) < 0) {
			assertThat(client("jvm-3").line(key(), living)).singleElement().isInstanceOf(Refused.class);
			pass(queueEntryTtl().dividedBy(6));
		}
		client("jvm-1").releaseInLine(key(), holder);
		assertThat(client("jvm-3").line(key(), living)).singleElement().isInstanceOf(Granted.class);
	}

	@ContractTest
	default void anAbandonedCallerLeavesThePlacesOfTheOthers() {
		AttemptId holder = AttemptId.random();
		AttemptId gone = AttemptId.random();
		AttemptId stays = AttemptId.random();
		client("jvm-1").line(key(), holder);
		client("jvm-2").line(key(), gone, stays);
		client("jvm-2").abandon(key(), gone);
		client("jvm-1").releaseInLine(key(), holder);
		assertThat(client("jvm-2").line(key(), stays)).singleElement().isInstanceOf(Granted.class);
	}

	@ContractTest
	default void thePlaceOfOthersOfTheJvmIsGoneOnceItIsAbandonedAlsoAfterACallerHadItsTurn() {
		AttemptId holder = AttemptId.random();
		AttemptId caller = AttemptId.random();
		client("jvm-2").line(key(), holder);
		client("jvm-1").line(key(), caller);
		AttemptId plain = client("jvm-1").enqueue(key());
		assertThat(client("jvm-2").releaseInLine(key(), holder)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-1").line(key(), caller)).singleElement().isInstanceOf(Granted.class);
		client("jvm-1").abandon(key(), plain);
		assertThat(client("jvm-1").releaseInLine(key(), caller)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-2").hold(key());
	}

	@ContractTest
	default void aHolderYieldsWhileAnybodyWaits() {
		AttemptId holder = AttemptId.random();
		AttemptId waiting = AttemptId.random();
		client("jvm-1").line(key(), holder);
		assertThat(client("jvm-1").extend(key(), holder, StoreClient.LONG_TTL, 10))
			.isInstanceOf(ExtendReply.Extended.class);
		client("jvm-2").line(key(), waiting);
		assertThat(client("jvm-1").extend(key(), holder, StoreClient.LONG_TTL, 10)).isEqualTo(new ExtendReply.Yield());
	}

	@ContractTest
	default void placesWithoutAnAnswerAreGoneOnceTheyAreAbandoned() {
		for (int i = 0; i < OutcomeContractTests.TIMEOUTS; i++) {
			LockKey next = LockKey.of("contract", key().parts().get(0), "unknown line", i);
			Duration scarce = OutcomeContractTests.scarce(i);
			AttemptId first = AttemptId.random();
			AttemptId second = AttemptId.random();
			StoreClient
				.outcome(
						((FairLockStore) client("jvm-1").store()).acquireInOrder(
								List.of(new AcquireCommand(next, first, StoreClient.LONG_TTL, 1, false, scarce),
										new AcquireCommand(next, second, StoreClient.LONG_TTL, 1, false, scarce))),
						scarce);
			pass(scarce.plusMillis(1));
			client("jvm-1").abandon(next, second);
			client("jvm-1").abandon(next, first);
			client("jvm-1").assertHoldsNothing(next, first);
			client("jvm-1").assertHoldsNothing(next, second);
			client("jvm-2").hold(next);
		}
	}

	@ContractTest
	default void manyCallersAreServedExactlyInOrder() {
		StoreClient[] clients = { client("jvm-1"), client("jvm-2"), client("jvm-3") };
		List<AttemptId> served = new ArrayList<>();
		List<AttemptId> expected = new ArrayList<>();
		Deque<AttemptId> waiting = new ArrayDeque<>();
		for (int i = 0; i < 12; i++) {
			AttemptId attempt = AttemptId.random();
			clients[i % 5 % 3].line(key(), attempt);
			expected.add(attempt);
			waiting.add(attempt);
		}
		for (int i = 0; i < 12; i++) {
			AttemptId head = waiting.removeFirst();
			StoreClient client = clients[i % 5 % 3];
			assertThat(client.line(key(), head)).as("turn %s", i).singleElement().isInstanceOf(Granted.class);
			served.add(head);
			client.releaseInLine(key(), head);
		}
		assertThat(served).isEqualTo(expected);
		client("jvm-4").hold(key());
	}

}
