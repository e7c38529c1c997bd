package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.springframework.data.redis.connection.RedisConnectionFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Single servers of a Redlock: which are left out, and what they do with commands that
 * come late.
 */
class RedlockNodesTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private static final Duration SHORT = Duration.ofSeconds(10);

	private static final Duration LONG = Duration.ofMinutes(1);

	private final RedisServerProcess server = RedisServerProcess.start();

	private final RedlockNode node = node(this.server.port());

	private final RedlockNodes nodes = new RedlockNodes(List.of(node(1), node(2), this.node), 1_000_000_000);

	private final AttemptId attempt = AttemptId.random();

	@AfterEach
	void close() {
		this.node.close();
		this.server.close();
	}

	static RedlockNode node(int port) {
		RedisConnectionFactory factory = StoreFixture.lettuceFactory(port);
		return new RedlockNode(factory, RedisLockStore.builder(factory), "redlock");
	}

	private static long soon() {
		return System.nanoTime() + 10_000_000_000L;
	}

	private void becomeSilent() {
		this.node.connect((info) -> {
		});
		this.server.freeze();
		assertThat(this.node.abandon(KEY, this.attempt, System.nanoTime() + 1_000_000))
			.failsWithin(Duration.ofSeconds(10));
		assertThat(this.node.isSilent()).isTrue();
	}

	@Test
	void aSilentServerIsAskedByOneCommandAtATime() {
		becomeSilent();
		CompletableFuture<?> probe = this.nodes.ask(this.node, (silent) -> silent.abandon(KEY, this.attempt, soon()));
		assertThat(this.nodes.ask(this.node, (silent) -> silent.abandon(KEY, this.attempt, soon())))
			.failsWithin(Duration.ZERO)
			.withThrowableThat()
			.withMessageContaining("left out");
		this.server.thaw();
		await().until(probe::isDone);
		assertThat(this.node.isSilent()).isFalse();
	}

	@Test
	void aSilentServerIsAskedAgainAfterACommandThatCouldNotBeMade() {
		becomeSilent();
		for (Throwable broken : List.of(new IllegalStateException("broken"), new StackOverflowError())) {
			assertThat(this.nodes.ask(this.node, (silent) -> {
				throw sneaky(broken);
			})).failsWithin(Duration.ZERO);
			assertThat(this.nodes.isLeftOut(this.node)).as("left out after %s", broken).isFalse();
			this.node.endProbe();
		}
		assertThat(this.nodes.askAll(this.node, 2, (silent) -> {
			throw new IllegalStateException("broken");
		})).hasSize(2).allSatisfy((answer) -> assertThat(answer).failsWithin(Duration.ZERO));
		assertThat(this.nodes.isLeftOut(this.node)).isFalse();
	}

	@SuppressWarnings("unchecked")
	private static <T extends Throwable> RuntimeException sneaky(Throwable thrown) throws T {
		throw (T) thrown;
	}

	@Test
	void aServerIsNotAskedBeforeItWasExamined() {
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> this.node.connect((info) -> {
			assertThat(info).containsKey("run_id");
			assertThat(this.node.acquire(RedlockFixture.command(KEY, this.attempt, 1), soon()))
				.failsWithin(Duration.ZERO);
			throw new StoreException("not this one", false, false, null);
		})).withMessage("not this one");
		assertThat(this.node.needsConnection()).isTrue();
		assertThat(this.node.info()).isEqualTo(Map.of());
	}

	@Test
	void whatIsLateNeverShortensWhatALaterRenewalPromised() {
		this.node.connect((info) -> {
		});
		assertThat(this.node.acquire(RedlockFixture.command(KEY, this.attempt, 1), soon()))
			.succeedsWithin(Duration.ofSeconds(10));
		assertThat(renew(LONG)).isEqualTo(RenewReply.RENEWED);
		Stream.<Runnable>of(() -> renew(SHORT),
				() -> StoreFixture.get(this.node.raise(KEY, this.attempt, 1, 1, SHORT, soon())),
				() -> StoreFixture.get(this.node.raise(KEY, this.attempt, RaiseOperation.SAME_FIRST, 1, SHORT, soon())),
				() -> StoreFixture.get(this.node.extend(new ExtendCommand(KEY, this.attempt, SHORT, 5, SHORT), soon())))
			.forEach((late) -> {
				late.run();
				assertThat(left()).isBetween(LONG.minusSeconds(5), LONG);
			});
		assertThat(renew(LONG.multipliedBy(2))).isEqualTo(RenewReply.RENEWED);
		assertThat(left()).isGreaterThan(LONG);
	}

	private RenewReply renew(Duration ttl) {
		return StoreFixture
			.get(this.node.renew(List.of(new RenewCommand(KEY, this.attempt, ttl, SHORT)), soon()).get(0));
	}

	private Duration left() {
		return Duration.ofMillis(Long.parseLong(this.server.command("PTTL", "lock:l:" + KEY.id()).substring(1)));
	}

}
