package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.Message;
import org.springframework.data.redis.connection.MessageListener;
import org.springframework.data.redis.connection.RedisConnection;
import org.springframework.data.redis.connection.ReturnType;
import org.springframework.data.redis.connection.Subscription;
import org.springframework.data.redis.connection.SubscriptionListener;

import io.distributedlock.spi.StoreException;

/**
 * Carries scripts over connections that block, on a few threads of its own. Commands may
 * overtake each other; the limit that each acquire carries makes that harmless.
 */
final class BlockingTransport implements RedisTransport {

	private static final Logger logger = LoggerFactory.getLogger(BlockingTransport.class);

	private static final Duration RESUBSCRIBE = Duration.ofMillis(200);

	private final BlockingClient client;

	private final Duration timeout;

	private final @Nullable ReplicaCalls replicaCalls;

	private final ThreadPoolExecutor executor;

	private volatile @Nullable Thread listener;

	private volatile @Nullable RedisConnection listening;

	private volatile boolean closed;

	BlockingTransport(BlockingClient client, Duration timeout, @Nullable ReplicaCalls replicaCalls) {
		this.client = client;
		this.timeout = timeout;
		this.replicaCalls = replicaCalls;
		AtomicInteger number = new AtomicInteger();
		this.executor = new ThreadPoolExecutor(client.parallelism(), client.parallelism(), 30, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), (task) -> daemon(task, "commands-" + number.incrementAndGet()));
		this.executor.allowCoreThreadTimeOut(true);
		try (RedisConnection connection = client.connections().getConnection()) {
			connection.ping();
		}
		catch (RuntimeException ex) {
			close();
			throw RedisErrors.translate(ex, client.address());
		}
	}

	private static Thread daemon(Runnable task, String name) {
		Thread thread = new Thread(task, "distributed-lock-redis-" + name);
		thread.setDaemon(true);
		return thread;
	}

	@Override
	public boolean cluster() {
		return this.client.cluster();
	}

	@Override
	public String address() {
		return this.client.address();
	}

	@Override
	public void run(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
			BooleanSupplier wanted, BiConsumer<@Nullable List<byte[]>, @Nullable Throwable> answer) {
		byte[][] parameters = new byte[keys.size() + arguments.size()][];
		for (int i = 0; i < keys.size(); i++) {
			parameters[i] = keys.get(i);
		}
		for (int i = 0; i < arguments.size(); i++) {
			parameters[keys.size() + i] = arguments.get(i);
		}
		try {
			this.executor.execute(() -> {
				if (wanted.getAsBoolean()) {
					runNow(script, withSource, keys.size(), parameters, answer);
				}
			});
		}
		catch (RejectedExecutionException ex) {
			answer.accept(null, new StoreException("The lock store is closed.", false, false, ex));
		}
	}

	private void runNow(LockScript script, boolean withSource, int keys, byte[][] parameters,
			BiConsumer<@Nullable List<byte[]>, @Nullable Throwable> answer) {
		List<byte[]> said;
		try (RedisConnection connection = this.client.connections().getConnection()) {
			said = withSource ? connection.scriptingCommands().eval(script.source(), ReturnType.MULTI, keys, parameters)
					: connection.scriptingCommands().evalSha(script.digest(), ReturnType.MULTI, keys, parameters);
		}
		catch (RuntimeException ex) {
			answer.accept(null, ex);
			return;
		}
		answer.accept((said != null) ? said : List.of(), null);
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

	@Override
	public void publish(byte[] channel, byte[] message) {
		try {
			this.executor.execute(() -> {
				try (RedisConnection connection = this.client.connections().getConnection()) {
					connection.publish(channel, message);
				}
				catch (RuntimeException ex) {
					logger.debug("A message could not be published", ex);
				}
			});
		}
		catch (RejectedExecutionException ex) {
			logger.debug("A message was not published, since the lock store is closed", ex);
		}
	}

	@Override
	public void subscribe(byte[] channel, Subscriber subscriber) {
		Thread thread = daemon(() -> listen(channel, subscriber), "signals");
		this.listener = thread;
		thread.start();
	}

	/**
	 * Subscribing occupies a connection and this thread until the connection breaks.
	 */
	private void listen(byte[] channel, Subscriber subscriber) {
		boolean told = false;
		while (!this.closed) {
			try (RedisConnection connection = this.client.connections().getConnection()) {
				this.listening = connection;
				connection.subscribe(new Listener(subscriber), channel);
				told = false;
			}
			catch (RuntimeException ex) {
				if (!this.closed && !told) {
					told = true;
					subscriber.failed(ex);
				}
			}
			subscriber.disconnected();
			if (!this.closed && !pause()) {
				return;
			}
		}
	}

	private static boolean pause() {
		try {
			Thread.sleep(RESUBSCRIBE.toMillis());
			return true;
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			return false;
		}
	}

	@Override
	public void demoted() {
		this.client.renew();
		if (this.replicaCalls != null) {
			this.replicaCalls.suspect();
		}
	}

	@Override
	public String info(String section) {
		try (RedisConnection connection = this.client.connections().getConnection()) {
			Properties info = connection.serverCommands().info(section);
			StringBuilder text = new StringBuilder();
			if (info != null) {
				info.forEach((key, value) -> text.append(key).append(':').append(value).append('\n'));
			}
			return text.toString();
		}
		catch (RuntimeException ex) {
			throw RedisErrors.translate(ex, address());
		}
	}

	@Override
	public void close() {
		this.closed = true;
		this.executor.shutdownNow();
		if (this.replicaCalls != null) {
			this.replicaCalls.close();
		}
		Thread thread = this.listener;
		if (thread != null) {
			endSubscription();
			thread.interrupt();
		}
		try {
			this.executor.awaitTermination(this.timeout.toMillis(), TimeUnit.MILLISECONDS);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
		}
		this.client.close();
	}

	private void endSubscription() {
		RedisConnection connection = this.listening;
		Subscription subscription = (connection != null) ? connection.getSubscription() : null;
		if (subscription != null && subscription.isAlive()) {
			try {
				subscription.unsubscribe();
			}
			catch (RuntimeException ex) {
				logger.debug("The subscription ended before it could be ended", ex);
			}
		}
	}

	/**
	 * Spring Data tells of confirmed subscriptions only if the listener asks for it.
	 */
	private record Listener(Subscriber subscriber) implements MessageListener, SubscriptionListener {

		@Override
		public void onMessage(Message message, byte @Nullable [] pattern) {
			this.subscriber.message(message.getBody());
		}

		@Override
		public void onChannelSubscribed(byte[] channel, long count) {
			this.subscriber.subscribed();
		}

	}

}
