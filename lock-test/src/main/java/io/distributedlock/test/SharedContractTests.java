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
 * What a {@link SharedLockStore} must do for readers (rule S3). Like those of the queue,
 * these tests need no signal to arrive.
 */
public interface SharedContractTests extends ContractBench {

	@ContractTest
	default void readersShareALockAndKeepWritersOut() {
		AttemptId first = client("jvm-1").holdShare(key(), Share.READERS);
		AttemptId second = client("jvm-2").holdShare(key(), Share.READERS);
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertThat(client("jvm-1").releaseShare(key(), first)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		client("jvm-2").assertHoldsShare(key(), second);
		assertThat(client("jvm-2").releaseShare(key(), second)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-3").hold(key());
	}

	@ContractTest
	default void aWriterKeepsReadersOut() {
		AttemptId writer = client("jvm-1").hold(key());
		assertThat(client("jvm-2").share(key(), AttemptId.random(), Share.READERS, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
		assertThat(client("jvm-1").release(key(), writer)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-2").holdShare(key(), Share.READERS);
	}

	@ContractTest
	default void aRefusedWriterLearnsHowLongReadersMayStillHaveTheLock() {
		client("jvm-1").holdShare(key(), Share.READERS, Duration.ofSeconds(30));
		client("jvm-2").holdShare(key(), Share.READERS, Duration.ofSeconds(50));
		AcquireReply reply = client("jvm-3").acquire(key(), AttemptId.random());
		assertThat(reply).isInstanceOfSatisfying(Refused.class,
				(refused) -> assertThat(refused.freeIn()).isBetween(Duration.ofSeconds(31), Duration.ofSeconds(51)));
	}

	@ContractTest
	default void aReadersTokenLiesBetweenThoseOfTheWritersAroundIt() {
		AttemptId writer = AttemptId.random();
		Granted before = (Granted) client("jvm-1").acquire(key(), writer, StoreClient.LONG_TTL, 1);
		client("jvm-1").release(key(), writer);
		AttemptId reader = AttemptId.random();
		Granted shared = (Granted) client("jvm-2").share(key(), reader, Share.READERS, StoreClient.LONG_TTL);
		assertThat(shared.firstToken()).isGreaterThanOrEqualTo(before.firstToken());
		assertThat(shared.tokens()).isOne();
		client("jvm-2").releaseShare(key(), reader);
		Granted after = (Granted) client("jvm-1").acquire(key(), AttemptId.random(), StoreClient.LONG_TTL, 1);
		assertThat(after.firstToken()).isGreaterThan(shared.firstToken());
	}

	@ContractTest
	default void aReaderOfAKeyThatNobodyHasWrittenYetHasATokenBelowTheFirstWriters() {
		AttemptId reader = AttemptId.random();
		Granted shared = (Granted) client("jvm-2").share(key(), reader, Share.READERS, StoreClient.LONG_TTL);
		assertThat(shared.firstToken()).isPositive();
		client("jvm-2").releaseShare(key(), reader);
		Granted after = (Granted) client("jvm-1").acquire(key(), AttemptId.random(), StoreClient.LONG_TTL, 1);
		assertThat(after.firstToken()).isGreaterThan(shared.firstToken());
	}

	@ContractTest
	default void aShareAskedForAgainIsTheSameWithItsFullTtl() {
		AttemptId reader = AttemptId.random();
		AcquireReply first = client("jvm-1").share(key(), reader, Share.READERS, shortTtl());
		assertThat(client("jvm-1").share(key(), reader, Share.READERS, StoreClient.LONG_TTL)).isEqualTo(first);
		pass(shortTtl().plus(expirySlack()));
		client("jvm-1").assertHoldsShare(key(), reader);
	}

	@ContractTest
	default void aReaderThatDiesBlocksWritersNoLongerThanItsTtl() {
		AttemptId living = client("jvm-2").holdShare(key(), Share.READERS);
		long sent = startClock();
		client("jvm-1").holdShare(key(), Share.READERS, shortTtl());
		assertThat(client("jvm-2").releaseShare(key(), living)).isEqualTo(new ReleaseReply.Released(false));
		acquireWhenFree(client("jvm-3"), key(), shortTtl(), sent);
	}

	@ContractTest
	default void aReaderThatDiedDoesNotEndTheShareOfAnother() {
		AttemptId dead = client("jvm-1").holdShare(key(), Share.READERS, shortTtl());
		AttemptId living = client("jvm-2").holdShare(key(), Share.READERS);
		pass(shortTtl().plus(expirySlack()));
		client("jvm-1").assertHoldsNoShare(key(), dead);
		assertThat(client("jvm-1").releaseShare(key(), dead)).isEqualTo(new ReleaseReply.NotOwner());
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		client("jvm-2").assertHoldsShare(key(), living);
	}

	@ContractTest
	default void aRenewedShareLivesOn() {
		startClock();
		AttemptId reader = client("jvm-1").holdShare(key(), Share.READERS, shortTtl());
		long sent = nanoTime();
		assertThat(client("jvm-1").renewShare(key(), reader, shortTtl().multipliedBy(2))).isEqualTo(RenewReply.RENEWED);
		acquireWhenFree(client("jvm-2"), key(), shortTtl().multipliedBy(2), sent);
		client("jvm-1").assertHoldsNoShare(key(), reader);
	}

	@ContractTest
	default void renewalsOfSharesAreAnsweredOneByOne() {
		LockKey other = LockKey.of("contract", key().parts().get(0), "other");
		AttemptId reader = client("jvm-1").holdShare(key(), Share.READERS);
		AttemptId elsewhere = client("jvm-1").holdShare(other, Share.READERS);
		client("jvm-1").releaseShare(other, elsewhere);
		List<RenewReply> replies = StoreClient.reply(((SharedLockStore) client("jvm-1").store())
			.renewShared(List.of(StoreClient.renewal(other, elsewhere), StoreClient.renewal(key(), reader))));
		assertThat(replies).containsExactly(RenewReply.NOT_OWNER, RenewReply.RENEWED);
	}

	@ContractTest
	default void newReadersWaitBehindAWriterThatWaits() {
		AttemptId reader = client("jvm-1").holdShare(key(), Share.READERS);
		AttemptId writer = client("jvm-2").enqueue(key());
		AttemptId late = client("jvm-3").enqueueForShare(key(), Share.READERS);
		assertThat(client("jvm-1").extendShare(key(), reader, StoreClient.LONG_TTL)).isEqualTo(new ExtendReply.Yield());
		assertThat(client("jvm-1").releaseShare(key(), reader)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-3").queueForShare(key(), late, Share.READERS)).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").queueAgain(key(), writer)).isInstanceOf(Granted.class);
		assertThat(client("jvm-2").release(key(), writer)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-3").queueForShare(key(), late, Share.READERS)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void anExtendedShareHasItsFullTtlWhereNobodyWaits() {
		AttemptId reader = AttemptId.random();
		Granted shared = (Granted) client("jvm-1").share(key(), reader, Share.READERS, shortTtl());
		assertThat(client("jvm-1").extendShare(key(), reader, StoreClient.LONG_TTL))
			.isEqualTo(new ExtendReply.Extended(shared.firstToken(), 1));
		pass(shortTtl().plus(expirySlack()));
		client("jvm-1").assertHoldsShare(key(), reader);
		client("jvm-1").releaseShare(key(), reader);
		assertThat(client("jvm-1").extendShare(key(), reader, StoreClient.LONG_TTL))
			.isEqualTo(new ExtendReply.NotOwner());
	}

	@ContractTest
	default void allReadersInARowAreServedTogether() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueueForShare(key(), Share.READERS);
		AttemptId second = client("jvm-3").enqueueForShare(key(), Share.READERS);
		AttemptId behind = client("jvm-4").enqueue(key());
		AttemptId last = client("jvm-5").enqueueForShare(key(), Share.READERS);
		assertThat(client("jvm-1").release(key(), writer)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-3").queueForShare(key(), second, Share.READERS)).isInstanceOf(Granted.class);
		assertThat(client("jvm-2").queueForShare(key(), first, Share.READERS)).isInstanceOf(Granted.class);
		assertThat(client("jvm-5").queueForShare(key(), last, Share.READERS)).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").releaseShare(key(), first)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(client("jvm-3").releaseShare(key(), second)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-4").queueAgain(key(), behind)).isInstanceOf(Granted.class);
		assertThat(client("jvm-4").release(key(), behind)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-5").queueForShare(key(), last, Share.READERS)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void aReservedShareExpiresIfItIsNotClaimed() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId gone = client("jvm-2").enqueueForShare(key(), Share.READERS);
		long sent = startClock();
		client("jvm-1").release(key(), writer);
		client("jvm-2").assertHoldsNoShare(key(), gone);
		acquireWhenFree(client("jvm-3"), key(), reservation(), sent);
	}

	@ContractTest
	default void aWriterThatDiedInTheQueueDoesNotHoldUpReaders() {
		AttemptId reader = client("jvm-1").holdShare(key(), Share.READERS);
		client("jvm-2").enqueue(key());
		AttemptId late = client("jvm-3").enqueueForShare(key(), Share.READERS);
		long since = nanoTime();
		askUntilGranted(() -> client("jvm-3").queueForShare(key(), late, Share.READERS), queueEntryTtl(), since);
		client("jvm-1").assertHoldsShare(key(), reader);
		client("jvm-3").assertHoldsShare(key(), late);
	}

	@ContractTest
	default void anAbandonedShareLeavesNothing() {
		AttemptId reader = client("jvm-1").holdShare(key(), Share.READERS);
		AttemptId writer = client("jvm-2").enqueue(key());
		client("jvm-1").abandonShare(key(), reader);
		client("jvm-1").assertHoldsNoShare(key(), reader);
		assertThat(client("jvm-2").queueAgain(key(), writer)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void anAbandonedPlaceOfAReaderIsNotServed() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId waiting = client("jvm-2").enqueueForShare(key(), Share.READERS);
		client("jvm-2").abandonShare(key(), waiting);
		assertThat(client("jvm-1").release(key(), writer)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-3").hold(key());
	}

	@ContractTest
	default void anAbandonedWriterLetsTheReadersBehindItIn() {
		AttemptId reader = client("jvm-1").holdShare(key(), Share.READERS);
		AttemptId writer = client("jvm-2").enqueue(key());
		AttemptId late = client("jvm-3").enqueueForShare(key(), Share.READERS);
		client("jvm-2").abandon(key(), writer);
		assertThat(client("jvm-3").queueForShare(key(), late, Share.READERS)).isInstanceOf(Granted.class);
		client("jvm-1").assertHoldsShare(key(), reader);
	}

	@ContractTest
	default void aReaderAndAWriterOfOneJvmHaveAPlaceEach() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId writer = client("jvm-2").enqueue(key());
		AttemptId reader = client("jvm-2").enqueueForShare(key(), Share.READERS);
		client("jvm-1").release(key(), holder);
		assertThat(client("jvm-2").queueAgain(key(), writer)).isInstanceOf(Granted.class);
		assertThat(client("jvm-2").release(key(), writer)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-2").queueForShare(key(), reader, Share.READERS)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void aShareWithoutAnAnswerIsGoneOnceItIsAbandoned() {
		for (int i = 0; i < OutcomeContractTests.TIMEOUTS; i++) {
			LockKey next = LockKey.of("contract", key().parts().get(0), "unknown share", i);
			Duration scarce = OutcomeContractTests.scarce(i);
			AttemptId reader = AttemptId.random();
			StoreClient.outcome(
					((SharedLockStore) client("jvm-1").store()).acquireShared(
							new SharedAcquireCommand(next, reader, Share.READERS, StoreClient.LONG_TTL, true, scarce)),
					scarce);
			pass(scarce.plusMillis(1));
			client("jvm-1").abandonShare(next, reader);
			client("jvm-1").assertHoldsNoShare(next, reader);
			client("jvm-2").hold(next);
		}
	}

	@ContractTest
	default void readersCanBeSeenAndEndedByForce() {
		assumeThat(client("jvm-1").store()).isInstanceOf(InspectableLockStore.class);
		AttemptId reader = AttemptId.random();
		Granted shared = (Granted) client("jvm-1").share(key(), reader, Share.READERS, StoreClient.LONG_TTL);
		AttemptId writer = client("jvm-2").enqueue(key());
		StoredLock seen = client("jvm-3").inspect(key()).orElseThrow();
		assertThat(seen.state()).isEqualTo(StoredLock.State.SHARED);
		assertThat(seen.shares()).singleElement().satisfies((share) -> {
			assertThat(share.instance()).isEqualTo(client("jvm-1").instance());
			assertThat(share.state()).isEqualTo(StoredLock.State.HELD);
			assertThat(share.token()).isEqualTo(shared.firstToken());
			assertThat(share.remaining()).isBetween(Duration.ofSeconds(30), StoreClient.LONG_TTL);
		});
		assertThat(seen.queue()).hasSize(1);
		assertThat(client("jvm-3").forceRelease(key(), shared.firstToken() + 1)).isFalse();
		assertThat(client("jvm-3").forceRelease(key(), shared.firstToken())).isTrue();
		client("jvm-1").assertHoldsNoShare(key(), reader);
		assertThat(client("jvm-2").queueAgain(key(), writer)).isInstanceOf(Granted.class);
	}

	private Duration reservation() {
		return ((SharedLockStore) client("jvm-1").store()).reservation();
	}

}
