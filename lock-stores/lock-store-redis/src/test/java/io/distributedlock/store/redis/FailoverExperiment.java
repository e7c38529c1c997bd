package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisConnectionFactory;
import org.springframework.data.redis.connection.RedisStandaloneConfiguration;
import org.springframework.data.redis.connection.lettuce.LettuceConnectionFactory;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.LockStoreException;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.store.redis.server.RedisGroup;
import io.distributedlock.store.redis.server.RedisServerProcess;

import static org.awaitility.Awaitility.await;

/**
 * Failovers of a primary with two replicas behind three Sentinels, one after the other.
 * In each of them:
 * <ol>
 * <li>One JVM holds a lock that all servers know of.</li>
 * <li>The replicas fall behind: they are frozen and cut off. The JVM asks for some more
 * locks.</li>
 * <li>The primary is killed, or frozen too. The replicas go on, and Sentinel promotes
 * one.</li>
 * <li>A second JVM asks for all these locks until it has a fresh one, and then
 * again.</li>
 * <li>If the primary was frozen it wakes up now, with a third JVM that knows only this
 * server and asks it for locks which the second JVM holds.</li>
 * </ol>
 * What the three believe to hold is watched by {@link Holders}.
 */
final class FailoverExperiment implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(FailoverExperiment.class);

	private static final Duration TTL = Duration.ofSeconds(20);

	private static final Duration LAG = Duration.ofMillis(300);

	private static final int KEYS = 5;

	private static final int REPLICAS = 2;

	private final Demand demand;

	private final boolean wakeOldPrimary;

	private final RedisGroup redis = RedisGroup.startWithSentinels(REPLICAS);

	private final Holders holders = new Holders();

	private final List<Long> recoveries = new ArrayList<>();

	private int heldThroughout;

	private int refusedWhileBehind;

	private int grantsOfOldPrimary;

	private int refusedByOldPrimary;

	private int failovers;

	private RedisServerProcess primary = this.redis.servers().get(0);

	FailoverExperiment(Demand demand, boolean wakeOldPrimary) {
		this.demand = demand;
		this.wakeOldPrimary = wakeOldPrimary;
	}

	void run(int times) {
		await().until(() -> this.redis.servers().stream().allMatch(FailoverExperiment::hasRunForASecond));
		for (int i = 0; i < times; i++) {
			try (LockEngine first = engine(this.redis.behindSentinels("lettuce"));
					LockEngine second = engine(this.redis.behindSentinels("lettuce"));
					LockEngine leftBehind = engine(this.primary)) {
				failOver(first, second, leftBehind);
			}
			if (i < times - 1) {
				repair();
			}
		}
	}

	private LockEngine engine(RedisServerProcess server) {
		return engine(new LettuceConnectionFactory(new RedisStandaloneConfiguration("127.0.0.1", server.port())));
	}

	private LockEngine engine(RedisConnectionFactory connections) {
		RedisLockStore.Builder store = RedisLockStore.builder(connections);
		switch (this.demand) {
			case NONE -> store.waitReplicas(0);
			case ALL -> store.waitForAllReplicas();
			case THE_NUMBER -> store.waitReplicas(REPLICAS);
		}
		return LockEngine.builder().store(store.build()).build();
	}

	private LockRequest request(String name, int number) {
		return LockRequest.of(LockKey.of(name, this.failovers, number), LockSettings.NONE)
			.withTtl(TTL)
			.withWaitTime(Duration.ZERO);
	}

	private void failOver(LockEngine first, LockEngine second, LockEngine leftBehind) {
		this.failovers++;
		RedisServerProcess old = this.primary;
		Lease held = await().until(() -> tryTo(first, request("held", 0)), Optional::isPresent).orElseThrow();
		logger.debug("Failover {} of {}, which has {}", this.failovers, old.port(),
				old.command("INFO", "replication").lines().filter((line) -> line.startsWith("slave")).toList());
		// Also so that the third JVM knows how many replicas there are.
		tryTo(leftBehind, request("known", 0)).ifPresent(this.holders::release);
		List<Lease> believed = lockWhileReplicasAreBehind(first);
		long died = System.nanoTime();
		if (this.wakeOldPrimary) {
			old.freeze();
		}
		else {
			old.kill();
		}
		this.redis.servers().stream().filter((server) -> server != old).forEach(RedisServerProcess::thaw);
		if (this.demand == Demand.THE_NUMBER) {
			// Without it there are too few.
			RedisServerProcess next = this.redis.awaitPrimaryOtherThan(old);
			old.restart();
			old.command("REPLICAOF", "127.0.0.1", String.valueOf(next.port()));
		}
		List<Lease> seconds = lockWhenItWorks(second, died);
		// Both go on working with what they believe to hold.
		seconds.forEach(this.holders::write);
		believed.stream().filter(Lease::isHeld).forEach(this.holders::write);
		this.primary = this.redis.awaitPrimaryOtherThan(old);
		if (this.wakeOldPrimary) {
			old.thaw();
			lockOnOldPrimary(leftBehind, seconds);
		}
		if (held.isHeld() && seconds.stream().noneMatch((other) -> other.key().equals(held.key()))) {
			this.heldThroughout++;
		}
		seconds.forEach(this.holders::release);
	}

	private List<Lease> lockWhileReplicasAreBehind(LockEngine first) {
		this.redis.servers().stream().filter((server) -> server != this.primary).forEach(RedisServerProcess::freeze);
		// Else they would find what they have missed in the buffers of their sockets.
		this.primary.command("CLIENT", "KILL", "TYPE", "replica");
		List<Lease> believed = new ArrayList<>();
		long end = System.nanoTime() + LAG.toNanos();
		for (int i = 0; i < KEYS && System.nanoTime() < end; i++) {
			int before = believed.size();
			tryTo(first, request("behind", i)).ifPresent(believed::add);
			if (believed.size() == before) {
				this.refusedWhileBehind++;
			}
		}
		return believed;
	}

	/**
	 * Asks for a lock that nobody had until it is granted, and then for all others.
	 */
	private List<Lease> lockWhenItWorks(LockEngine second, long died) {
		List<Lease> got = new ArrayList<>();
		while (got.isEmpty()) {
			tryTo(second, request("fresh", 0)).ifPresent(got::add);
			if (System.nanoTime() - died > Duration.ofSeconds(30).toNanos()) {
				throw new AssertionError("Locking does not work again after 30 s");
			}
		}
		this.recoveries.add((System.nanoTime() - died) / 1_000_000);
		tryTo(second, request("held", 0)).ifPresent(got::add);
		for (int i = 0; i < KEYS; i++) {
			tryTo(second, request("behind", i)).ifPresent(got::add);
		}
		for (int i = 0; i < KEYS; i++) {
			tryTo(second, request("after", i)).ifPresent(got::add);
		}
		return got;
	}

	/**
	 * For some seconds the old primary takes itself for the primary.
	 */
	private void lockOnOldPrimary(LockEngine leftBehind, List<Lease> seconds) {
		long end = System.nanoTime() + Duration.ofSeconds(3).toNanos();
		for (int i = 0; i < KEYS && System.nanoTime() < end; i++) {
			Optional<Lease> stale = tryTo(leftBehind, request("after", i));
			if (stale.isEmpty()) {
				this.refusedByOldPrimary++;
				continue;
			}
			this.grantsOfOldPrimary++;
			this.holders.write(stale.get());
			// Who has the lower token is shut out.
			seconds.stream().filter((other) -> other.key().equals(stale.get().key())).forEach(this.holders::write);
		}
	}

	private Optional<Lease> tryTo(LockEngine jvm, LockRequest request) {
		try {
			Optional<Lease> lease = jvm.tryAcquire(request);
			if (lease.isPresent() && !this.holders.granted(lease.get())) {
				logger.debug("Failover {}: {} is held twice", this.failovers, request.key());
			}
			return lease;
		}
		catch (LockStoreException ex) {
			return Optional.empty();
		}
	}

	/**
	 * Makes the old primary a replica, as Sentinel would some seconds later. Sentinel may
	 * also have changed its mind meanwhile.
	 */
	private void repair() {
		for (RedisServerProcess server : this.redis.servers()) {
			if (!server.isAlive()) {
				server.restart();
			}
		}
		await().atMost(Duration.ofSeconds(60)).pollInterval(Duration.ofMillis(300)).ignoreExceptions().until(() -> {
			this.primary = this.redis.primaryOfSentinels();
			String address = "master_port:" + this.primary.port();
			for (RedisServerProcess server : this.redis.servers()) {
				if (server != this.primary && !server.command("INFO", "replication").contains(address)) {
					server.command("REPLICAOF", "127.0.0.1", String.valueOf(this.primary.port()));
				}
			}
			return this.redis.isHealthy(this.primary, REPLICAS)
					&& this.redis.servers().stream().allMatch(FailoverExperiment::hasRunForASecond);
		});
	}

	/**
	 * A server that has just been started may be one that was the primary before.
	 */
	private static boolean hasRunForASecond(RedisServerProcess server) {
		return !server.command("INFO", "server").contains("uptime_in_seconds:0\r");
	}

	Holders holders() {
		return this.holders;
	}

	int failovers() {
		return this.failovers;
	}

	int heldThroughout() {
		return this.heldThroughout;
	}

	int refusedWhileBehind() {
		return this.refusedWhileBehind;
	}

	int grantsOfOldPrimary() {
		return this.grantsOfOldPrimary;
	}

	int refusedByOldPrimary() {
		return this.refusedByOldPrimary;
	}

	/**
	 * Returns a line for the record.
	 */
	@Override
	public String toString() {
		List<Long> sorted = new ArrayList<>(this.recoveries);
		Collections.sort(sorted);
		return "replicas waited for: " + this.demand + ", old primary "
				+ (this.wakeOldPrimary ? "frozen and woken" : "killed") + ": " + this.failovers + " failovers, "
				+ this.holders.grants() + " grants, " + this.holders.doubleGrants() + " double, "
				+ this.holders.fallenTokens() + " tokens did not rise, " + this.holders.refusedWrites()
				+ " writes refused by the fence; lock held throughout " + this.heldThroughout
				+ " times; refused while replicas were behind " + this.refusedWhileBehind + "; old primary granted "
				+ this.grantsOfOldPrimary + " and refused " + this.refusedByOldPrimary
				+ "; locking worked again after ms: min " + sorted.get(0) + ", median " + sorted.get(sorted.size() / 2)
				+ ", max " + sorted.get(sorted.size() - 1);
	}

	/**
	 * Which replicas grants wait for.
	 */
	enum Demand {

		NONE, ALL, THE_NUMBER

	}

	@Override
	public void close() {
		this.redis.servers().forEach((server) -> {
			if (server.isAlive()) {
				server.thaw();
			}
		});
		this.redis.close();
	}

}
