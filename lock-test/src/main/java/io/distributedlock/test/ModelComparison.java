package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;

import io.distributedlock.LockInspector.QueuedInstance;
import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import org.jspecify.annotations.Nullable;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Sends the same random commands to a store and to the in-memory store, and demands the
 * same answers. The JVMs behave like engines: each has one attempt at a time, but sends
 * commands of ended ones again. No time passes in the in-memory store, so a comparison is
 * good only while nothing can have expired in the other.
 */
final class ModelComparison {

	private final Random random;

	private final LockKey key;

	private final List<Jvm> jvms;

	private final StringBuilder log = new StringBuilder();

	ModelComparison(List<StoreClient> clients, LockKey key, long seed) {
		InMemoryLockServer server = InMemoryLockServer.builder().ticker(new ManualTicker()).build();
		this.random = new Random(seed);
		this.key = key;
		this.jvms = clients.stream()
			.map((client) -> new Jvm(client, new StoreClient(client.instance(), server.connect(client.instance()))))
			.toList();
	}

	/**
	 * Sends one random command and compares the answers.
	 */
	void step() {
		Jvm jvm = this.jvms.get(this.random.nextInt(this.jvms.size()));
		switch (jvm.state) {
			case IDLE -> idle(jvm);
			case WAITING -> waiting(jvm);
			case HOLDING -> holding(jvm);
		}
		compare(jvm, "inspect", (client) -> client.inspect(this.key).map(ModelComparison::describe).orElse("nothing"));
	}

	private void idle(Jvm jvm) {
		if (chance(25) && !jvm.ended.isEmpty()) {
			late(jvm, jvm.ended.get(this.random.nextInt(jvm.ended.size())));
			return;
		}
		AttemptId attempt = AttemptId.random();
		boolean wait = chance(80);
		AcquireReply reply = compare(jvm, wait ? "acquireOrEnqueue" : "acquire",
				(client) -> wait ? client.queue(this.key, attempt) : client.acquire(this.key, attempt));
		asked(jvm, attempt, reply, wait);
	}

	private void asked(Jvm jvm, AttemptId attempt, AcquireReply reply, boolean wait) {
		if (reply instanceof AcquireReply.Granted) {
			jvm.become(State.HOLDING, attempt);
		}
		else if (wait) {
			jvm.become(State.WAITING, attempt);
		}
		else {
			jvm.ended.add(attempt);
		}
	}

	private void waiting(Jvm jvm) {
		AttemptId attempt = jvm.attempt();
		if (chance(15)) {
			compare(jvm, "abandon", (client) -> {
				client.abandon(this.key, attempt);
				return "done";
			});
			jvm.become(State.IDLE, null);
		}
		else if (chance(15) && !isReservedFor(jvm)) {
			AttemptId newer = AttemptId.random();
			asked(jvm, newer,
					compare(jvm, "acquireOrEnqueue, newer attempt", (client) -> client.queue(this.key, newer)), true);
		}
		else {
			asked(jvm, attempt, compare(jvm, "re-check", (client) -> client.queueAgain(this.key, attempt)), true);
		}
	}

	private void holding(Jvm jvm) {
		AttemptId attempt = jvm.attempt();
		switch (this.random.nextInt(10)) {
			case 0 -> compare(jvm, "renew", (client) -> client.renew(this.key, attempt, StoreClient.LONG_TTL));
			case 1 -> compare(jvm, "extend",
					(client) -> client.extend(this.key, attempt, StoreClient.LONG_TTL, 5).getClass().getSimpleName());
			case 2 -> compare(jvm, "acquire again",
					(client) -> client.acquireAgain(this.key, attempt, StoreClient.LONG_TTL, 1));
			case 3 -> {
				compare(jvm, "abandon", (client) -> {
					client.abandon(this.key, attempt);
					return "done";
				});
				jvm.become(State.IDLE, null);
			}
			case 4 -> {
				Duration keepFor = chance(10) ? StoreClient.LONG_TTL : Duration.ZERO;
				compare(jvm, "release, keep for " + keepFor, (client) -> client.release(this.key, attempt, keepFor));
				jvm.become(State.IDLE, null);
			}
			case 5 -> {
				compare(jvm, "forced release", (client) -> client.forceRelease(this.key,
						client.inspect(this.key).map(StoredLock::firstToken).orElse(0L)));
				jvm.become(State.IDLE, null);
			}
			default -> releaseWithSuccessor(jvm, attempt);
		}
	}

	private void releaseWithSuccessor(Jvm jvm, AttemptId attempt) {
		AttemptId successor = AttemptId.random();
		ReleaseReply reply = compare(jvm, "release with successor",
				(client) -> client.releaseAndQueue(this.key, attempt, successor));
		jvm.become((reply instanceof ReleaseReply.Succeeded) ? State.HOLDING : State.WAITING, successor);
	}

	/**
	 * Sends a command of an attempt that has ended.
	 */
	private void late(Jvm jvm, AttemptId ended) {
		switch (this.random.nextInt(4)) {
			case 0 -> compare(jvm, "late release", (client) -> client.release(this.key, ended));
			case 1 -> compare(jvm, "late renew", (client) -> client.renew(this.key, ended, StoreClient.LONG_TTL));
			case 2 -> compare(jvm, "late extend",
					(client) -> client.extend(this.key, ended, StoreClient.LONG_TTL, 5).getClass().getSimpleName());
			default -> compare(jvm, "late abandon", (client) -> {
				client.abandon(this.key, ended);
				return "done";
			});
		}
	}

	private boolean isReservedFor(Jvm jvm) {
		return jvm.model.inspect(this.key)
			.filter((lock) -> lock.state() == StoredLock.State.RESERVED && jvm.model.instance().equals(lock.instance()))
			.isPresent();
	}

	private <T> T compare(Jvm jvm, String command, Function<StoreClient, T> send) {
		T expected = send.apply(jvm.model);
		T actual = send.apply(jvm.client);
		this.log.append(jvm.client).append(": ").append(command).append(" -> ").append(describe(expected)).append('\n');
		assertThat(describe(actual)).as("last answer after%n%s", this.log).isEqualTo(describe(expected));
		return actual;
	}

	private static String describe(Object reply) {
		if (reply instanceof AcquireReply.Refused refused) {
			return "Refused, queued: " + refused.queued();
		}
		if (reply instanceof AcquireReply.Granted || reply instanceof ReleaseReply.Succeeded) {
			return reply.getClass().getSimpleName();
		}
		return reply.toString();
	}

	private static String describe(StoredLock lock) {
		return lock.state() + " " + lock.instance() + ", queue "
				+ lock.queue().stream().map(QueuedInstance::instance).toList();
	}

	private boolean chance(int percent) {
		return this.random.nextInt(100) < percent;
	}

	private enum State {

		IDLE, WAITING, HOLDING

	}

	/**
	 * What one JVM has, by the answers so far.
	 */
	private static final class Jvm {

		final StoreClient client;

		final StoreClient model;

		final List<AttemptId> ended = new ArrayList<>();

		State state = State.IDLE;

		private @Nullable AttemptId attempt;

		Jvm(StoreClient client, StoreClient model) {
			this.client = client;
			this.model = model;
		}

		AttemptId attempt() {
			if (this.attempt == null) {
				throw new IllegalStateException(this.client + " has no attempt");
			}
			return this.attempt;
		}

		void become(State next, @Nullable AttemptId now) {
			if (this.attempt != null && !this.attempt.equals(now)) {
				this.ended.add(this.attempt);
			}
			this.state = next;
			this.attempt = now;
		}

	}

}
