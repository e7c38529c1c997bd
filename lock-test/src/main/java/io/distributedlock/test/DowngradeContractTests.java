package io.distributedlock.test;

import java.time.Duration;
import java.util.Optional;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.DowngradeReply.Downgraded;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedLockStore;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

/**
 * What a {@link SharedLockStore} must do that can turn an exclusive grant into a reader's
 * share. These tests need no signal to arrive.
 */
public interface DowngradeContractTests extends ContractBench {

	@ContractTest
	default void afterADowngradeReadersGetInAndWritersDoNot() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId reader = downgrade(writer);
		client("jvm-1").assertHoldsNothing(key(), writer);
		client("jvm-1").assertHoldsShare(key(), reader);
		assertThat(client("jvm-2").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		AttemptId other = client("jvm-3").holdShare(key(), Share.READERS);
		client("jvm-1").assertHoldsShare(key(), reader);
		client("jvm-3").assertHoldsShare(key(), other);
	}

	@ContractTest
	default void theLockIsFreeWhenTheLastReaderHasGone() {
		AttemptId reader = downgrade(client("jvm-1").hold(key()));
		AttemptId other = client("jvm-2").holdShare(key(), Share.READERS);
		assertThat(client("jvm-1").releaseShare(key(), reader)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(client("jvm-3").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		assertThat(client("jvm-2").releaseShare(key(), other)).isEqualTo(new ReleaseReply.Released(false));
		client("jvm-3").hold(key());
	}

	@ContractTest
	default void theTokenOfAWriterThatGoesOnReadingLiesBetweenItsOwnAndTheNextWriters() {
		AttemptId writer = AttemptId.random();
		Granted written = (Granted) client("jvm-1").acquire(key(), writer, StoreClient.LONG_TTL, 3);
		long last = written.firstToken() + written.tokens() - 1;
		AttemptId reader = AttemptId.random();
		Downgraded shared = (Downgraded) client("jvm-1").downgrade(key(), writer, reader, StoreClient.LONG_TTL);
		assertThat(shared.token()).isGreaterThanOrEqualTo(last);
		Granted read = (Granted) client("jvm-2").share(key(), AttemptId.random(), Share.READERS, shortTtl());
		assertThat(read.firstToken()).isGreaterThanOrEqualTo(last);
		assertThat(client("jvm-1").extendShare(key(), reader, StoreClient.LONG_TTL))
			.isEqualTo(new ExtendReply.Extended(shared.token(), 1));
		client("jvm-1").releaseShare(key(), reader);
		pass(shortTtl().plus(expirySlack()));
		Granted next = (Granted) client("jvm-3").acquire(key(), AttemptId.random(), StoreClient.LONG_TTL, 1);
		assertThat(next.firstToken()).isGreaterThan(shared.token()).isGreaterThan(read.firstToken());
	}

	@ContractTest
	default void readersThatWaitAreServedWithADowngradeUpToTheFirstWriter() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId first = client("jvm-2").enqueueForShare(key(), Share.READERS);
		AttemptId second = client("jvm-3").enqueueForShare(key(), Share.READERS);
		AttemptId behind = client("jvm-4").enqueue(key());
		AttemptId last = client("jvm-5").enqueueForShare(key(), Share.READERS);
		AttemptId reader = downgrade(writer);
		assertThat(client("jvm-3").queueForShare(key(), second, Share.READERS)).isInstanceOf(Granted.class);
		assertThat(client("jvm-2").queueForShare(key(), first, Share.READERS)).isInstanceOf(Granted.class);
		assertThat(client("jvm-5").queueForShare(key(), last, Share.READERS)).isInstanceOf(Refused.class);
		assertThat(client("jvm-4").queueAgain(key(), behind)).isInstanceOf(Refused.class);
		client("jvm-1").releaseShare(key(), reader);
		client("jvm-2").releaseShare(key(), first);
		assertThat(client("jvm-3").releaseShare(key(), second)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-4").queueAgain(key(), behind)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void aReaderOfTheSameJvmThatWaitsIsServedWithADowngrade() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId waiting = client("jvm-1").enqueueForShare(key(), Share.READERS);
		AttemptId reader = downgrade(writer);
		assertThat(client("jvm-1").queueForShare(key(), waiting, Share.READERS)).isInstanceOf(Granted.class);
		client("jvm-1").assertHoldsShare(key(), reader);
		client("jvm-1").assertHoldsShare(key(), waiting);
	}

	@ContractTest
	default void aWriterAtTheFrontOfTheQueueIsNotOvertakenThroughADowngrade() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId waiting = client("jvm-2").enqueue(key());
		AttemptId behind = client("jvm-3").enqueueForShare(key(), Share.READERS);
		AttemptId reader = downgrade(writer);
		assertThat(client("jvm-3").queueForShare(key(), behind, Share.READERS)).isInstanceOf(Refused.class);
		assertThat(client("jvm-4").share(key(), AttemptId.random(), Share.READERS, StoreClient.LONG_TTL))
			.isInstanceOf(Refused.class);
		assertThat(client("jvm-2").queueAgain(key(), waiting)).isInstanceOf(Refused.class);
		assertThat(client("jvm-1").extendShare(key(), reader, StoreClient.LONG_TTL)).isEqualTo(new ExtendReply.Yield());
		assertThat(client("jvm-1").releaseShare(key(), reader)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-2").queueAgain(key(), waiting)).isInstanceOf(Granted.class);
		assertThat(client("jvm-2").release(key(), waiting)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-3").queueForShare(key(), behind, Share.READERS)).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void aCallerForAPermitGoesOnWaitingAfterADowngrade() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId permit = client("jvm-2").enqueueForShare(key(), new Share.Permits(3));
		AttemptId reader = downgrade(writer);
		assertThat(client("jvm-2").queueForShare(key(), permit, new Share.Permits(3))).isInstanceOf(Refused.class);
		assertThat(client("jvm-1").releaseShare(key(), reader)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(client("jvm-2").queueForShare(key(), permit, new Share.Permits(3))).isInstanceOf(Granted.class);
	}

	@ContractTest
	default void whoDoesNotHoldTheLockCannotDowngradeIt() {
		AttemptId holder = client("jvm-1").hold(key());
		AttemptId reader = AttemptId.random();
		assertThat(client("jvm-2").downgrade(key(), AttemptId.random(), reader, StoreClient.LONG_TTL))
			.isEqualTo(new DowngradeReply.NotOwner());
		client("jvm-2").assertHoldsNoShare(key(), reader);
		client("jvm-1").assertHolds(key(), holder);
		client("jvm-1").release(key(), holder);
		assertThat(client("jvm-1").downgrade(key(), holder, reader, StoreClient.LONG_TTL))
			.isEqualTo(new DowngradeReply.NotOwner());
		client("jvm-2").hold(key());
	}

	@ContractTest
	default void aGrantThatHasExpiredCannotBeDowngraded() {
		AttemptId writer = client("jvm-1").hold(key(), shortTtl());
		pass(shortTtl().plus(expirySlack()));
		AttemptId reader = AttemptId.random();
		assertThat(client("jvm-1").downgrade(key(), writer, reader, StoreClient.LONG_TTL))
			.isEqualTo(new DowngradeReply.NotOwner());
		client("jvm-1").assertHoldsNoShare(key(), reader);
		client("jvm-2").hold(key());
	}

	@ContractTest
	default void aReservationCannotBeDowngraded() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId waiting = client("jvm-2").enqueue(key());
		client("jvm-1").release(key(), writer);
		assertThat(client("jvm-2").downgrade(key(), waiting, AttemptId.random(), StoreClient.LONG_TTL))
			.isEqualTo(new DowngradeReply.NotOwner());
	}

	@ContractTest
	default void aDowngradeThatIsSentAgainGivesTheSameShareItsFullTtl() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId reader = AttemptId.random();
		DowngradeReply first = client("jvm-1").downgrade(key(), writer, reader, shortTtl());
		assertThat(first).isInstanceOf(Downgraded.class);
		AttemptId other = client("jvm-2").holdShare(key(), Share.READERS);
		assertThat(client("jvm-1").downgrade(key(), writer, reader, StoreClient.LONG_TTL)).isEqualTo(first);
		pass(shortTtl().plus(expirySlack()));
		client("jvm-1").assertHoldsShare(key(), reader);
		client("jvm-2").assertHoldsShare(key(), other);
	}

	@ContractTest
	default void aDowngradeThatComesAfterTheReleaseOfItsShareGivesNothing() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId reader = downgrade(writer);
		client("jvm-1").releaseShare(key(), reader);
		assertThat(client("jvm-1").downgrade(key(), writer, reader, StoreClient.LONG_TTL))
			.isEqualTo(new DowngradeReply.NotOwner());
		AttemptId next = client("jvm-2").hold(key());
		assertThat(client("jvm-1").downgrade(key(), writer, reader, StoreClient.LONG_TTL))
			.isEqualTo(new DowngradeReply.NotOwner());
		client("jvm-2").assertHolds(key(), next);
	}

	@ContractTest
	default void aReleaseOfTheFormerGrantDoesNotTouchTheShare() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId reader = downgrade(writer);
		assertThat(client("jvm-1").release(key(), writer)).isEqualTo(new ReleaseReply.NotOwner());
		client("jvm-1").abandon(key(), writer);
		client("jvm-1").assertHoldsShare(key(), reader);
		assertThat(client("jvm-2").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
		client("jvm-1").abandonShare(key(), reader);
		client("jvm-2").hold(key());
	}

	@ContractTest
	default void theShareOfADowngradeLastsForItsOwnTtl() {
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId reader = AttemptId.random();
		long sent = startClock();
		client("jvm-1").downgrade(key(), writer, reader, shortTtl());
		acquireWhenFree(client("jvm-2"), key(), shortTtl(), sent);
		client("jvm-1").assertHoldsNoShare(key(), reader);
	}

	@ContractTest
	default void aDowngradeMayProlongWhatItFinds() {
		AttemptId writer = client("jvm-1").hold(key(), shortTtl());
		AttemptId reader = downgrade(writer);
		pass(shortTtl().plus(expirySlack()));
		client("jvm-1").assertHoldsShare(key(), reader);
		assertThat(client("jvm-2").acquire(key(), AttemptId.random())).isInstanceOf(Refused.class);
	}

	@ContractTest
	default void aDowngradeWithoutAnAnswerCanBeSentAgainAndGivenBack() {
		for (int i = 0; i < OutcomeContractTests.TIMEOUTS; i++) {
			LockKey next = LockKey.of("contract", key().parts().get(0), "unknown downgrade", i);
			Duration scarce = OutcomeContractTests.scarce(i);
			AttemptId writer = client("jvm-1").hold(next);
			AttemptId reader = AttemptId.random();
			Optional<DowngradeReply> reply = StoreClient.outcome(((SharedLockStore) client("jvm-1").store())
				.downgrade(new DowngradeCommand(next, writer, reader, StoreClient.LONG_TTL, scarce)), scarce);
			reply.ifPresent((answer) -> assertThat(answer).isInstanceOf(Downgraded.class));
			client("jvm-1").awaitAnswers(key());
			if (i % 2 == 0) {
				assertThat(client("jvm-1").downgrade(next, writer, reader, StoreClient.LONG_TTL))
					.isInstanceOf(Downgraded.class);
			}
			if (client("jvm-1").release(next, writer) instanceof ReleaseReply.NotOwner) {
				assertThat(client("jvm-1").releaseShare(next, reader)).isEqualTo(new ReleaseReply.Released(false));
			}
			AttemptId other = client("jvm-2").hold(next);
			pass(scarce.plusMillis(1));
			client("jvm-2").assertHolds(next, other);
		}
	}

	@ContractTest
	default void aDowngradedLockIsShownAsShared() {
		assumeThat(client("jvm-1").store()).isInstanceOf(InspectableLockStore.class);
		AttemptId writer = client("jvm-1").hold(key());
		AttemptId reader = AttemptId.random();
		Downgraded shared = (Downgraded) client("jvm-1").downgrade(key(), writer, reader, StoreClient.LONG_TTL);
		StoredLock seen = client("jvm-2").inspect(key()).orElseThrow();
		assertThat(seen.state()).isEqualTo(StoredLock.State.SHARED);
		assertThat(seen.shares()).singleElement().satisfies((share) -> {
			assertThat(share.instance()).isEqualTo(client("jvm-1").instance());
			assertThat(share.state()).isEqualTo(StoredLock.State.HELD);
			assertThat(share.token()).isEqualTo(shared.token());
		});
		assertThat(client("jvm-2").forceRelease(key(), shared.token())).isTrue();
		client("jvm-1").assertHoldsNoShare(key(), reader);
		client("jvm-2").hold(key());
	}

	private AttemptId downgrade(AttemptId writer) {
		AttemptId reader = AttemptId.random();
		assertThat(client("jvm-1").downgrade(key(), writer, reader, StoreClient.LONG_TTL))
			.isInstanceOf(Downgraded.class);
		return reader;
	}

}
