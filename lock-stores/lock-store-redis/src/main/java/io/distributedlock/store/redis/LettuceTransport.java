package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

import io.lettuce.core.RedisChannelHandler;
import io.lettuce.core.RedisConnectionStateListener;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.api.StatefulRedisConnection;
import io.lettuce.core.api.async.RedisServerAsyncCommands;
import io.lettuce.core.cluster.api.StatefulRedisClusterConnection;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.ValueListOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.pubsub.RedisPubSubAdapter;
import io.lettuce.core.pubsub.StatefulRedisPubSubConnection;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.StoreException;

/**
 * The fast path: one command connection for all, which keeps commands in order, and one
 * for signals. The caller's thread writes, the I/O thread takes the answer.
 */
final class LettuceTransport implements RedisTransport {

	private static final Logger logger = LoggerFactory.getLogger(LettuceTransport.class);

	/** Opening a connection takes more than one command: TCP, TLS, HELLO. */
	private static final int CONNECT_STEPS = 3;

	private final LettuceClient client;

	private final Duration timeout;

	private final AtomicBoolean replacing = new AtomicBoolean();

	private final @Nullable ReplicaCalls replicaCalls;

	private volatile StatefulConnection<byte[], byte[]> connection;

	private volatile @Nullable StatefulRedisPubSubConnection<byte[], byte[]> signals;

	private volatile boolean closed;

	LettuceTransport(LettuceClient client, Duration timeout, @Nullable ReplicaCalls replicaCalls) {
		this.client = client;
		this.timeout = timeout;
		this.replicaCalls = replicaCalls;
		try {
			this.connection = await(client.connect(), timeout.multipliedBy(CONNECT_STEPS));
		}
		catch (StoreException ex) {
			close();
			throw ex;
		}
	}

	@Override
	public boolean cluster() {
		return this.client.isCluster();
	}

	@Override
	public String address() {
		return this.client.address();
	}

	@Override
	public void run(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
			BooleanSupplier wanted, BiConsumer<@Nullable List<byte[]>, @Nullable Throwable> answer) {
		AsyncCommand<byte[], byte[], List<byte[]>> command = command(script, withSource, keys, arguments);
		command.whenComplete(cluster() ? refreshingTopology(answer) : answer);
		dispatch(this.connection, command);
	}

	/**
	 * Lettuce looks for a new primary only after some failed reconnects, or when its next
	 * periodic refresh is due. Callers wait for it.
	 */
	private BiConsumer<@Nullable List<byte[]>, @Nullable Throwable> refreshingTopology(
			BiConsumer<@Nullable List<byte[]>, @Nullable Throwable> answer) {
		return (said, error) -> {
			if (error != null) {
				RedisErrors kind = RedisErrors.of(error);
				if (!kind.isAnswer() || kind == RedisErrors.CLUSTERDOWN) {
					this.client.refreshTopology();
				}
			}
			answer.accept(said, error);
		};
	}

