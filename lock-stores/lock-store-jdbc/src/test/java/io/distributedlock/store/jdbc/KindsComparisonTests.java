package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

import com.zaxxer.hikari.HikariDataSource;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.Share;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.SharedLockStore;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import io.distributedlock.store.jdbc.server.PostgresServer;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.InMemoryLockStore;
import io.distributedlock.test.ManualTicker;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Sends the same random commands of all kinds to the database and to the in-memory store,
 * and demands the same answers and the same picture of the lock after each. Nothing
 * expires meanwhile. {@code -Dkinds.seed} repeats a failed run.
 */
class KindsComparisonTests {

	private static final Duration TTL = Duration.ofMinutes(5);

	private static final Duration TIMEOUT = Duration.ofSeconds(5);

	private static final int JVMS = 3;

	private static final int STEPS = 60;

	@Test
	void allKindsBehaveOnH2AsTheyDoInMemory() {
		try (HikariDataSource pool = Databases.pool("jdbc:h2:mem:kinds", 20)) {
			Databases.initialize(pool);
			compare(pool, 20);
		}
	}

	@Test
	void allKindsBehaveOnPostgresAsTheyDoInMemory() {
		try (PostgresServer server = PostgresServer.start(); HikariDataSource pool = Databases.pool(server.url(), 20)) {
			Databases.initialize(pool);
			compare(pool, 8);
		}
	}

	private static void compare(HikariDataSource pool, int episodes) {
		long seed = Long.getLong("kinds.seed", System.nanoTime());
		InMemoryLockServer memory = InMemoryLockServer.builder().ticker(new ManualTicker()).build();
		List<Jvm> jvms = new ArrayList<>();
		try {
			for (int i = 0; i < JVMS; i++) {
				JdbcLockStore store = JdbcLockStore.builder(pool)
					.instanceId("jvm-" + i)
					.parallelism(2)
					.reservation(TTL)
					.queueEntryTtl(TTL)
					.build();
				InMemoryLockStore model = memory.connect("jvm-" + i);
				store.subscribe(new Deaf());
				model.subscribe(new Deaf());
				jvms.add(new Jvm("jvm-" + i, store, model));
			}
			for (int episode = 0; episode < episodes; episode++) {
				Comparison comparison = new Comparison(jvms, LockKey.of("kinds", episode), seed + episode);
				for (int step = 0; step < STEPS; step++) {
					comparison.step();
				}
			}
		}
		finally {
			jvms.forEach((jvm) -> jvm.store().close());
		}
	}

	private enum Kind {

		ALONE(null), FAIR(null), READER(Share.READERS), PERMIT(new Share.Permits(2));

		private final @Nullable Share share;

		Kind(@Nullable Share share) {
			this.share = share;
		}

	}

	private record Jvm(String name, JdbcLockStore store, InMemoryLockStore model) {
	}

	private record Caller(Jvm jvm, Kind kind, AttemptId attempt) {
	}

	/**
	 * One lock.
	 */
	private static final class Comparison {

		private final List<Jvm> jvms;

		private final LockKey key;

		private final Random random;

		private final long seed;

		private final List<Caller> waiting = new ArrayList<>();

		private final List<Caller> holding = new ArrayList<>();

		private final List<Caller> ended = new ArrayList<>();

		private final StringBuilder log = new StringBuilder();

		private long lastToken;

		Comparison(List<Jvm> jvms, LockKey key, long seed) {
			this.jvms = jvms;
			this.key = key;
			this.seed = seed;
			this.random = new Random(seed);
		}

		void step() {
			int dice = this.random.nextInt(100);
			if (dice < 8 && !this.ended.isEmpty()) {
				late(any(this.ended));
			}
			else if (dice < 45 && !this.holding.isEmpty()) {
				use(any(this.holding));
			}
			else if (dice < 75 && !this.waiting.isEmpty()) {
				wait(any(this.waiting));
			}
			else {
				Kind kind = Kind.values()[this.random.nextInt(Kind.values().length)];
				boolean wait = kind == Kind.FAIR || this.random.nextInt(4) > 0;
				ask(new Caller(any(this.jvms), kind, AttemptId.random()), wait, "asks");
			}
			Caller anybody = new Caller(this.jvms.get(0), Kind.ALONE, AttemptId.random());
			both(anybody, "inspects", (store) -> ((InspectableLockStore) store).inspect(this.key, TIMEOUT)
				.thenApply((found) -> found.map(Comparison::describe).orElse("nothing")));
		}

		private void ask(Caller caller, boolean wait, String what) {
			AcquireReply reply = both(caller, wait ? what + " and waits" : what, (store) -> asked(store, caller, wait));
			this.waiting.remove(caller);
			if (reply instanceof AcquireReply.Granted granted) {
				if (!this.holding.contains(caller)) {
					checkToken(caller, granted.firstToken());
					this.holding.add(caller);
				}
			}
			else if (wait) {
				// A newer attempt takes the place of the older one.
				this.waiting.removeIf((other) -> other.jvm() == caller.jvm() && other.kind() == caller.kind()
						&& (other.kind() == Kind.ALONE || other.kind() == Kind.READER) && this.ended.add(other));
				this.waiting.add(caller);
			}
			else {
				this.ended.add(caller);
			}
		}

		private CompletionStage<AcquireReply> asked(SharedLockStore store, Caller caller, boolean wait) {
			Share share = caller.kind().share;
			if (share != null) {
				return store
					.acquireShared(new SharedAcquireCommand(this.key, caller.attempt(), share, TTL, wait, TIMEOUT));
			}
			AcquireCommand command = new AcquireCommand(this.key, caller.attempt(), TTL, 1, false, TIMEOUT);
			if (caller.kind() == Kind.FAIR) {
				return ((FairLockStore) store).acquireInOrder(List.of(command)).thenApply((replies) -> replies.get(0));
			}
			return wait ? store.acquireOrEnqueue(command) : store.acquire(command);
		}

