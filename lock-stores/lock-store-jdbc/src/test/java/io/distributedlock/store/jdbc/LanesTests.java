package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.Lanes.Batch;
import io.distributedlock.store.jdbc.Operation.Lane;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Which operations go out together.
 */
class LanesTests {

	private final Lanes lanes = new Lanes(4, Duration.ofSeconds(3));

	@Test
	void aLoneOperationGoesOutAtOnce() throws Exception {
		Operation<?> operation = operation("a");
		this.lanes.add(Lane.ACQUIRE, List.of(operation));
		assertThat(take().operations()).containsExactly(operation);
	}

	@Test
	void whatMeetsGoesOutTogetherInTheOrderOfItsKeys() throws Exception {
		this.lanes.add(Lane.ACQUIRE, List.of(operation("c"), operation("a")));
		this.lanes.add(Lane.ACQUIRE, List.of(operation("b")));
		assertThat(take().operations()).extracting(Operation::id).containsExactly("a", "b", "c");
	}

	@Test
	void twoOperationsOfOneLockNeverShareABatchAndKeepTheirOrder() throws Exception {
		Operation<?> first = operation("a");
		Operation<?> second = operation("a");
		this.lanes.add(Lane.LOOK, List.of(first, second, operation("b")));
		Batch batch = take();
		assertThat(batch.operations()).contains(first).doesNotContain(second).hasSize(2);
		CompletableFuture<Batch> next = CompletableFuture.supplyAsync(this::takeUnchecked);
		await().pollDelay(Duration.ofMillis(50)).until(() -> !next.isDone());
		this.lanes.ended(batch);
		// The thread that ended a batch comes for the next one, and finds what is left.
		this.lanes.add(Lane.RELEASE, List.of(operation("z")));
		List<Operation<?>> left = new ArrayList<>(next.get(5, TimeUnit.SECONDS).operations());
		left.addAll(take().operations());
		assertThat(left).contains(second).hasSize(2);
	}

	@Test
	void afterALargeBatchTheNextOneWaitsForThoseThatComeBack() throws Exception {
		List<Operation<?>> many = many(8);
		this.lanes.add(Lane.ACQUIRE, many);
		this.lanes.ended(take());
		CompletableFuture<Batch> next = CompletableFuture.supplyAsync(this::takeUnchecked);
		this.lanes.add(Lane.ACQUIRE, many.subList(0, 5));
		await().pollDelay(Duration.ofMillis(100)).until(() -> !next.isDone());
		this.lanes.add(Lane.ACQUIRE, many.subList(5, 6));
		assertThat(next.get(1, TimeUnit.SECONDS).operations()).hasSize(6);
	}

	@Test
	void ifTheyDoNotComeBackItGoesOutAllTheSame() throws Exception {
		Lanes impatient = new Lanes(4, Duration.ofMillis(20));
		impatient.add(Lane.ACQUIRE, many(8));
		impatient.ended(impatient.take());
		impatient.add(Lane.ACQUIRE, many(1));
		assertThat(impatient.take().operations()).hasSize(1);
		impatient.add(Lane.ACQUIRE, List.of(operation("later")));
		long start = System.nanoTime();
		assertThat(impatient.take().operations()).hasSize(1);
		assertThat(Duration.ofNanos(System.nanoTime() - start)).as("a small batch is waited for by nobody")
			.isLessThan(Duration.ofMillis(20));
	}

	@Test
	void moreThanABatchHoldsIsLeftForTheNextOne() throws Exception {
		this.lanes.add(Lane.LOOK, many(100));
		Batch first = take();
		assertThat(first.operations()).hasSize(64);
		this.lanes.ended(first);
		assertThat(take().operations()).hasSize(36);
	}

	@Test
	void operationsThatEndedWhileTheyWaitedAreNotSent() throws Exception {
		Operation<?> ended = operation("a");
		Operation<?> waiting = operation("b");
		this.lanes.add(Lane.ACQUIRE, List.of(ended, waiting));
		ended.fail(new StoreException("too late", false, true, null));
		assertThat(take().operations()).containsExactly(waiting);
	}

	@Test
	void aClosedLaneTakesNothingAndGivesBackWhatItHas() throws Exception {
		Operation<?> operation = operation("a");
		this.lanes.add(Lane.ACQUIRE, List.of(operation));
		assertThat(this.lanes.close()).containsExactly(operation);
		assertThat(this.lanes.add(Lane.ACQUIRE, List.of(operation("b")))).isFalse();
		assertThat(this.lanes.take()).isNull();
	}

	private Batch take() throws Exception {
		return CompletableFuture.supplyAsync(this::takeUnchecked).get(5, TimeUnit.SECONDS);
	}

	private Batch takeUnchecked() {
		try {
			Batch batch = this.lanes.take();
			assertThat(batch).isNotNull();
			return batch;
		}
		catch (InterruptedException ex) {
			throw new IllegalStateException(ex);
		}
	}

	private static List<Operation<?>> many(int count) {
		List<Operation<?>> many = new ArrayList<>();
		for (int i = 0; i < count; i++) {
			many.add(operation("k" + i));
		}
		return many;
	}

	private static Operation<?> operation(String name) {
		return new Operations.Inspect(LockKey.of(name), "jdbc", System.nanoTime() + 60_000_000_000L);
	}

}
