package io.distributedlock.test;

import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockInspector.StoredLock.State;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.ReleaseReply;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What a store must do that has a queue and can show it.
 */
public interface InspectQueueContractTests extends InspectContractTests, QueueContractTests {

	@ContractTest
	default void theQueueIsShownInOrder() {
		client("jvm-1").hold(key());
		client("jvm-3").enqueue(key());
		client("jvm-2").enqueue(key());
		List<QueuedInstance> queue = client("jvm-1").inspect(key()).orElseThrow().queue();
		assertThat(queue).extracting(QueuedInstance::instance)
			.containsExactly(client("jvm-3").instance(), client("jvm-2").instance());
		assertThat(queue).allMatch(QueuedInstance::alive);
		assertThat(queue.get(0).since()).isBeforeOrEqualTo(queue.get(1).since());
	}

	@ContractTest
	default void aReservedLockIsShownWithTheWaiterItIsKeptFor() {
		AttemptId holder = client("jvm-1").hold(key());
		client("jvm-2").enqueue(key());
		client("jvm-3").enqueue(key());
		client("jvm-1").release(key(), holder);
		assertThat(client("jvm-1").inspect(key())).hasValueSatisfying((lock) -> {
			assertThat(lock.state()).isEqualTo(State.RESERVED);
			assertThat(lock.instance()).isEqualTo(client("jvm-2").instance());
			assertThat(lock.firstToken()).isZero();
			assertThat(lock.remaining()).isPositive();
			assertThat(lock.queue()).extracting(QueuedInstance::instance).containsExactly(client("jvm-3").instance());
		});
	}

	@ContractTest
	default void aWaiterThatDiedIsNotShownAsAlive() {
		client("jvm-1").hold(key());
		client("jvm-2").enqueue(key());
		pass(queueEntryTtl().plus(expirySlack()));
		List<QueuedInstance> queue = client("jvm-1").inspect(key()).map(StoredLock::queue).orElse(List.of());
		assertThat(queue).noneMatch(QueuedInstance::alive);
	}

	@ContractTest
	default void aForcedReleasePassesTheLockOn() {
		AttemptId holder = AttemptId.random();
		Granted granted = (Granted) client("jvm-1").acquire(key(), holder);
		AttemptId waiter = client("jvm-2").enqueue(key());
		assertThat(client("jvm-3").forceRelease(key(), granted.firstToken())).isTrue();
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").queueAgain(key(), waiter)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void nothingIsLeftOfALongQueue() {
		AttemptId attempt = client("jvm-1").hold(key());
		for (int i = 2; i <= 5; i++) {
			client("jvm-" + i).enqueue(key());
		}
		client("jvm-1").release(key(), attempt);
		Duration reservation = ((QueueingLockStore) client("jvm-1").store()).reservation();
		pass(queueEntryTtl().plus(reservation).plus(expirySlack()));
		AttemptId last = client("jvm-1").hold(key());
		assertThat(client("jvm-1").release(key(), last)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(client("jvm-1").inspect(key())).isEmpty();
	}

	@ContractTest
	default void randomCommandsAreAnsweredAsByTheInMemoryStore() {
		List<StoreClient> clients = Stream.of("jvm-1", "jvm-2", "jvm-3", "jvm-4").map(this::client).toList();
		Duration safe = ((QueueingLockStore) client("jvm-1").store()).reservation().dividedBy(2);
		int compared = 0;
		for (int episode = 0; episode < 30; episode++) {
			LockKey next = LockKey.of("contract", key().parts().get(0), episode);
			ModelComparison comparison = new ModelComparison(clients, next, episode);
			long start = startClock();
			// Later, a reservation may have expired in the store, but not in memory.
			for (int i = 0; i < 100 && Duration.ofNanos(nanoTime() - start).compareTo(safe) < 0; i++) {
				comparison.step();
				compared++;
			}
		}
		assertThat(compared).as("commands that were fast enough to be compared").isGreaterThan(300);
	}

}
