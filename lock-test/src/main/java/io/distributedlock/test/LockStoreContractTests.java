package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;

import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.MultiLockStore;
import io.distributedlock.spi.QueueingLockStore;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SharedLockStore;
import io.distributedlock.spi.SignallingLockStore;
import io.distributedlock.spi.StoreException;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What every {@link LockStore} must do. The test of a store extends this class, and
 * implements {@link QueueContractTests}, {@link SignalContractTests},
 * {@link InspectContractTests}, {@link InspectQueueContractTests},
 * {@link SharedContractTests}, {@link DowngradeContractTests},
 * {@link PermitContractTests}, {@link FairContractTests} and {@link MultiContractTests}
 * as far as the store has those capabilities; a capability without its suite fails.
 *
 * <pre>{@code
 * class MyStoreTests extends LockStoreContractTests implements QueueContractTests {
 *
 *     &#64;Override
 *     protected LockStore createStore(String instance) {
 *         return new MyStore(server, instance);
 *     }
 *
 * }
 * }</pre>
 */
public abstract class LockStoreContractTests implements OutcomeContractTests {

	private static final Duration LONG = StoreClient.LONG_TTL;

	private final Map<String, StoreClient> clients = new LinkedHashMap<>();

	private final LockKey key = LockKey.of("contract", UUID.randomUUID());

	/**
	 * Makes the test.
	 */
	protected LockStoreContractTests() {
	}

	/**
	 * Connects a JVM to the server under test. All stores of one test must reach the same
	 * locks. They are closed after the test.
	 * @param instance what the JVM is called where holders and waiters are shown
	 * @return a new store
	 */
	protected abstract LockStore createStore(String instance);

	@Override
	public final StoreClient client(String instance) {
		return this.clients.computeIfAbsent(instance, (name) -> new StoreClient(unique(name), closing(name)));
	}

	@Override
	public final LockStore closing(String instance) {
		return createStore(unique(instance));
	}

	/**
	 * JVMs of tests that run side by side are not the same.
	 */
	private String unique(String instance) {
		return instance + "-" + this.key.parts().get(0).substring(0, 8);
	}

	@Override
	public final LockKey key() {
		return this.key;
	}

	@Override
	public void pass(Duration time) {
		Awaitility.await().pollDelay(time).atMost(time.plusSeconds(30)).until(() -> true);
	}

	@Override
	public long nanoTime() {
		return System.nanoTime();
	}

	@AfterEach
	final void closeStores() {
		this.clients.values().forEach((client) -> client.store().close());
	}

