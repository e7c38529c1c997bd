package io.distributedlock.test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.test.InMemoryLockServer.Builder;

/**
 * Mistakes that stores have been seen to make, and the contract tests that must catch
 * them.
 */
enum PlantedBug {

	GRANTS_EVERYBODY("heldMeansNobodyElseCanAcquire", "holdersNeverOverlapAndEachHasAHigherToken",
			"ofManyThatAskForManyKeysAtOnceOneGetsEach") {
		@Override
		LockStore store(InMemoryLockStore good) {
			AtomicLong token = new AtomicLong(System.nanoTime());
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return reply(new Granted(token.incrementAndGet(), 1));
				}

				@Override
				public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
					return acquire(command);
				}
			};
		}
	},

	NEVER_RELEASES("releasedMeansSomeoneElseCanAcquire") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
					return reply(new ReleaseReply.Released(false));
				}
			};
		}
	},

	RELEASES_BY_NAME("aForeignReleaseIsRefused", "aReleaseAfterLossDoesNotTouchTheNextHolder",
			"aReleaseThatIsSentAgainDoesNotTouchTheNextHolder") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
					ReleaseReply reply = now(super.release(command));
					if (reply instanceof ReleaseReply.NotOwner) {
						now(inspect(command.key(), command.timeout())).ifPresent(
								(lock) -> now(forceRelease(command.key(), lock.firstToken(), command.timeout())));
						return reply(new ReleaseReply.Released(false));
					}
					return reply(reply);
				}
			};
		}
	},

	FORGETS_TO_EXPIRE("aGrantEndsAfterItsTtl", "aRenewalAfterLossIsRefusedAndNeverMakesTheGrantAgain") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return super.acquire(new AcquireCommand(command.key(), command.attempt(), FOR_EVER,
							command.tokens(), command.repeated(), command.timeout()));
				}
			};
		}
	},

	EXPIRES_TOO_SOON("aGrantEndsAfterItsTtl", "theSameAttemptAskedAgainGetsTheSameGrantWithItsFullTtl") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return super.acquire(new AcquireCommand(command.key(), command.attempt(),
							command.ttl().multipliedBy(9).dividedBy(10), command.tokens(), command.repeated(),
							command.timeout()));
				}
			};
		}
	},

	GIVES_THE_SAME_TOKENS_TO_EVERYBODY("tokensRiseFromGrantToGrant", "tokensRiseAfterAGrantHasExpired",
			"holdersNeverOverlapAndEachHasAHigherToken", "aClaimHasItsFullTtlAndAHigherToken") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return spoil(super.acquire(command));
				}

				@Override
				public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
					return spoil(super.acquireOrEnqueue(command));
				}

				private CompletionStage<AcquireReply> spoil(CompletionStage<AcquireReply> reply) {
					return reply.thenApply((given) -> (given instanceof Granted) ? new Granted(1, 1) : given);
				}
			};
		}
	},

	REMEMBERS_ONLY_THE_FIRST_TOKEN_OF_A_BLOCK("tokensRiseFromGrantToGrant", "tokensRiseAfterAGrantHasExpired") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return super.acquire(new AcquireCommand(command.key(), command.attempt(), command.ttl(), 1,
							command.repeated(), command.timeout()))
						.thenApply((reply) -> (reply instanceof Granted granted)
								? new Granted(granted.firstToken(), command.tokens()) : reply);
				}
			};
		}

		@Override
		Builder server(Builder server) {
			// With a clock that stands still, so that it does not hide the mistake.
			return server.wallClock(() -> Instant.EPOCH);
		}
	},

	RENEWS_WHAT_IT_HAS_LOST("aRenewalAfterLossIsRefusedAndNeverMakesTheGrantAgain",
			"aBatchOfRenewalsIsAnsweredInOrder") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
					commands.forEach((command) -> acquire(new AcquireCommand(command.key(), command.attempt(),
							command.ttl(), 1, true, Duration.ofSeconds(1))));
					return super.renew(commands);
				}
			};
		}
	},

	RENEWS_WITHOUT_TTL("aRenewedGrantOutlivesItsTtl") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
					return reply(commands.stream().map((command) -> RenewReply.RENEWED).toList());
				}
			};
		}
	},

	MIXES_UP_A_BATCH("aBatchOfRenewalsIsAnsweredInOrder") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
					return super.renew(commands).thenApply((replies) -> {
						List<RenewReply> mixed = new ArrayList<>(replies);
						Collections.reverse(mixed);
						return mixed;
					});
				}
			};
		}
	},

	ANSWERS_AGAIN_WITHOUT_A_FRESH_TTL("theSameAttemptAskedAgainGetsTheSameGrantWithItsFullTtl") {
		@Override
		LockStore store(InMemoryLockStore good) {
			Map<AttemptId, AcquireReply> granted = new ConcurrentHashMap<>();
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					AcquireReply before = granted.get(command.attempt());
					if (before != null) {
						return reply(before);
					}
					AcquireReply reply = now(super.acquire(command));
					if (reply instanceof Granted) {
						granted.put(command.attempt(), reply);
					}
					return reply(reply);
				}
			};
		}
	},

	ANSWERS_AGAIN_WITH_A_NEW_GRANT("theSameAttemptAskedAgainGetsTheSameGrantWithItsFullTtl") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					now(super.release(
							new ReleaseCommand(command.key(), command.attempt(), Duration.ZERO, command.timeout())));
					return super.acquire(command);
				}
			};
		}
	},

	FORGETS_TO_KEEP_A_RELEASED_LOCK("aLockThatIsKeptAfterItsReleaseStaysTakenByNobody",
			"aLockCanBeKeptLongerThanItsGrantWouldHaveLived", "noWaiterIsServedBeforeAKeptLockIsFree",
			"aKeptLockIsShownAsCooling") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
					return super.release(
							new ReleaseCommand(command.key(), command.attempt(), Duration.ZERO, command.timeout()));
				}
			};
		}
	},

	KEEPS_A_RELEASED_LOCK_FOR_ITS_OWNER("aLockThatIsKeptAfterItsReleaseStaysTakenByNobody") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
					if (command.keepFor().isZero()) {
						return super.release(command);
					}
					RenewCommand keep = new RenewCommand(command.key(), command.attempt(), command.keepFor());
					boolean kept = now(super.renew(List.of(keep))).get(0).equals(RenewReply.RENEWED);
					return reply(kept ? new ReleaseReply.Released(false) : new ReleaseReply.NotOwner());
				}
			};
		}
	},

	ABANDONS_ONLY_GRANTS("anAbandonedReservationGoesToTheNextWaiter",
			"anAbandonedReservationThatNobodyElseWaitsForIsFree", "anAbandonedPlaceIsNotServed",
			"whoeverIsNextAfterAnAbandonedReservationIsTold") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Void> abandon(AbandonCommand command) {
					now(super.release(
							new ReleaseCommand(command.key(), command.attempt(), Duration.ZERO, command.timeout())));
					return CompletableFuture.completedFuture(null);
				}
			};
		}
	},

	ABANDONS_WHAT_OTHERS_HAVE("abandoningWhatHasNothingIsHarmless") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Void> abandon(AbandonCommand command) {
					now(inspect(command.key(), command.timeout()))
						.ifPresent((lock) -> now(forceRelease(command.key(), lock.firstToken(), command.timeout())));
					return super.abandon(command);
				}
			};
		}
	},

	ABANDONS_NOTHING("anAbandonedGrantIsFree", "anAbandonedGrantGoesToTheFirstWaiter") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Void> abandon(AbandonCommand command) {
					return CompletableFuture.completedFuture(null);
				}
			};
		}
	},

	EXTENDS_WITHOUT_TTL("aGrantThatNobodyWaitsForIsExtendedWithItsFullTtl") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ExtendReply> extend(ExtendCommand command) {
					Optional<StoredLock> lock = now(inspect(command.key(), command.timeout()));
					Duration left = lock.map(StoredLock::remaining).orElse(command.ttl());
					return super.extend(new ExtendCommand(command.key(), command.attempt(), left, command.tokens(),
							command.timeout()));
				}
			};
		}
	},

	NEVER_YIELDS("aGrantThatOthersWaitForYields") {
		@Override
		LockStore store(InMemoryLockStore good) {
			AtomicLong token = new AtomicLong(Long.MAX_VALUE >>> 12);
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ExtendReply> extend(ExtendCommand command) {
					ExtendReply reply = now(super.extend(command));
					return reply((reply instanceof ExtendReply.Yield)
							? new ExtendReply.Extended(token.addAndGet(command.tokens()), command.tokens()) : reply);
				}
			};
		}
	},

	CONFUSES_ODD_KEYS("differentKeysAreDifferentLocks") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					String joined = String.join(":", command.key().parts());
					LockKey careless = LockKey.of(command.key().name(), joined.isEmpty() ? "-" : joined);
					return super.acquire(new AcquireCommand(careless, command.attempt(), command.ttl(),
							command.tokens(), command.repeated(), command.timeout()));
				}
			};
		}
	},

	WRAPS_ITS_FAILURES("commandsOfAClosedStoreFailWithAStoreException") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					// Turns the StoreException into a CompletionException around it.
					return super.acquire(command).thenApply((reply) -> reply);
				}
			};
		}
	},

	RESERVES_FOR_EVER("aReservationExpiresAndThenAnybodyGetsTheLock",
			"aWaiterThatDiesWithAReservationHoldsUpTheOthersNoLongerThanThat") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public Duration reservation() {
					return Duration.ofSeconds(1);
				}
			};
		}

		@Override
		Builder server(Builder server) {
			return server.reservation(FOR_EVER);
		}
	},

	RESERVES_TOO_SHORT("aReleasedLockIsKeptForTheFirstWaiter", "aWaiterWhoseSignalWasLostIsServedWhenItAsksAgain",
			"aReservationExpiresAndThenAnybodyGetsTheLock") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public Duration reservation() {
					return Duration.ofSeconds(1);
				}
			};
		}

		@Override
		Builder server(Builder server) {
			return server.reservation(Duration.ofMillis(200));
		}
	},

	SERVES_DEAD_WAITERS("aWaiterThatDoesNotAskAgainIsSkipped", "aWaiterThatDiedIsNotShownAsAlive") {
		@Override
		Builder server(Builder server) {
			return server.queueEntryTtl(FOR_EVER);
		}
	},

	QUEUES_WHO_DOES_NOT_WAIT("oneTryLeavesNoPlaceInTheQueue") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return super.acquireOrEnqueue(command);
				}
			};
		}
	},

	SENDS_WAITERS_TO_THE_END_WHEN_THEY_ASK_AGAIN("aWaiterThatAsksAgainKeepsItsPlace",
			"aNewerAttemptTakesThePlaceOfTheOlderOne", "abandoningAnOlderAttemptLeavesTheNewerOneItsPlace") {
		@Override
		LockStore store(InMemoryLockStore good) {
			Map<LockKey, AttemptId> places = new ConcurrentHashMap<>();
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
					AttemptId before = places.put(command.key(), command.attempt());
					boolean reserved = now(inspect(command.key(), command.timeout()))
						.filter((lock) -> lock.state() == StoredLock.State.RESERVED)
						.isPresent();
					if (before != null && !reserved) {
						now(super.abandon(new AbandonCommand(command.key(), before, command.timeout())));
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

	GIVES_A_SUCCESSOR_THE_LOCK_BEFORE_ITS_TURN("aReleaseWithASuccessorPutsItBehindTheOthers",
			"aManyTimesContendedLockIsServedRoundRobin", "aSuccessorIsToldWhenItsTurnHasCome") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
					return reply(new ReleaseReply.Succeeded(1, 1));
				}
			};
		}
	},

	FORGETS_THE_SUCCESSOR_OF_A_RELEASE_SENT_AGAIN("aReleaseWithASuccessorGivesItTheLockIfNobodyElseWaits") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
					RenewCommand holds = new RenewCommand(command.key(), command.attempt(), successor.ttl());
					boolean owner = now(renew(List.of(holds))).get(0).equals(RenewReply.RENEWED);
					return owner ? super.releaseAndEnqueue(command, successor) : reply(new ReleaseReply.NotOwner());
				}
			};
		}
	},

	QUEUES_THE_SUCCESSOR_OF_AN_ENDED_GRANT("aReleaseOfAnEndedGrantGivesItsSuccessorNothing") {
		@Override
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
					ReleaseReply reply = now(super.releaseAndEnqueue(command, successor));
					acquireOrEnqueue(new AcquireCommand(command.key(), successor.attempt(), successor.ttl(), 1, true,
							command.timeout()));
					return reply(reply);
				}
			};
		}
	},

	SIGNALS_NOBODY("theFirstWaiterIsToldOfItsReservationAndNobodyElse", "theHolderIsToldOfAForcedRelease") {
		@Override
		LockStore store(InMemoryLockStore good) {
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
		LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
					Optional<StoredLock> lock = now(inspect(key, timeout));
					return super.forceRelease(key, lock.map(StoredLock::firstToken).orElse(token), timeout);
				}
			};
		}
	},

	SHOWS_LOCKS_THAT_ARE_FREE("nothingIsKnownOfALockThatNobodyUses", "nothingIsLeftOfALongQueue") {
		@Override
		LockStore store(InMemoryLockStore good) {
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

	PlantedBug(String... caughtBy) {
		this.caughtBy = List.of(caughtBy);
	}

	/**
	 * Names the contract tests that must fail.
	 */
	List<String> caughtBy() {
		return this.caughtBy;
	}

	/**
	 * Spoils a store.
	 */
	LockStore store(InMemoryLockStore good) {
		return good;
	}

	/**
	 * Spoils the server.
	 */
	Builder server(Builder server) {
		return server;
	}

	private static <T> CompletionStage<T> reply(T reply) {
		return CompletableFuture.completedFuture(reply);
	}

	private static <T> T now(CompletionStage<T> stage) {
		return stage.toCompletableFuture().join();
	}

}
