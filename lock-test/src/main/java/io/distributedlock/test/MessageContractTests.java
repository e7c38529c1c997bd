package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.MessagingLockStore;
import org.awaitility.Awaitility;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

/**
 * What a {@link MessagingLockStore} must do when nothing fails.
 */
public interface MessageContractTests extends ContractBench {

	private static MessagingLockStore store(StoreClient client) {
		return (MessagingLockStore) client.store();
	}

	/** What is sent to a JVM before it listens may be lost. */
	private StoreClient listening(String instance) {
		return client(instance).listen();
	}

	private static void awaitMessage(StoreClient client, String message) {
		Awaitility.await()
			.pollInterval(Duration.ofMillis(2))
			.untilAsserted(() -> assertThat(client.messages()).as("messages to %s", client)
				.anyMatch((came) -> came.equals(message)));
	}

	@ContractTest
	default void aMessageComesToWhomItWasSentToAndNobodyElse() {
		listening("jvm-3");
		MessagingLockStore receiver = store(listening("jvm-2"));
		store(listening("jvm-1")).send(receiver.instanceId(), "1x;a,b%20c,*+~");
		awaitMessage(client("jvm-2"), "1x;a,b%20c,*+~");
		assertThat(client("jvm-1").messages()).isEmpty();
		assertThat(client("jvm-2").messages()).hasSize(1);
		assertThat(client("jvm-3").messages()).isEmpty();
		assertThat(client("jvm-2").signals()).isEmpty();
	}

	@ContractTest
	default void aMessageMayBeAsLongAsTheStoreSays() {
		MessagingLockStore receiver = store(listening("jvm-2"));
		assertThat(receiver.longestMessage()).isGreaterThanOrEqualTo(4000);
		String message = "m".repeat(receiver.longestMessage());
		store(listening("jvm-1")).send(receiver.instanceId(), message);
		awaitMessage(client("jvm-2"), message);
	}

	@ContractTest
	default void aMessageThatIsTooLongIsRefused() {
		MessagingLockStore store = store(client("jvm-1"));
		assertThatIllegalArgumentException()
			.isThrownBy(() -> store.send(store.instanceId(), "m".repeat(store.longestMessage() + 1)))
			.withMessageContaining(String.valueOf(store.longestMessage() + 1));
	}

	@ContractTest
	default void manyMessagesOfSeveralJvmsAllCome() {
		MessagingLockStore receiver = store(listening("jvm-2"));
		List<String> sent = new ArrayList<>();
		for (int i = 0; i < 10; i++) {
			for (String sender : List.of("jvm-1", "jvm-3")) {
				String message = "1p;" + sender + ";" + "x".repeat(13 * i) + ";" + i;
				store(client(sender)).send(receiver.instanceId(), message);
				sent.add(message);
			}
		}
		sent.forEach((message) -> awaitMessage(client("jvm-2"), message));
	}

	@ContractTest
	default void aMessageToNobodyDoesNoHarm() {
		MessagingLockStore receiver = store(listening("jvm-2"));
		MessagingLockStore sender = store(listening("jvm-1"));
		sender.send("nobody", "lost");
		sender.send(receiver.instanceId(), "found");
		awaitMessage(client("jvm-2"), "found");
	}

	@ContractTest
	default void aMessageToANameThatNoJvmCanHaveDoesNoHarm() {
		MessagingLockStore receiver = store(listening("jvm-2"));
		MessagingLockStore sender = store(listening("jvm-1"));
		// Names come with messages, which anybody may write.
		for (int i = 0; i < 100; i++) {
			sender.send("no//such/jvm" + i, "lost");
			sender.send("n".repeat(2000) + i, "lost");
		}
		// The first one may be dropped with those, if they are too many at once.
		Awaitility.await().pollInterval(Duration.ofMillis(50)).untilAsserted(() -> {
			sender.send(receiver.instanceId(), "found");
			assertThat(client("jvm-2").messages()).contains("found");
		});
	}

	@ContractTest
	default void aJvmCanSendToItself() {
		MessagingLockStore store = store(listening("jvm-1"));
		store.send(store.instanceId(), "to myself");
		awaitMessage(client("jvm-1"), "to myself");
	}

	@ContractTest
	default void holdersAreToldOfByTheNameUnderWhichMessagesReachThem() {
		client("jvm-1").hold(key());
		String holder = store(client("jvm-1")).instanceId();
		assertThat(client("jvm-2").acquire(key(), AttemptId.random())).isInstanceOfSatisfying(Refused.class,
				(refused) -> assertThat(refused.holder()).isEqualTo(holder));
		if (client("jvm-2").store() instanceof InspectableLockStore store) {
			StoredLock lock = StoreClient.reply(store.inspect(key(), StoreClient.TIMEOUT)).orElseThrow();
			assertThat(lock.instance()).isEqualTo(holder);
		}
	}

}
