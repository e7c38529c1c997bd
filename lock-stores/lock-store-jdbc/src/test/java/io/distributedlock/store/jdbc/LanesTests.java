package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;

import org.junit.jupiter.api.AfterEach;
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

	private final Lanes lanes = new Lanes(4);

	@AfterEach
	void close() {
		this.lanes.close();
	}

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
	void twoOperationsOfOneLockNeverShareAStatementAndKeepTheirOrder() throws Exception {
		Operation<?> first = operation("a");
		Operation<?> second = operation("a");
		this.lanes.add(Lane.ACQUIRE, List.of(first, second, operation("b")));
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
	void oneLookServesAllThatWantTheSameLock() throws Exception {
		Operation<?> first = operation("a");
		Operation<?> second = operation("a");
		this.lanes.add(Lane.LOOK, List.of(first, operation("b"), second));
		assertThat(take().operations()).hasSize(3).startsWith(first, second);
	}

	@Test
	void twoBatchesOfAcquiresAreUnderWayAndWhatComesMeanwhileGathers() throws Exception {
		for (Operation<?> operation : many(2)) {
			this.lanes.add(Lane.ACQUIRE, List.of(operation));
			take();
		}
		CompletableFuture<Batch> next = CompletableFuture.supplyAsync(this::takeUnchecked);
		many(10).subList(2, 10).forEach((operation) -> this.lanes.add(Lane.ACQUIRE, List.of(operation)));
		await().pollDelay(Duration.ofMillis(50)).until(() -> !next.isDone());
		this.lanes.ended(new Batch(Lane.ACQUIRE, many(1)));
		assertThat(take().operations()).hasSize(8);
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
	void anOperationThatIsToBeAloneSharesNoBatch() throws Exception {
		List<Operation<?>> many = many(4);
		many.get(0).markAlone();
		many.get(2).markAlone();
		this.lanes.add(Lane.LOOK, many);
		assertThat(take().operations()).containsExactly(many.get(0));
		assertThat(take().operations()).containsExactly(many.get(1), many.get(3));
		assertThat(take().operations()).containsExactly(many.get(2));
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
			return this.lanes.take();
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