	@ContractTest
	void releasedMeansSomeoneElseCanAcquire() {
		AttemptId attempt = client("jvm-1").hold(this.key);
		assertThat(client("jvm-1").release(this.key, attempt)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-2").hold(this.key);
	}

	@ContractTest
	void heldMeansNobodyElseCanAcquire() {
		AttemptId attempt = client("jvm-1").hold(this.key);
		assertRefused(client("jvm-2").acquire(this.key, AttemptId.random()));
		assertRefused(client("jvm-1").acquire(this.key, AttemptId.random()));
		client("jvm-1").assertHolds(this.key, attempt);
	}

	@ContractTest
	void everyCapabilityOfTheStoreIsTested() {
		LockStore store = client("jvm-1").store();
		assertThat(this instanceof QueueContractTests).as("implements QueueContractTests")
			.isEqualTo(store instanceof QueueingLockStore);
		assertThat(this instanceof SignalContractTests).as("implements SignalContractTests")
			.isEqualTo(store instanceof SignallingLockStore && store instanceof QueueingLockStore);
		assertThat(this instanceof InspectContractTests).as("implements InspectContractTests")
			.isEqualTo(store instanceof InspectableLockStore);
		assertThat(this instanceof InspectQueueContractTests).as("implements InspectQueueContractTests")
			.isEqualTo(store instanceof InspectableLockStore && store instanceof QueueingLockStore);
		assertThat(this instanceof SharedContractTests).as("implements SharedContractTests")
			.isEqualTo(store instanceof SharedLockStore);
		assertThat(this instanceof PermitContractTests).as("implements PermitContractTests")
			.isEqualTo(store instanceof SharedLockStore);
		assertThat(this instanceof DowngradeContractTests).as("implements DowngradeContractTests")
			.isEqualTo(store instanceof SharedLockStore && !(client("jvm-1").downgrade(this.key, AttemptId.random(),
					AttemptId.random(), shortTtl()) instanceof DowngradeReply.NotSupported));
		assertThat(this instanceof MultiContractTests).as("implements MultiContractTests")
			.isEqualTo(store instanceof MultiLockStore);
		assertThat(this instanceof FairContractTests).as("implements FairContractTests")
			.isEqualTo(store instanceof FairLockStore);
		assertThat(store.name()).isNotBlank();
	}

	@ContractTest
	void aRefusalTellsHowLongTheStoreKeepsTheLock() {
		client("jvm-1").hold(this.key, Duration.ofSeconds(20));
		Refused refused = assertRefused(client("jvm-2").acquire(this.key, AttemptId.random()));
		assertThat(refused.freeIn()).isPositive().isLessThanOrEqualTo(Duration.ofSeconds(20));
		assertThat(refused.queued()).isFalse();
		assertThat(refused.holder()).isIn(client("jvm-1").instance(), null);
	}

	@ContractTest
	void aGrantEndsAfterItsTtl() {
		long sent = startClock();
		client("jvm-1").hold(this.key, shortTtl());
		acquireWhenFree(client("jvm-2"), this.key, shortTtl(), sent);
	}

	@ContractTest
	void aRenewedGrantOutlivesItsTtl() {
		Duration ttl = shortTtl().multipliedBy(2);
		startClock();
		AttemptId attempt = client("jvm-1").hold(this.key, ttl);
		long sent = nanoTime();
		for (int i = 0; i < 5; i++) {
			pass(ttl.dividedBy(4));
			sent = nanoTime();
			assertThat(client("jvm-1").renew(this.key, attempt, ttl)).isEqualTo(RenewReply.RENEWED);
		}
		acquireWhenFree(client("jvm-2"), this.key, ttl, sent);
	}

	@ContractTest
	void aForeignReleaseIsRefused() {
		AttemptId attempt = client("jvm-1").hold(this.key);
		assertThat(client("jvm-2").release(this.key, AttemptId.random())).isEqualTo(new ReleaseReply.NotOwner());
		assertThat(client("jvm-1").release(this.key, AttemptId.random())).isEqualTo(new ReleaseReply.NotOwner());
		client("jvm-1").assertHolds(this.key, attempt);
	}

	@ContractTest
	void aReleaseAfterLossDoesNotTouchTheNextHolder() {
		long sent = startClock();
		AttemptId lost = client("jvm-1").hold(this.key, shortTtl());
		AttemptId next = acquireWhenFree(client("jvm-2"), this.key, shortTtl(), sent);
		assertThat(client("jvm-1").release(this.key, lost)).isEqualTo(new ReleaseReply.NotOwner());
		assertThat(client("jvm-1").release(this.key, lost, LONG)).isEqualTo(new ReleaseReply.NotOwner());
		client("jvm-2").assertHolds(this.key, next);
	}

	@ContractTest
	void aReleaseThatIsSentAgainDoesNotTouchTheNextHolder() {
		AttemptId attempt = client("jvm-1").hold(this.key);
		client("jvm-1").release(this.key, attempt);
		AttemptId next = client("jvm-2").hold(this.key);
		assertThat(client("jvm-1").release(this.key, attempt)).isIn(new ReleaseReply.NotOwner(),
				new ReleaseReply.Released(false));
		client("jvm-2").assertHolds(this.key, next);
	}

	@ContractTest
	void aRenewalAfterLossIsRefusedAndNeverMakesTheGrantAgain() {
		AttemptId lost = client("jvm-1").hold(this.key, shortTtl());
		pass(shortTtl().plus(expirySlack()));
		client("jvm-1").assertHoldsNothing(this.key, lost);
		AttemptId next = client("jvm-2").hold(this.key);
		client("jvm-1").assertHoldsNothing(this.key, lost);
		client("jvm-2").release(this.key, next);
		client("jvm-2").assertHoldsNothing(this.key, next);
		client("jvm-3").hold(this.key);
	}

	@ContractTest
	void tokensRiseFromGrantToGrant() {
		long highest = 0;
		for (int i = 0; i < 30; i++) {
			StoreClient client = client("jvm-" + (i % 3 + 1));
			AttemptId attempt = AttemptId.random();
			int asked = (i % 4 == 3) ? 64 : i % 4 + 1;
			Granted granted = assertGranted(client.acquire(this.key, attempt, LONG, asked));
			highest = assertAbove(highest, granted.firstToken(), granted.tokens(), asked);
			if (i % 5 == 4 && client.extend(this.key, attempt, LONG, 10) instanceof ExtendReply.Extended more) {
				highest = assertAbove(highest, more.firstToken(), more.tokens(), 10);
			}
			if (i % 2 == 0) {
				client.release(this.key, attempt);
			}
			else {
				client.abandon(this.key, attempt);
			}
		}
	}

	@ContractTest
	void tokensRiseAfterAGrantHasExpired() {
		AttemptId attempt = AttemptId.random();
		Granted lost = assertGranted(client("jvm-1").acquire(this.key, attempt, shortTtl(), 64));
		pass(shortTtl().plus(expirySlack()));
		Granted next = assertGranted(client("jvm-2").acquire(this.key, AttemptId.random()));
		assertThat(next.firstToken()).isGreaterThanOrEqualTo(lost.firstToken() + lost.tokens());
	}

	@ContractTest
	void theSameAttemptAskedAgainGetsTheSameGrantWithItsFullTtl() {
		Duration ttl = shortTtl().multipliedBy(2);
		AttemptId attempt = AttemptId.random();
		startClock();
		Granted granted = assertGranted(client("jvm-1").acquire(this.key, attempt, ttl, 5));
		pass(ttl.dividedBy(2));
		long sent = nanoTime();
		assertThat(client("jvm-1").acquireAgain(this.key, attempt, ttl, 5)).isEqualTo(granted);
		acquireWhenFree(client("jvm-2"), this.key, ttl, sent);
	}

	@ContractTest
	void aBatchOfRenewalsIsAnsweredInOrder() {
		List<RenewCommand> commands = new ArrayList<>();
		List<RenewReply> expected = new ArrayList<>();
		for (int i = 0; i < 200; i++) {
			LockKey next = LockKey.of("contract", this.key.parts().get(0), i);
			AttemptId attempt = AttemptId.random();
			if (i % 3 == 0) {
				client("jvm-2").hold(next);
			}
			else if (i % 7 != 0) {
				assertGranted(client("jvm-1").acquire(next, attempt));
			}
			commands.add(new RenewCommand(next, attempt, LONG, StoreClient.TIMEOUT));
			expected.add((i % 3 == 0 || i % 7 == 0) ? RenewReply.NOT_OWNER : RenewReply.RENEWED);
		}
		assertThat(client("jvm-1").renew(commands)).isEqualTo(expected);
		assertThat(client("jvm-1").renew(List.of())).isEmpty();
	}

	@ContractTest
	void aLockThatIsKeptAfterItsReleaseStaysTakenByNobody() {
		AttemptId attempt = client("jvm-1").hold(this.key);
		long sent = startClock();
		assertThat(client("jvm-1").release(this.key, attempt, shortTtl())).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-1").assertHoldsNothing(this.key, attempt);
		assertRefused(client("jvm-1").acquireAgain(this.key, attempt, LONG, 1));
		acquireWhenFree(client("jvm-2"), this.key, shortTtl(), sent);
	}

	@ContractTest
	void aLockCanBeKeptLongerThanItsGrantWouldHaveLived() {
		startClock();
		AttemptId attempt = client("jvm-1").hold(this.key, shortTtl());
		Duration keepFor = shortTtl().multipliedBy(2);
		long sent = nanoTime();
		assertThat(client("jvm-1").release(this.key, attempt, keepFor)).isEqualTo(new ReleaseReply.Released(false));
		acquireWhenFree(client("jvm-2"), this.key, keepFor, sent);
	}

	@ContractTest
	void anAbandonedGrantIsFree() {
		AttemptId attempt = client("jvm-1").hold(this.key);
		client("jvm-1").abandon(this.key, attempt);
		client("jvm-1").assertHoldsNothing(this.key, attempt);
		client("jvm-2").hold(this.key);
	}

	@ContractTest
	void abandoningWhatHasNothingIsHarmless() {
		client("jvm-1").abandon(this.key, AttemptId.random());
		AttemptId attempt = client("jvm-1").hold(this.key);
		client("jvm-1").abandon(this.key, AttemptId.random());
		client("jvm-2").abandon(this.key, AttemptId.random());
		client("jvm-1").assertHolds(this.key, attempt);
	}

	@ContractTest
	void aGrantThatNobodyWaitsForIsExtendedWithItsFullTtl() {
		// Most of it is left when it is extended, also on a busy machine.
		Duration ttl = shortTtl().multipliedBy(4);
		AttemptId attempt = AttemptId.random();
		startClock();
		Granted granted = assertGranted(client("jvm-1").acquire(this.key, attempt, ttl, 2));
		pass(ttl.dividedBy(4));
		long sent = nanoTime();
		ExtendReply.Extended more = (ExtendReply.Extended) client("jvm-1").extend(this.key, attempt, ttl, 10);
		assertAbove(granted.firstToken() + granted.tokens() - 1, more.firstToken(), more.tokens(), 10);
		acquireWhenFree(client("jvm-2"), this.key, ttl, sent);
		assertThat(client("jvm-1").extend(this.key, attempt, ttl, 10)).isEqualTo(new ExtendReply.NotOwner());
	}

	@ContractTest
	void aGrantThatEndedIsNotExtended() {
		assertThat(client("jvm-1").extend(this.key, AttemptId.random(), LONG, 10))
			.isEqualTo(new ExtendReply.NotOwner());
		AttemptId attempt = client("jvm-1").hold(this.key);
		client("jvm-1").release(this.key, attempt);
		assertThat(client("jvm-1").extend(this.key, attempt, LONG, 10)).isEqualTo(new ExtendReply.NotOwner());
		client("jvm-2").hold(this.key);
	}

	@ContractTest
	void differentKeysAreDifferentLocks() {
		List<LockKey> keys = OddKeys.withPrefix(this.key.parts().get(0));
		Map<LockKey, AttemptId> attempts = new LinkedHashMap<>();
		keys.forEach((odd) -> attempts.put(odd, client("jvm-1").hold(odd)));
		keys.forEach((odd) -> {
			assertThat(client("jvm-1").release(odd, attempts.get(odd))).isEqualTo(new ReleaseReply.Released(false));
			attempts.remove(odd);
			attempts.forEach((other, attempt) -> client("jvm-1").assertHolds(other, attempt));
		});
	}

	@ContractTest
	void ofManyThatAskForManyKeysAtOnceOneGetsEach() {
		List<StoreClient> clients = List.of(client("jvm-1"), client("jvm-2"), client("jvm-3"));
		List<List<CompletionStage<AcquireReply>>> replies = IntStream.range(0, 64)
			.mapToObj((i) -> LockKey.of("contract", this.key.parts().get(0), i))
			.parallel()
			.map((next) -> clients.stream()
				.map((client) -> client.store()
					.acquire(new AcquireCommand(next, AttemptId.random(), LONG, 1, false, Duration.ofSeconds(5))))
				.toList())
			.toList();
		// Servers that vote may give each caller too few votes, and then nobody the lock.
		int fewest = (clients.get(0).store() instanceof QueueingLockStore) ? 1 : 0;
		assertThat(replies).allSatisfy((ofOneKey) -> assertThat(ofOneKey.stream().map(StoreClient::reply))
			.filteredOn(Granted.class::isInstance)
			.hasSizeBetween(fewest, 1));
	}

	@ContractTest
	void holdersNeverOverlapAndEachHasAHigherToken() {
		FuzzCounter counter = new FuzzCounter();
		List<StoreClient> clients = IntStream.rangeClosed(1, 6).mapToObj((i) -> client("jvm-" + i)).toList();
		counter.runStores(clients, this.key, 20);
		assertThat(counter.value()).isEqualTo(6 * 20);
	}

	@ContractTest
	void aCounterUnderTheLocksOfManyEnginesLosesNothing() {
		List<LockEngine> engines = IntStream.rangeClosed(1, 3)
			.mapToObj((i) -> LockEngine.builder().store(closing("jvm-" + i)).build())
			.toList();
		try {
			FuzzCounter counter = new FuzzCounter();
			LockRequest request = LockRequest.of(this.key, LockSettings.NONE).withWaitTime(Duration.ofMinutes(1));
			counter.run(engines, request, 4, 25);
			assertThat(counter.value()).isEqualTo(3 * 4 * 25);
		}
		finally {
			engines.forEach(LockEngine::close);
		}
	}

	@ContractTest
	void commandsOfAClosedStoreFailWithAStoreException() {
		LockStore store = closing("jvm-9");
		store.close();
		CompletableFuture<Throwable> failure = new CompletableFuture<>();
		store.acquire(new AcquireCommand(this.key, AttemptId.random(), LONG, 1, false, Duration.ofSeconds(5)))
			.whenComplete((reply, ex) -> failure.complete(ex));
		assertThat(StoreClient.reply(failure)).isInstanceOf(StoreException.class);
		client("jvm-1").hold(this.key);
	}

	private static Granted assertGranted(AcquireReply reply) {
		assertThat(reply).isInstanceOf(Granted.class);
		return (Granted) reply;
	}

	private static Refused assertRefused(AcquireReply reply) {
		assertThat(reply).isInstanceOf(Refused.class);
		return (Refused) reply;
	}

	private static long assertAbove(long highest, long first, int tokens, int asked) {
		assertThat(first).as("first token").isGreaterThan(highest);
		assertThat(tokens).as("number of tokens").isBetween(1, asked);
		long last = first + tokens - 1;
		assertThat(last).as("last token").isLessThan(1L << 53);
		return last;
	}

}
