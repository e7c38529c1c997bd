package io.distributedlock.test;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.test.InMemoryLockServer.Builder;

/**
 * Mistakes in the queue, in signals and in showing a lock.
 */
enum PlantedQueueBug implements PlantedBug {

	RESERVES_FOR_EVER("aReservationExpiresAndThenAnybodyGetsTheLock",
			"aWaiterThatDiesWithAReservationHoldsUpTheOthersNoLongerThanThat") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public Duration reservation() {
					return Duration.ofSeconds(1);
				}
			};
		}

		@Override
		public Builder server(Builder server) {
			return server.reservation(FOR_EVER);
		}
	},

	RESERVES_TOO_SHORT("aReleasedLockIsKeptForTheFirstWaiter", "aWaiterWhoseSignalWasLostIsServedWhenItAsksAgain",
			"aReservationExpiresAndThenAnybodyGetsTheLock") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public Duration reservation() {
					return Duration.ofSeconds(1);
				}
			};
		}

		@Override
		public Builder server(Builder server) {
			return server.reservation(Duration.ofMillis(200));
		}
	},

	SERVES_DEAD_WAITERS("aWaiterThatDoesNotAskAgainIsSkipped", "aWaiterThatDiedIsNotShownAsAlive") {
		@Override
		public Builder server(Builder server) {
			return server.queueEntryTtl(FOR_EVER);
		}
	},

	QUEUES_WHO_DOES_NOT_WAIT("randomCommandsAreAnsweredAsByTheInMemoryStore", "oneTryLeavesNoPlaceInTheQueue") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return super.acquireOrEnqueue(command);
				}
			};
		}
	},

	SENDS_WAITERS_TO_THE_END_WHEN_THEY_ASK_AGAIN("randomCommandsAreAnsweredAsByTheInMemoryStore",
			"aWaiterThatAsksAgainKeepsItsPlace", "aNewerAttemptTakesThePlaceOfTheOlderOne",
			"abandoningAnOlderAttemptLeavesTheNewerOneItsPlace") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			Map<LockKey, AttemptId> places = new ConcurrentHashMap<>();
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
					AttemptId before = places.put(command.key(), command.attempt());
					boolean reserved = PlantedBug.now(inspect(command.key(), command.timeout()))
						.filter((lock) -> lock.state() == StoredLock.State.RESERVED)
						.isPresent();
					if (before != null && !reserved) {
						PlantedBug.now(super.abandon(new AbandonCommand(command.key(), before, command.timeout())));
					}
					return super.acquireOrEnqueue(command);
				}

				@Override
				public CompletionStage<Void> abandon(AbandonCommand command) {
					// By JVM, not by attempt.
					AttemptId place = places.remove(command.key());
					return super.abandon(
							(place == null) ? command : new AbandonCommand(command.key(), place, command.timeout()));
				}
			};
		}
	},

	GIVES_A_SUCCESSOR_THE_LOCK_BEFORE_ITS_TURN("randomCommandsAreAnsweredAsByTheInMemoryStore",
			"aReleaseWithASuccessorPutsItBehindTheOthers", "aManyTimesContendedLockIsServedRoundRobin",
			"aSuccessorIsToldWhenItsTurnHasCome") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
					return PlantedBug.reply(new ReleaseReply.Succeeded(1, 1));
				}
			};
		}
	},

	FORGETS_THE_SUCCESSOR_OF_A_RELEASE_SENT_AGAIN("aReleaseWithASuccessorGivesItTheLockIfNobodyElseWaits") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
					RenewCommand holds = new RenewCommand(command.key(), command.attempt(), successor.ttl(),
							command.timeout());
					boolean owner = PlantedBug.now(renew(List.of(holds))).get(0).equals(RenewReply.RENEWED);
					return owner ? super.releaseAndEnqueue(command, successor)
							: PlantedBug.reply(new ReleaseReply.NotOwner());
				}
			};
		}
	},

	QUEUES_THE_SUCCESSOR_OF_AN_ENDED_GRANT("aReleaseOfAnEndedGrantGivesItsSuccessorNothing") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
					ReleaseReply reply = PlantedBug.now(super.releaseAndEnqueue(command, successor));
					acquireOrEnqueue(new AcquireCommand(command.key(), successor.attempt(), successor.ttl(), 1, true,
							command.timeout()));
					return PlantedBug.reply(reply);
				}
			};
		}
	},

	SIGNALS_NOBODY("theFirstWaiterIsToldOfItsReservationAndNobodyElse", "theHolderIsToldOfAForcedRelease") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public void subscribe(SignalReceiver receiver) {
					super.subscribe(new SignalReceiver() {
						@Override
						public void reserved(String keyId, AttemptId attempt) {
						}

						@Override
						public void revoked(String keyId, AttemptId attempt) {
						}

						@Override
						public void resumed() {
						}
					});
				}
			};
		}
	},

	FORCES_A_RELEASE_WITH_ANY_TOKEN("aForcedReleaseNeedsATokenOfTheGrant") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
					Optional<StoredLock> lock = PlantedBug.now(inspect(key, timeout));
					return super.forceRelease(key, lock.map(StoredLock::firstToken).orElse(token), timeout);
				}
			};
		}
	},

	SHOWS_LOCKS_THAT_ARE_FREE("nothingIsKnownOfALockThatNobodyUses", "nothingIsLeftOfALongQueue") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
					return super.inspect(key, timeout).thenApply((lock) -> lock.or(() -> Optional
						.of(new StoredLock(key, name(), StoredLock.State.FREE, null, 0, 0, Duration.ZERO, List.of()))));
				}
			};
		}
	};

	private static final Duration FOR_EVER = Duration.ofDays(3650);

	private final List<String> caughtBy;

	PlantedQueueBug(String... caughtBy) {
		this.caughtBy = List.of(caughtBy);
	}

	@Override
	public List<String> caughtBy() {
		return this.caughtBy;
	}

}
