package io.distributedlock.test;

import io.distributedlock.LockKey;
import io.distributedlock.test.History.Hold;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

class HistoryTests {

	private final LockKey key = LockKey.of("stock", 42);

	private final History history = new History();

	@Test
	void holdersOneAfterTheOtherWithRisingTokensAreFine() {
		this.history.add(new Hold(this.key, "a", 1, 0, 10, 20));
		this.history.add(new Hold(this.key, "b", 2, 5, 20, 30));
		this.history.add(new Hold(LockKey.of("other"), "c", 1, 5, 15, 30));
		assertThat(this.history.violations()).isEmpty();
	}

	@Test
	void overlappingHoldersAreFoundAlsoBehindAShortOne() {
		this.history.add(new Hold(this.key, "a", 1, 0, 10, 100));
		this.history.add(new Hold(this.key, "b", 2, 5, 101, 102));
		this.history.add(new Hold(this.key, "c", 3, 5, 103, 200));
		this.history.add(new Hold(this.key, "d", 4, 5, 199, 201));
		assertThat(this.history.violations()).singleElement().asString().contains("d with token 4", "c with token 3");
	}

	@Test
	void aTokenUsedTwiceIsFound() {
		this.history.add(new Hold(this.key, "a", 1, 0, 10, 20));
		this.history.add(new Hold(this.key, "b", 1, 0, 30, 40));
		assertThat(this.history.violations()).singleElement().asString().contains("has the token of");
	}

	@Test
	void aLowerTokenThatCameLaterIsFound() {
		this.history.add(new Hold(this.key, "a", 2, 0, 10, 20));
		this.history.add(new Hold(this.key, "b", 1, 11, 30, 40));
		assertThat(this.history.violations()).singleElement().asString().contains("lower token");
	}

	@Test
	void concurrentCallsMayReturnInAnyOrder() {
		this.history.add(new Hold(this.key, "a", 2, 0, 10, 20));
		this.history.add(new Hold(this.key, "b", 1, 9, 30, 40));
		assertThat(this.history.violations()).isEmpty();
	}

}
