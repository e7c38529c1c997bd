package io.distributedlock.test;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

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
 * Mistakes in granting, renewing and ending a lock.
 */
enum PlantedGrantBug implements PlantedBug {

	GRANTS_EVERYBODY("heldMeansNobodyElseCanAcquire", "holdersNeverOverlapAndEachHasAHigherToken",
			"ofManyThatAskForManyKeysAtOnceOneGetsEach") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			AtomicLong token = new AtomicLong(System.nanoTime());
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return PlantedBug.reply(new Granted(token.incrementAndGet(), 1));
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
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
					return PlantedBug.reply(new ReleaseReply.Released(false));
				}
			};
		}
	},

	RELEASES_BY_NAME("randomCommandsAreAnsweredAsByTheInMemoryStore", "aForeignReleaseIsRefused",
			"aReleaseAfterLossDoesNotTouchTheNextHolder", "aReleaseThatIsSentAgainDoesNotTouchTheNextHolder") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
					ReleaseReply reply = PlantedBug.now(super.release(command));
					if (reply instanceof ReleaseReply.NotOwner) {
						PlantedBug.now(inspect(command.key(), command.timeout()))
							.ifPresent((lock) -> PlantedBug
								.now(forceRelease(command.key(), lock.firstToken(), command.timeout())));
						return PlantedBug.reply(new ReleaseReply.Released(false));
					}
					return PlantedBug.reply(reply);
				}
			};
		}
	},

	FORGETS_TO_EXPIRE("aGrantEndsAfterItsTtl", "aRenewalAfterLossIsRefusedAndNeverMakesTheGrantAgain") {
		@Override
		public LockStore store(InMemoryLockStore good) {
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
		public LockStore store(InMemoryLockStore good) {
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
		public LockStore store(InMemoryLockStore good) {
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
		public LockStore store(InMemoryLockStore good) {
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
		public Builder server(Builder server) {
			// With a clock that stands still, so that it does not hide the mistake.
			return server.wallClock(() -> Instant.EPOCH);
		}
	},

	RENEWS_WHAT_IT_HAS_LOST("aRenewalAfterLossIsRefusedAndNeverMakesTheGrantAgain",
			"aBatchOfRenewalsIsAnsweredInOrder") {
		@Override
		public LockStore store(InMemoryLockStore good) {
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
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
					return PlantedBug.reply(commands.stream().map((command) -> RenewReply.RENEWED).toList());
				}
			};
		}
	},

	MIXES_UP_A_BATCH("aBatchOfRenewalsIsAnsweredInOrder") {
		@Override
		public LockStore store(InMemoryLockStore good) {
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
		public LockStore store(InMemoryLockStore good) {
			Map<AttemptId, AcquireReply> granted = new ConcurrentHashMap<>();
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					AcquireReply before = granted.get(command.attempt());
					if (before != null) {
						return PlantedBug.reply(before);
					}
					AcquireReply reply = PlantedBug.now(super.acquire(command));
					if (reply instanceof Granted) {
						granted.put(command.attempt(), reply);
					}
					return PlantedBug.reply(reply);
				}
			};
		}
	},

	ANSWERS_AGAIN_WITH_A_NEW_GRANT("theSameAttemptAskedAgainGetsTheSameGrantWithItsFullTtl") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					PlantedBug.now(super.release(
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
		public LockStore store(InMemoryLockStore good) {
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
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
					if (command.keepFor().isZero()) {
						return super.release(command);
					}
					RenewCommand keep = new RenewCommand(command.key(), command.attempt(), command.keepFor(),
							command.timeout());
					boolean kept = PlantedBug.now(super.renew(List.of(keep))).get(0).equals(RenewReply.RENEWED);
					return PlantedBug.reply(kept ? new ReleaseReply.Released(false) : new ReleaseReply.NotOwner());
				}
			};
		}
	},

	ABANDONS_ONLY_GRANTS("randomCommandsAreAnsweredAsByTheInMemoryStore", "anAbandonedReservationGoesToTheNextWaiter",
			"anAbandonedReservationThatNobodyElseWaitsForIsFree", "anAbandonedPlaceIsNotServed",
			"whoeverIsNextAfterAnAbandonedReservationIsTold") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Void> abandon(AbandonCommand command) {
					PlantedBug.now(super.release(
							new ReleaseCommand(command.key(), command.attempt(), Duration.ZERO, command.timeout())));
					return CompletableFuture.completedFuture(null);
				}
			};
		}
	},

	ABANDONS_WHAT_OTHERS_HAVE("abandoningWhatHasNothingIsHarmless") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<Void> abandon(AbandonCommand command) {
					PlantedBug.now(inspect(command.key(), command.timeout()))
						.ifPresent((lock) -> PlantedBug
							.now(forceRelease(command.key(), lock.firstToken(), command.timeout())));
					return super.abandon(command);
				}
			};
		}
	},

	ABANDONS_NOTHING("anAbandonedGrantIsFree", "anAbandonedGrantGoesToTheFirstWaiter") {
		@Override
		public LockStore store(InMemoryLockStore good) {
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
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ExtendReply> extend(ExtendCommand command) {
					Optional<StoredLock> lock = PlantedBug.now(inspect(command.key(), command.timeout()));
					Duration left = lock.map(StoredLock::remaining).orElse(command.ttl());
					return super.extend(new ExtendCommand(command.key(), command.attempt(), left, command.tokens(),
							command.timeout()));
				}
			};
		}
	},

	NEVER_YIELDS("randomCommandsAreAnsweredAsByTheInMemoryStore", "aGrantThatOthersWaitForYields") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			AtomicLong token = new AtomicLong(Long.MAX_VALUE >>> 12);
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<ExtendReply> extend(ExtendCommand command) {
					ExtendReply reply = PlantedBug.now(super.extend(command));
					return PlantedBug.reply((reply instanceof ExtendReply.Yield)
							? new ExtendReply.Extended(token.addAndGet(command.tokens()), command.tokens()) : reply);
				}
			};
		}
	},

	CONFUSES_ODD_KEYS("differentKeysAreDifferentLocks") {
		@Override
		public LockStore store(InMemoryLockStore good) {
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

	EXECUTES_AN_ACQUIRE_AFTER_IT_HAS_FAILED("anAcquireWithoutAnAnswerLeavesNothingOnceItIsAbandoned",
			"aWaiterWithoutAnAnswerHasNoPlaceOnceItIsAbandoned") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {

				private final Queue<Runnable> late = new ConcurrentLinkedQueue<>();

				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return inTime(command, () -> super.acquire(command));
				}

				@Override
				public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
					return inTime(command, () -> super.acquireOrEnqueue(command));
				}

				private CompletionStage<AcquireReply> inTime(AcquireCommand command,
						Supplier<CompletionStage<AcquireReply>> acquire) {
					if (command.timeout().compareTo(Duration.ofMillis(1)) > 0) {
						return acquire.get();
					}
					this.late.add(acquire::get);
					return CompletableFuture.failedFuture(HeldRequest.noReply(command.timeout()));
				}

				@Override
				public CompletionStage<Void> abandon(AbandonCommand command) {
					CompletionStage<Void> abandoned = super.abandon(command);
					for (Runnable next = this.late.poll(); next != null; next = this.late.poll()) {
						next.run();
					}
					return abandoned;
				}
			};
		}
	},

	TAKES_AN_UNKNOWN_RENEWAL_FOR_A_LOSS("aRenewalWithoutAnAnswerIsReportedAsFailedAndHarmsNothing") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
					return (commands.get(0).timeout().compareTo(Duration.ofMillis(1)) > 0) ? super.renew(commands)
							: PlantedBug.reply(Collections.nCopies(commands.size(), RenewReply.NOT_OWNER));
				}
			};
		}
	},

	FORGETS_COMMANDS_WHEN_IT_IS_CLOSED("whatIsUnderWayWhenAStoreIsClosedIsAnsweredAllTheSame") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					return command.key().id().endsWith("unknown:31") ? new CompletableFuture<>()
							: super.acquire(command);
				}
			};
		}
	},

	SAYS_OF_EVERY_FAILURE_THAT_IT_MAY_HAVE_BEEN_EXECUTED("aFailureTellsWhatIsKnownOfIt") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					CompletableFuture<AcquireReply> reply = new CompletableFuture<>();
					super.acquire(command).whenComplete((answer, failure) -> {
						if (failure != null) {
							reply.completeExceptionally(HeldRequest.noReply(command.timeout()));
						}
						else {
							reply.complete(answer);
						}
					});
					return reply;
				}
			};
		}
	},

	WRAPS_ITS_FAILURES("commandsOfAClosedStoreFailWithAStoreException") {
		@Override
		public LockStore store(InMemoryLockStore good) {
			return new ForwardingLockStore(good) {
				@Override
				public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
					// Turns the StoreException into a CompletionException around it.
					return super.acquire(command).thenApply((reply) -> reply);
				}
			};
		}
	};

	private static final Duration FOR_EVER = Duration.ofDays(3650);

	private final List<String> caughtBy;

	PlantedGrantBug(String... caughtBy) {
		this.caughtBy = List.of(caughtBy);
	}

	@Override
	public List<String> caughtBy() {
		return this.caughtBy;
	}

}
