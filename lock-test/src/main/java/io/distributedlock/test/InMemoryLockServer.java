package io.distributedlock.test;

import java.time.Duration;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.Supplier;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.spi.Ticker;
import io.distributedlock.test.LockRecord.Rules;
import org.jspecify.annotations.Nullable;

/**
 * The server-side half of a lock in plain Java, for tests and for applications that run
 * on a single node. Each {@linkplain #connect client} counts as a JVM of its own, so that
 * several engines in one process can compete as a cluster would.
 * <p>
 * A key that is neither held nor waited for takes no memory. Nothing survives the
 * process, but fencing tokens begin at the wall clock's microseconds and so rise over a
 * restart too. Safe for use by many threads.
 *
 * <pre>{@code
 * InMemoryLockServer server = InMemoryLockServer.create();
 * LockEngine first = LockEngine.builder().store(server.connect("jvm-1")).build();
 * LockEngine second = LockEngine.builder().store(server.connect("jvm-2")).build();
 * }</pre>
 */
public final class InMemoryLockServer {

	private static final int SHARDS = 64;

	private final String storeName;

	private final Ticker ticker;

	private final Rules rules;

	private final Shard[] shards = new Shard[SHARDS];

	private final AtomicInteger commands = new AtomicInteger();

	private final Map<String, InMemoryLockStore> receivers = new ConcurrentHashMap<>();

	private InMemoryLockServer(Builder builder) {
		this.storeName = builder.storeName;
		this.ticker = builder.ticker;
		this.rules = new Rules(builder.reservation, builder.queueEntryTtl, new TokenSource(builder.wallClock),
				builder.wallClock);
		for (int i = 0; i < SHARDS; i++) {
			this.shards[i] = new Shard(this.ticker, this.rules);
		}
	}

	/**
	 * Makes a server that runs on the clocks of the system.
	 * @return a new, empty server
	 */
	public static InMemoryLockServer create() {
		return builder().build();
	}

	/**
	 * Begins to configure a server.
	 * @return a builder with the defaults
	 */
	public static Builder builder() {
		return new Builder();
	}

	/**
	 * Makes a client whose commands are answered on the calling thread, before the method
	 * returns. Signals arrive on the thread whose command caused them.
	 * @param instance what the client is called where holders and waiters are shown
	 * @return a new client, which the server takes for a JVM of its own
	 */
	public InMemoryLockStore connect(String instance) {
		return new InMemoryLockStore(this, instance, Network.NONE);
	}

	/**
	 * Makes a client behind an imitated network: requests, replies and signals travel on
	 * an executor and each take some time. A command without a reply in its time fails as
	 * a real one would.
	 * @param instance what the client is called where holders and waiters are shown
	 * @param executor runs the deliveries; the caller ends it
	 * @param delay asked for every delivery, from many threads
	 * @return a new client, which the server takes for a JVM of its own
	 */
	public InMemoryLockStore connect(String instance, ScheduledExecutorService executor, Supplier<Duration> delay) {
		return new InMemoryLockStore(this, instance, Network.delayed(executor, delay));
	}

	/**
	 * Counts the keys that are held, reserved, cooling or waited for.
	 * @return zero if the server has nothing left to remember
	 */
	public int size() {
		return Arrays.stream(this.shards).mapToInt(Shard::size).sum();
	}

	int remembered() {
		return Arrays.stream(this.shards).mapToInt(Shard::remembered).sum();
	}

	String storeName() {
		return this.storeName;
	}

	Ticker ticker() {
		return this.ticker;
	}

	Duration reservation() {
		return this.rules.reservation();
	}

	/** Messages to this client's instance go to it from now on. */
	void receives(InMemoryLockStore client) {
		this.receivers.put(client.instanceId(), client);
	}

	void receivesNoMore(InMemoryLockStore client) {
		this.receivers.remove(client.instanceId(), client);
	}

	@Nullable InMemoryLockStore receiver(String instance) {
		return this.receivers.get(instance);
	}

	<T extends @Nullable Object> T run(String keyId, Function<LockRecord, T> script) {
		int hash = keyId.hashCode();
		int index = (hash ^ (hash >>> 16)) & (SHARDS - 1);
		T reply = this.shards[index].run(keyId, script);
		// What expired in a shard that nobody uses goes with the traffic of the others.
		int count = this.commands.incrementAndGet();
		if ((count & 15) == 0) {
			this.shards[(count >>> 4) & (SHARDS - 1)].trySweep();
		}
		return reply;
	}

	/**
	 * Configures an {@link InMemoryLockServer}.
	 */
	public static final class Builder {

		private String storeName = "memory";

		private Ticker ticker = Ticker.SYSTEM;

		private InstantSource wallClock = InstantSource.system();

		private Duration reservation = Duration.ofSeconds(1);

		private Duration queueEntryTtl = Duration.ofMillis(1200);

		private Builder() {
		}

		/**
		 * Sets the name of the server's stores.
		 * @param name the name (default {@code memory})
		 * @return this builder
		 */
		public Builder storeName(String name) {
			this.storeName = name;
			return this;
		}

		/**
		 * Sets the clock by which everything expires.
		 * @param ticker the clock (default {@link Ticker#SYSTEM})
		 * @return this builder
		 */
		public Builder ticker(Ticker ticker) {
			this.ticker = ticker;
			return this;
		}

		/**
		 * Sets the clock at which fencing tokens begin, and from which
		 * {@link StoredLock#queue()} tells the time. It may jump and go back.
		 * @param wallClock the clock (default the system's)
		 * @return this builder
		 */
		public Builder wallClock(InstantSource wallClock) {
			this.wallClock = wallClock;
			return this;
		}

		/**
		 * Sets how long a lock that was released is kept for the waiter whose turn it is.
		 * @param reservation above zero (default 1 s)
		 * @return this builder
		 * @throws IllegalArgumentException if the time is not above zero
		 */
		public Builder reservation(Duration reservation) {
			this.reservation = positive("reservation", reservation);
			return this;
		}

		/**
		 * Sets how long a place in the queue lives if its JVM does not ask again.
		 * @param ttl above zero (default 1.2 s, three re-checks)
		 * @return this builder
		 * @throws IllegalArgumentException if the time is not above zero
		 */
		public Builder queueEntryTtl(Duration ttl) {
			this.queueEntryTtl = positive("queueEntryTtl", ttl);
			return this;
		}

		private static Duration positive(String name, Duration value) {
			if (value.isNegative() || value.isZero()) {
				throw new IllegalArgumentException(name + " is " + value + ", it must be above 0");
			}
			return value;
		}

		/**
		 * Makes the server.
		 * @return a new, empty server
		 */
		public InMemoryLockServer build() {
			return new InMemoryLockServer(this);
		}

	}

}