		private void checkToken(Caller caller, long token) {
			if (caller.kind() == Kind.READER) {
				assertThat(token).as("token after%n%s", this.log).isGreaterThanOrEqualTo(this.lastToken);
			}
			else {
				assertThat(token).as("token after%n%s", this.log).isGreaterThan(this.lastToken);
			}
			this.lastToken = Math.max(this.lastToken, token);
		}

		private void wait(Caller caller) {
			if (this.random.nextInt(6) == 0) {
				abandon(caller);
				end(caller);
			}
			else {
				ask(caller, true, "asks again");
			}
		}

		private void use(Caller caller) {
			switch (this.random.nextInt(9)) {
				case 0 -> renew(caller);
				case 1 -> extend(caller);
				case 2 -> ask(caller, true, "asks again");
				case 3 -> {
					abandon(caller);
					end(caller);
				}
				case 4 -> forceRelease(caller);
				default -> {
					release(caller);
					end(caller);
				}
			}
		}

		private void late(Caller caller) {
			switch (this.random.nextInt(4)) {
				case 0 -> renew(caller);
				case 1 -> extend(caller);
				case 2 -> abandon(caller);
				default -> release(caller);
			}
		}

		private void renew(Caller caller) {
			List<RenewCommand> commands = List.of(new RenewCommand(this.key, caller.attempt(), TTL, TIMEOUT));
			both(caller, "renews",
					(store) -> (caller.kind().share != null) ? store.renewShared(commands) : store.renew(commands));
		}

		private void extend(Caller caller) {
			ExtendCommand command = new ExtendCommand(this.key, caller.attempt(), TTL, 3, TIMEOUT);
			ExtendReply reply = both(caller, "extends",
					(store) -> (caller.kind().share != null) ? store.extendShared(command) : store.extend(command));
			if (reply instanceof ExtendReply.Extended extended && caller.kind().share == null) {
				this.lastToken = extended.firstToken() + extended.tokens() - 1;
			}
		}

		private void abandon(Caller caller) {
			AbandonCommand command = new AbandonCommand(this.key, caller.attempt(), TIMEOUT);
			both(caller, "abandons",
					(store) -> ((caller.kind().share != null) ? store.abandonShared(command) : store.abandon(command))
						.thenApply((done) -> "done"));
		}

		private void forceRelease(Caller caller) {
			both(caller, "ends by force",
					(store) -> ((InspectableLockStore) store).inspect(this.key, TIMEOUT)
						.thenCompose((found) -> ((InspectableLockStore) store).forceRelease(this.key, found
							.map((lock) -> lock.shares().isEmpty() ? lock.firstToken() : lock.shares().get(0).token())
							.orElse(0L), TIMEOUT)));
			this.ended.addAll(this.holding);
			this.holding.clear();
		}

		private void release(Caller caller) {
			Duration keepFor = (this.random.nextInt(40) == 0) ? TTL : Duration.ZERO;
			ReleaseCommand command = new ReleaseCommand(this.key, caller.attempt(), keepFor, TIMEOUT);
			ReleaseReply reply = both(caller, "releases, keep for " + keepFor, (store) -> {
				if (caller.kind().share != null) {
					return store.releaseShared(command);
				}
				return (caller.kind() == Kind.FAIR && keepFor.isZero())
						? ((FairLockStore) store).releaseInOrder(command, TTL) : store.release(command);
			});
			if (reply instanceof ReleaseReply.Passed passed) {
				Caller next = this.waiting.stream()
					.filter((other) -> other.attempt().equals(passed.attempt()))
					.findFirst()
					.orElseThrow();
				this.waiting.remove(next);
				checkToken(next, passed.token());
				this.holding.add(next);
			}
		}

		private void end(Caller caller) {
			this.waiting.remove(caller);
			this.holding.remove(caller);
			this.ended.add(caller);
		}

		private <T> T both(Caller caller, String what, Function<SharedLockStore, CompletionStage<T>> command) {
			T expected = StoreFixture.get(command.apply(caller.jvm().model()));
			T actual = StoreFixture.get(command.apply(caller.jvm().store()));
			this.log.append(caller.jvm().name())
				.append(' ')
				.append(caller.kind())
				.append(' ')
				.append(caller.attempt())
				.append(' ')
				.append(what)
				.append(" -> ")
				.append(describe(expected))
				.append('\n');
			assertThat(describe(actual)).as("last answer, seed %s, after%n%s", this.seed, this.log)
				.isEqualTo(describe(expected));
			return actual;
		}

		private static String describe(Object reply) {
			if (reply instanceof AcquireReply.Refused refused) {
				return "Refused, queued: " + refused.queued();
			}
			if (reply instanceof ReleaseReply.Passed passed) {
				return "Passed to " + passed.attempt();
			}
			return (reply instanceof AcquireReply || reply instanceof ExtendReply) ? reply.getClass().getSimpleName()
					: reply.toString();
		}

		private static String describe(StoredLock lock) {
			return lock.state() + " " + lock.instance() + ", queue "
					+ lock.queue().stream().map(QueuedInstance::instance).toList() + ", shares "
					+ lock.shares().stream().map((share) -> share.state() + " " + share.instance()).sorted().toList();
		}

		private <T> T any(List<T> all) {
			return all.get(this.random.nextInt(all.size()));
		}

	}

	private static final class Deaf implements SignalReceiver {

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			// They ask again at random.
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			// Told by the answers.
		}

		@Override
		public void resumed() {
			// Nothing is lost that anybody waits for.
		}

	}

}