	static AsyncCommand<byte[], byte[], List<byte[]>> command(LockScript script, boolean withSource, List<byte[]> keys,
			List<byte[]> arguments) {
		CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE)
			.add(withSource ? script.source() : script.digest())
			.add(keys.size())
			.addKeys(keys)
			.addValues(arguments);
		return new AsyncCommand<>(new Command<>(withSource ? CommandType.EVAL : CommandType.EVALSHA,
				new ValueListOutput<>(ByteArrayCodec.INSTANCE), args));
	}

	@Override
	public void runAndWait(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
			ReplicatedAnswer answer) {
		ReplicaCalls calls = this.replicaCalls;
		if (calls == null) {
			throw new IllegalStateException("No replicas are demanded.");
		}
		calls.run(script, withSource, keys, arguments, answer);
	}

	private static void dispatch(StatefulConnection<byte[], byte[]> connection,
			AsyncCommand<byte[], byte[], List<byte[]>> command) {
		connection.dispatch(command);
	}

	@Override
	public void publish(byte[] channel, byte[] message) {
		CommandArgs<byte[], byte[]> args = new CommandArgs<>(ByteArrayCodec.INSTANCE).add(channel).add(message);
		AsyncCommand<byte[], byte[], Long> command = new AsyncCommand<>(
				new Command<>(CommandType.PUBLISH, new IntegerOutput<>(ByteArrayCodec.INSTANCE), args));
		command.whenComplete((receivers, error) -> {
			if (error != null) {
				logger.debug("A message could not be published", error);
			}
		});
		this.connection.dispatch(command);
	}

	@Override
	public void subscribe(byte[] channel, Subscriber subscriber) {
		this.client.connectPubSub().whenComplete((opened, error) -> {
			if (opened == null) {
				subscribeLater(channel, subscriber, error);
				return;
			}
			this.signals = opened;
			if (this.closed) {
				opened.closeAsync();
				return;
			}
			listen(opened, subscriber);
			opened.async().subscribe(channel).whenComplete((done, refused) -> {
				if (refused != null) {
					opened.closeAsync();
					subscribeLater(channel, subscriber, refused);
				}
			});
		});
	}

	/**
	 * What was subscribed once, Lettuce subscribes again by itself. What never was, or
	 * was refused, is up to us.
	 */
	private void subscribeLater(byte[] channel, Subscriber subscriber, @Nullable Throwable error) {
		if (!this.closed) {
			subscriber.failed((error != null) ? error : new IllegalStateException("no connection"));
			this.client.later(() -> {
				if (!this.closed) {
					subscribe(channel, subscriber);
				}
			});
		}
	}

	private static void listen(StatefulRedisPubSubConnection<byte[], byte[]> opened, Subscriber subscriber) {
		opened.addListener(new RedisPubSubAdapter<>() {
			@Override
			public void message(byte[] from, byte[] message) {
				subscriber.message(message);
			}

			@Override
			public void subscribed(byte[] to, long count) {
				subscriber.subscribed();
			}
		});
		opened.addListener(new RedisConnectionStateListener() {
			@Override
			public void onRedisDisconnected(RedisChannelHandler<?, ?> lost) {
				subscriber.disconnected();
			}
		});
	}

	@Override
	@SuppressWarnings("unchecked")
	public String info(String section) {
		StatefulConnection<byte[], byte[]> current = this.connection;
		Object commands = (current instanceof StatefulRedisClusterConnection<?, ?> cluster) ? cluster.async()
				: ((StatefulRedisConnection<byte[], byte[]>) current).async();
		return await(((RedisServerAsyncCommands<byte[], byte[]>) commands).info(section), this.timeout);
	}

	/**
	 * A connection can be dead without anybody having said so, and TCP takes a quarter of
	 * an hour to notice. A new one is opened beside it, and takes its place if it works.
	 * The old one stays open for a moment: what is under way there may be answered yet,
	 * since a single command with little time is enough to get here. Until then there is
	 * no further replacement.
	 */
	@Override
	public void suspect() {
		replace("did not answer any more");
	}

	@Override
	public void demoted() {
		replace("was to a replica");
	}

	private void replace(String why) {
		if (this.replicaCalls != null) {
			this.replicaCalls.suspect();
		}
		if (this.closed || cluster() || !this.replacing.compareAndSet(false, true)) {
			return;
		}
		this.client.connect().whenComplete((opened, error) -> {
			if (opened == null) {
				this.replacing.set(false);
			}
			else if (this.closed) {
				opened.closeAsync();
			}
			else {
				StatefulConnection<byte[], byte[]> old = this.connection;
				this.connection = opened;
				logger.info("Replaced the connection to Redis at {}, which {}", address(), why);
				this.client.later(() -> {
					old.closeAsync();
					this.replacing.set(false);
				});
			}
		});
	}

	private <T> T await(CompletionStage<T> stage, Duration limit) {
		try {
			return stage.toCompletableFuture().get(limit.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new StoreException("Interrupted while waiting for Redis at " + address(), true, true, ex);
		}
		catch (ExecutionException ex) {
			Throwable cause = (ex.getCause() != null) ? ex.getCause() : ex;
			throw RedisErrors.translate(cause, address());
		}
		catch (TimeoutException ex) {
			throw RedisErrors.timedOut(address(), true);
		}
	}

	@Override
	public void close() {
		this.closed = true;
		if (this.replicaCalls != null) {
			this.replicaCalls.close();
		}
		// The client closes its connections itself, and warns of those that are closed
		// already.
		this.client.close();
	}

}
