package io.distributedlock.store.etcd;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;

import io.etcd.jetcd.Client;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * What an answer means that comes in the moment in which its attempt or command ends.
 */
class StakeTests {

	private static final long SECOND = 1_000_000_000;

	private final AttemptId attempt = AttemptId.random();

	private final LockRecord record = LockRecord.held(this.attempt, "jvm-1", Duration.ofSeconds(10), 1);

	private final List<Stake> ended = new ArrayList<>();

	private final List<Stake> later = new ArrayList<>();

	private final Stake stake = new Stake(LockKey.of("stock", 42), this.attempt, new EndOperation.Starter() {
		@Override
		public void end(Stake stake) {
			StakeTests.this.ended.add(stake);
		}

		@Override
		public void later(Stake stake) {
			StakeTests.this.later.add(stake);
		}
	});

	private static Session session() {
		long now = System.nanoTime();
		return new Session(10, 7, KeyLayout.bytes("marker"), 1, now + 12 * SECOND, now);
	}

	@Test
	void aGrantThatComesAfterTheWheelHasLookedIsNotEnded() {
		long now = System.nanoTime();
		assertThat(this.stake.queued(session(), 5, Instant.now(), now - 1)).isTrue();
		assertThat(this.stake.held(session(), this.record, 6, List.of(), now + 10 * SECOND)).isTrue();
		this.stake.ended();
		assertThat(this.ended).isEmpty();
		assertThat(this.later).containsExactly(this.stake);
		assertThat(this.stake.isHeld(System.nanoTime())).isTrue();
	}

	@Test
	void aGrantThatComesAfterTheEndHasBegunIsRefused() {
		long now = System.nanoTime();
		assertThat(this.stake.queued(session(), 5, Instant.now(), now - 1)).isTrue();
		this.stake.ended();
		assertThat(this.ended).containsExactly(this.stake);
		assertThat(this.stake.held(session(), this.record, 6, List.of(), now + 10 * SECOND)).isFalse();
		assertThat(this.stake.isHeld(System.nanoTime())).isFalse();
	}

	@Test
	void theEndOfALeaseLeavesAGrantOnAnotherLeaseAlone() {
		Session old = session();
		Session current = session();
		assertThat(this.stake.queued(old, 5, Instant.now(), System.nanoTime() + SECOND)).isTrue();
		assertThat(this.stake.held(current, this.record, 6, List.of(), System.nanoTime() + 10 * SECOND)).isTrue();
		assertThat(this.stake.lost(old)).isNull();
		assertThat(this.stake.isHeld(System.nanoTime())).isTrue();
		assertThat(current.users).containsExactly(this.stake);
		assertThat(this.stake.lost(current)).isEqualTo(Stake.State.HELD);
		assertThat(this.stake.isOver()).isTrue();
	}

	@Test
	void whatCannotBeTakenAwayIsTriedEverMoreSeldom() {
		long now = System.nanoTime();
		List<Long> pauses = new ArrayList<>();
		for (int i = 0; i < 6; i++) {
			this.stake.retry(now);
			pauses.add((this.stake.endsAt() - now) / (SECOND / 2));
		}
		assertThat(pauses).containsExactly(1L, 2L, 4L, 8L, 16L, 16L);
	}

	@Test
	void oneThatCannotBeEndedKeepsNoOtherFromEnding() {
		List<Stake> tried = new ArrayList<>();
		Stakes stakes = new Stakes(new EndOperation.Starter() {
			@Override
			public void end(Stake stake) {
				tried.add(stake);
				throw new AssertionError("Expected by the test");
			}

			@Override
			public void later(Stake stake) {
			}
		});
		long now = System.nanoTime();
		AttemptId one = AttemptId.random();
		AttemptId two = AttemptId.random();
		for (AttemptId id : List.of(one, two)) {
			Stake due = stakes.open(LockKey.of("due", id.toString()), id);
			due.unsure(now - 1);
			stakes.wheel().watch(due);
		}
		stakes.tick(now + SECOND);
		assertThat(tried).extracting((each) -> each.attempt).contains(one, two);
	}

	@Test
	void aCommandWhoseTimeEndsWithItsAnswerMayHaveBeenExecuted() {
		try (Client client = Client.builder().endpoints("http://127.0.0.1:1").build()) {
			Timers timers = new Timers("test");
			EtcdErrors errors = new EtcdErrors("nobody", "/x/");
			Transactions transactions = new Transactions(client.getKVClient(), new RevisionGuard(), errors, timers);
			Probe probe = new Probe(
					new Context(new KeyLayout("/x/"), "jvm-1", Duration.ofSeconds(1), Duration.ofSeconds(1), errors,
							timers, transactions, null, null, null, null, null, ConcurrentHashMap.newKeySet()));
			probe.start();
			probe.sent.join().answered(new Request.Answer(true, null, 5));
			probe.close();
			timers.close();
			assertThatExceptionOfType(CompletionException.class).isThrownBy(probe::join)
				.havingCause()
				.isInstanceOfSatisfying(StoreException.class, (ex) -> assertThat(ex.mayHaveExecuted()).isTrue());
		}
	}

	/**
	 * A command that needs one more step after its first answer.
	 */
	private static final class Probe extends Operation<Boolean> {

		private final CompletableFuture<Request> sent = new CompletableFuture<>();

		Probe(Context context) {
			super(context, LockKey.of("stock", 42), Duration.ofSeconds(10));
		}

		@Override
		void step() {
			Request request = request((answer) -> {
			}).delete(record());
			submit(request);
			this.sent.complete(request);
		}

	}

}
