package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.IntStream;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.MultiLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a {@link MultiLockStore} must do: the same for each command of a batch as if it
 * had come alone.
 */
public interface MultiContractTests extends ContractBench {

	/**
	 * Returns keys that no other test uses.
	 * @param count how many
	 * @return different keys, the same for the whole test
	 */
	private List<LockKey> keys(int count) {
		return IntStream.range(0, count).mapToObj((i) -> LockKey.of("batch", key().parts().get(0), i)).toList();
	}

	private static List<AcquireReply> acquireEach(StoreClient client, List<LockKey> keys, List<AttemptId> attempts,
			boolean repeated) {
		List<AcquireCommand> commands = new ArrayList<>();
		for (int i = 0; i < keys.size(); i++) {
			commands.add(new AcquireCommand(keys.get(i), attempts.get(i), StoreClient.LONG_TTL, 1, repeated,
					StoreClient.TIMEOUT));
		}
		return ((MultiLockStore) client.store()).acquireEach(commands).stream().map(StoreClient::reply).toList();
	}

	private static List<ReleaseReply> releaseEach(StoreClient client, List<LockKey> keys, List<AttemptId> attempts,
			Duration keepFor) {
		List<ReleaseCommand> commands = new ArrayList<>();
		for (int i = 0; i < keys.size(); i++) {
			commands.add(new ReleaseCommand(keys.get(i), attempts.get(i), keepFor, StoreClient.TIMEOUT));
		}
		return ((MultiLockStore) client.store()).releaseEach(commands).stream().map(StoreClient::reply).toList();
	}

	private static List<AttemptId> attempts(int count) {
		return IntStream.range(0, count).mapToObj((i) -> AttemptId.random()).toList();
	}

	@ContractTest
	default void aBatchTakesManyFreeLocksAndGivesThemBack() {
		List<LockKey> keys = keys(300);
		List<AttemptId> attempts = attempts(300);
		assertThat(acquireEach(client("jvm-1"), keys, attempts, false)).hasOnlyElementsOfType(Granted.class)
			.hasSize(300);
		client("jvm-1").assertHolds(keys.get(0), attempts.get(0));
		client("jvm-1").assertHolds(keys.get(299), attempts.get(299));
		assertThat(client("jvm-2").acquire(keys.get(150), AttemptId.random())).isInstanceOf(Refused.class);
		assertThat(releaseEach(client("jvm-1"), keys, attempts, Duration.ZERO))
			.containsOnly(new ReleaseReply.Released(false))
			.hasSize(300);
		assertThat(acquireEach(client("jvm-2"), keys, attempts(300), false)).hasOnlyElementsOfType(Granted.class);
	}

	@ContractTest
	default void aLockThatIsTakenDoesNotKeepTheOthersOfItsBatchFromBeingGranted() {
		List<LockKey> keys = keys(5);
		client("jvm-2").hold(keys.get(1));
		client("jvm-2").hold(keys.get(4));
		List<AttemptId> attempts = attempts(5);
		List<AcquireReply> replies = acquireEach(client("jvm-1"), keys, attempts, false);
		Set<Integer> granted = new HashSet<>();
		for (int i = 0; i < 5; i++) {
			if (replies.get(i) instanceof Granted) {
				granted.add(i);
				client("jvm-1").assertHolds(keys.get(i), attempts.get(i));
			}
			else {
				client("jvm-1").assertHoldsNothing(keys.get(i), attempts.get(i));
			}
		}
		assertThat(granted).containsExactlyInAnyOrder(0, 2, 3);
	}

	@ContractTest
	default void tokensOfABatchRiseForEachKey() {
		List<LockKey> keys = keys(20);
		List<Long> before = Collections.nCopies(20, 0L);
		for (int round = 0; round < 3; round++) {
			List<AttemptId> attempts = attempts(20);
			List<Long> tokens = acquireEach(client("jvm-" + (round % 2 + 1)), keys, attempts, false).stream()
				.map((reply) -> ((Granted) reply).firstToken())
				.toList();
			for (int i = 0; i < 20; i++) {
				assertThat(tokens.get(i)).as("token of key %s in round %s", i, round).isGreaterThan(before.get(i));
			}
			before = tokens;
			releaseEach(client("jvm-" + (round % 2 + 1)), keys, attempts, Duration.ZERO);
		}
	}

	@ContractTest
	default void aBatchThatIsSentAgainGivesTheSameGrants() {
		List<LockKey> keys = keys(10);
		List<AttemptId> attempts = attempts(10);
		List<AcquireReply> first = acquireEach(client("jvm-1"), keys, attempts, false);
		assertThat(acquireEach(client("jvm-1"), keys, attempts, true)).isEqualTo(first);
	}

	@ContractTest
	default void aBatchReleasesOnlyWhatItsAttemptsHold() {
		List<LockKey> keys = keys(3);
		List<AttemptId> attempts = attempts(3);
		acquireEach(client("jvm-1"), keys, attempts, false);
		List<AttemptId> claimed = List.of(attempts.get(0), AttemptId.random(), attempts.get(2));
		assertThat(releaseEach(client("jvm-1"), keys, claimed, Duration.ZERO)).containsExactly(
				new ReleaseReply.Released(false), new ReleaseReply.NotOwner(), new ReleaseReply.Released(false));
		client("jvm-1").assertHolds(keys.get(1), attempts.get(1));
	}

	@ContractTest
	default void aBatchReleaseCanKeepTheKeysTaken() {
		List<LockKey> keys = keys(3);
		List<AttemptId> attempts = attempts(3);
		acquireEach(client("jvm-1"), keys, attempts, false);
		releaseEach(client("jvm-1"), keys, attempts, Duration.ofSeconds(30));
		assertThat(acquireEach(client("jvm-2"), keys, attempts(3), false)).hasOnlyElementsOfType(Refused.class);
	}

}
