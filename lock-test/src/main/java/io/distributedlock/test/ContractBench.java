package io.distributedlock.test;

import java.time.Duration;
import java.util.function.Supplier;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * What the suites of the store contract work with. {@link LockStoreContractTests}
 * implements it; a test of a store overrides what is different there.
 */
public interface ContractBench {

	/**
	 * Returns a JVM of the cluster under test; all JVMs of one test use the same server.
	 * @param instance what it is called
	 * @return the client, connected at the first call
	 */
	StoreClient client(String instance);

	/**
	 * Returns a key that no other test uses.
	 * @return the same key for the whole test
	 */
	LockKey key();

	/**
	 * Lets time pass for the store. A store whose clock can be moved overrides this.
	 * @param time how much
	 */
	void pass(Duration time);

	/**
	 * Reads the clock that {@link #pass} moves.
	 * @return nanoseconds
	 */
	long nanoTime();

	/**
	 * Begins to measure a time, to which connecting does not belong.
	 * @return what {@link #nanoTime()} reads once the JVMs of the test are connected
	 */
	default long startClock() {
		client("jvm-1");
		client("jvm-2");
		return nanoTime();
	}

	/**
	 * Returns the time after which grants expire in tests that wait for it: long enough
	 * to survive a pause of the test machine.
	 * @return the time, at least 500 ms
	 */
	default Duration shortTtl() {
		return Duration.ofMillis(800);
	}

	/**
	 * Returns how long the store keeps the place of a waiter that does not ask again.
	 * @return the time
	 */
	default Duration queueEntryTtl() {
		return Duration.ofMillis(1200);
	}

	/**
	 * Returns how late a store may notice that something has expired.
	 * @return the time
	 */
	default Duration expirySlack() {
		return Duration.ofMillis(500);
	}

	/**
	 * Asks until the answer is a grant, and demands that this happens in time: no
	 * question that is asked later than that may be refused. How long an answer takes
	 * does not matter, so that a pause of the test machine does no harm.
	 * @param question asks once
	 * @param time when it should be granted at the latest, apart from the
	 * {@linkplain #expirySlack() slack}
	 * @param since reading of {@link #nanoTime()} from which the time counts
	 */
	default void askUntilGranted(Supplier<AcquireReply> question, Duration time, long since) {
		Duration latest = time.plus(expirySlack());
		while (true) {
			Duration asked = Duration.ofNanos(nanoTime() - since);
			if (question.get() instanceof AcquireReply.Granted) {
				return;
			}
			assertThat(asked).as("time after which it was still refused, which should end after %s", time)
				.isLessThanOrEqualTo(latest);
			pass(Duration.ofMillis(20));
		}
	}

	/**
	 * Tries to get the lock until it is free, and demands that this happens after the
	 * given time: no sooner, since somebody counts on it, and not much later.
	 * @param client who tries
	 * @param key which lock
	 * @param time when it should be free
	 * @param since reading of {@link #nanoTime()} from which the time counts
	 * @return the attempt that has the lock
	 */
	default AttemptId acquireWhenFree(StoreClient client, LockKey key, Duration time, long since) {
		AttemptId attempt = AttemptId.random();
		Duration latest = time.plus(expirySlack());
		while (true) {
			Duration asked = Duration.ofNanos(nanoTime() - since);
			AcquireReply reply = client.acquire(key, attempt);
			Duration answered = Duration.ofNanos(nanoTime() - since);
			if (reply instanceof AcquireReply.Granted) {
				// What clients leave for drift.
				Duration drift = time.dividedBy(100).plusMillis(2);
				assertThat(answered).as("time after which the lock was free").isGreaterThanOrEqualTo(time.minus(drift));
				return attempt;
			}
			assertThat(asked).as("time for which the lock was taken, which should end after %s", time)
				.isLessThanOrEqualTo(latest);
			pass(Duration.ofMillis(20));
		}
	}

}
