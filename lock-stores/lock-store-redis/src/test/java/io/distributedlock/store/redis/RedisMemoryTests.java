package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletionStage;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AcquireReply.Granted;
import io.distributedlock.spi.AcquireReply.Refused;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.awaitility.Awaitility.await;

/**
 * Rule R7: at maxmemory new locks are refused, and existing ones go on working.
 */
class RedisMemoryTests {

	private static final LockKey KEY = LockKey.of("stock", 42);

	private final AttemptId a = AttemptId.random();

	private final AttemptId b = AttemptId.random();

	private final AttemptId c = AttemptId.random();

	private RedisServerProcess redis;

	private StoreFixture one;

	private StoreFixture two;

	@BeforeEach
	void start() {
		this.redis = RedisServerProcess.start();
		this.one = StoreFixture.lettuce(this.redis.port()).awaitSignals("one");
		this.two = StoreFixture.lettuce(this.redis.port()).awaitSignals("two");
	}

	@AfterEach
	void stop() {
		this.one.close();
		this.two.close();
		this.redis.close();
	}

	private void fill() {
		this.redis.command("CONFIG", "SET", "maxmemory", "1");
		assertThat(this.redis.command("SET", "any", "thing")).startsWith("-OOM");
	}

	@Test
	void newLocksAreRefusedWithAdviceAndLeaveNothing() {
		fill();
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> this.one.acquire(KEY, this.a))
			.withMessageContaining("maxmemory")
			.withMessageContaining("renewed and released")
			.matches((ex) -> !ex.mayHaveExecuted() && ex.isRetryable());
		assertThat(this.redis.command("EXISTS", "lock:l:stock:42")).isEqualTo(":0");
	}

	@Test
	void heldLocksAreRenewedExtendedAndReleased() {
		this.one.acquire(KEY, this.a);
		fill();
		assertThat(this.one.renew(KEY, this.a)).isEqualTo(RenewReply.RENEWED);
		assertThat(this.one.extend(KEY, this.a, 8)).isInstanceOf(ExtendReply.Extended.class);
		assertThat(this.one.release(KEY, this.a)).isEqualTo(new ReleaseReply.Released(false));
		assertThat(this.redis.command("EXISTS", "lock:l:stock:42")).isEqualTo(":0");
	}

	@Test
	void waitersKeepTheirPlaceAreReservedForAndCanClaim() {
		this.one.acquire(KEY, this.a);
		this.two.enqueue(KEY, this.b);
		fill();
		assertThat(((Refused) this.two.enqueue(KEY, this.b)).queued()).isTrue();
		assertThat(this.one.release(KEY, this.a)).isEqualTo(new ReleaseReply.Released(true));
		await().until(() -> this.two.reserved.contains(this.b));
		assertThat(this.two.acquireAgain(KEY, this.b)).isInstanceOf(Granted.class);
		assertThat(this.two.releaseAndEnqueue(KEY, this.b, this.c, 4)).isInstanceOf(ReleaseReply.Succeeded.class);
		this.two.abandon(KEY, this.c);
		assertThat(this.redis.command("EXISTS", "lock:l:stock:42")).isEqualTo(":0");
	}

	@Test
	void newWaiterIsToldToPoll() {
		this.one.acquire(KEY, this.a);
		fill();
		assertThat(((Refused) this.two.enqueue(KEY, this.b)).queued()).isFalse();
	}

	@Test
	void newCallersInStrictOrderAreRefusedWithAdviceOrToldToPoll() {
		fill();
		assertThatExceptionOfType(StoreException.class).isThrownBy(() -> line(this.one, this.a, this.b))
			.withMessageContaining("maxmemory");
		assertThat(this.redis.command("EXISTS", "lock:l:stock:42")).isEqualTo(":0");
		this.redis.command("CONFIG", "SET", "maxmemory", "0");
		assertThat(line(this.one, this.a).get(0)).isInstanceOf(Granted.class);
		fill();
		assertThat(((Refused) line(this.two, this.b).get(0)).queued()).isFalse();
	}

	@Test
	void callersInStrictOrderKeepTheirPlacesAndCanClaim() {
		line(this.one, this.a, this.b);
		line(this.two, this.c);
		fill();
		assertThat(((Refused) line(this.two, this.c).get(0)).queued()).isTrue();
		assertThat(StoreFixture.get(this.one.store.releaseInOrder(
				new ReleaseCommand(KEY, this.a, java.time.Duration.ZERO, StoreFixture.TIMEOUT), StoreFixture.TTL)))
			.isInstanceOf(ReleaseReply.Passed.class);
		assertThat(this.one.release(KEY, this.b)).isEqualTo(new ReleaseReply.Released(true));
		assertThat(line(this.two, this.c).get(0)).isInstanceOf(Granted.class);
	}

	@Test
	void keptLockIsKept() {
		this.one.acquire(KEY, this.a);
		fill();
		this.one.release(KEY, this.a, StoreFixture.TTL);
		assertThat(this.two.acquire(KEY, this.b)).isInstanceOf(Refused.class);
	}

	@Test
	void acquireThatIsRefusedForMemoryDoesNotKeepReleasesFromWorking() {
		List<LockKey> held = new ArrayList<>();
		for (int i = 0; i < 50; i++) {
			LockKey key = LockKey.of("held", i);
			this.one.acquire(key, this.a);
			held.add(key);
		}
		fill();
		List<CompletionStage<?>> acquires = new ArrayList<>();
		List<CompletionStage<ReleaseReply>> releases = new ArrayList<>();
		for (LockKey key : held) {
			acquires.add(this.one.store
				.acquire(StoreFixture.command(LockKey.of("new", key.parts().get(0)), AttemptId.random(), 1, false)));
			releases.add(this.one.store
				.release(new ReleaseCommand(key, this.a, java.time.Duration.ZERO, StoreFixture.TIMEOUT)));
		}
		assertThat(releases)
			.allSatisfy((stage) -> assertThat(StoreFixture.get(stage)).isEqualTo(new ReleaseReply.Released(false)));
		assertThat(acquires).allSatisfy(
				(stage) -> assertThatExceptionOfType(StoreException.class).isThrownBy(() -> StoreFixture.get(stage))
					.withMessageContaining("maxmemory"));
	}

	@Test
	void evictionPolicyThatDropsLocksIsAdvisedAgainst() {
		assertThat(this.one.store.check()).isEmpty();
		this.redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru");
		this.redis.command("CONFIG", "SET", "maxmemory", "100mb");
		assertThat(this.one.store.check()).singleElement()
			.asString()
			.contains("allkeys-lru", "noeviction", "104857600");
	}

	private static List<AcquireReply> line(StoreFixture jvm, AttemptId... attempts) {
		return StoreFixture.get(jvm.store.acquireInOrder(
				Arrays.stream(attempts).map((attempt) -> StoreFixture.command(KEY, attempt, 1, false)).toList()));
	}

}
