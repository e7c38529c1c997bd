package io.distributedlock.store.redis;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.data.redis.connection.RedisConnection;
import redis.clients.jedis.Connection;
import redis.clients.jedis.Jedis;
import redis.clients.jedis.Protocol.Command;
import redis.clients.jedis.RedisClusterClient;
import redis.clients.jedis.exceptions.JedisAskDataException;
import redis.clients.jedis.exceptions.JedisConnectionException;
import redis.clients.jedis.exceptions.JedisDataException;
import redis.clients.jedis.exceptions.JedisMovedDataException;
import redis.clients.jedis.exceptions.JedisRedirectionException;
import redis.clients.jedis.util.JedisClusterCRC16;
import redis.clients.jedis.util.Pool;

import io.distributedlock.spi.StoreException;

/**
 * Calls that wait for replicas, with Jedis: on a few threads and connections of their
 * own, each for one call at a time. Script and WAIT are written before either is
 * answered, so both go over the same connection or none is believed; see
 * {@link LettuceReplicaCalls}.
 */
final class JedisReplicaCalls implements ReplicaCalls {

	private static final Logger logger = LoggerFactory.getLogger(JedisReplicaCalls.class);

	private static final int THREADS = 4;

	private static final int MOST_REDIRECTS = 5;

	private static final int MOST_PRIMARIES = 1024;

	private final JedisClient client;

	private final ReplicaRule rule;

	private final ThreadPoolExecutor executor;

	/** See {@link ReplicaCall#renews()}. */
	private final ThreadPoolExecutor renewals;

	private final AtomicBoolean refreshing = new AtomicBoolean();

	/**
	 * How many replicas the last call to a primary needed; the next one will hardly need
	 * others.
	 */
	private final Map<String, Integer> demanded = new ConcurrentHashMap<>();

	JedisReplicaCalls(JedisClient client, ReplicaRule rule) {
		this.client = client;
		this.rule = rule;
		this.executor = executor("replicas");
		this.renewals = executor("renewals");
	}

	private static ThreadPoolExecutor executor(String name) {
		AtomicInteger number = new AtomicInteger();
		ThreadPoolExecutor executor = new ThreadPoolExecutor(THREADS, THREADS, 30, TimeUnit.SECONDS,
				new LinkedBlockingQueue<>(), (task) -> {
					Thread thread = new Thread(task, "distributed-lock-redis-" + name + "-" + number.incrementAndGet());
					thread.setDaemon(true);
					return thread;
				});
		executor.allowCoreThreadTimeOut(true);
		return executor;
	}

	@Override
	public void run(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
			RedisTransport.ReplicatedAnswer answer) {
		ReplicaCall call = new ReplicaCall(script, withSource, keys, arguments, false, 0, answer);
		try {
			(call.renews() ? this.renewals : this.executor).execute(() -> {
				if (answer.wanted()) {
					runNow(call);
				}
			});
		}
		catch (RejectedExecutionException ex) {
			answer.script(null, new StoreException("The lock store is closed.", false, false, ex));
		}
	}

	private void runNow(ReplicaCall first) {
		ReplicaCall call = first;
		JedisRedirectionException redirection = null;
		while (true) {
			try {
				send(call, redirection);
				return;
			}
			catch (JedisRedirectionException ex) {
				if (call.redirects() == MOST_REDIRECTS) {
					call.answer().script(null, ex);
					return;
				}
				redirection = ex;
				call = call.redirected(ex instanceof JedisAskDataException);
			}
			catch (NoConnection ex) {
				if (call.redirects() == MOST_REDIRECTS || !call.answer().wanted() || !ex.elsewhere()) {
					call.answer().script(null, RedisErrors.notSent(ex, this.client.address()));
					return;
				}
				redirection = null;
				call = call.redirected(false);
			}
		}
	}

	private void send(ReplicaCall call, @Nullable JedisRedirectionException redirection) {
		try (RedisConnection spring = connection()) {
			if (spring.getNativeConnection() instanceof Jedis single) {
				sendOn(single.getConnection(), call);
			}
			else {
				sendToCluster((RedisClusterClient) spring.getNativeConnection(), call, redirection);
			}
		}
		catch (JedisRedirectionException | NoConnection ex) {
			throw ex;
		}
		catch (RuntimeException ex) {
			call.answer().script(null, ex);
		}
	}

	private RedisConnection connection() {
		try {
			return this.client.connections().getConnection();
		}
		catch (RuntimeException ex) {
			throw new NoConnection(ex, false);
		}
	}

	private void sendToCluster(RedisClusterClient cluster, ReplicaCall call,
			@Nullable JedisRedirectionException redirection) {
		byte[] key = call.keys().get(0);
		if (redirection instanceof JedisMovedDataException) {
			refresh(cluster, key);
		}
		try (Connection node = node(cluster, key, redirection)) {
			sendOn(node, call);
		}
		catch (JedisConnectionException ex) {
			call.answer().script(null, ex);
			refresh(cluster, key);
		}
	}

	/**
	 * Returns a connection to a node for one call alone.
	 */
	private Connection node(RedisClusterClient cluster, byte[] key, @Nullable JedisRedirectionException redirection) {
		Pool<Connection> target = (redirection != null)
				? cluster.getClusterNodes().get(redirection.getTargetNode().toString()) : null;
		try {
			return (target != null) ? target.getResource()
					: cluster.getConnectionFromSlot(JedisClusterCRC16.getSlot(key));
		}
		catch (RuntimeException ex) {
			throw new NoConnection(ex, refresh(cluster, key));
		}
	}

	/**
	 * A command that it routes itself makes the client learn where the slots are now.
	 * @return whether it has found a node that serves the key
	 */
	private boolean refresh(RedisClusterClient cluster, byte[] key) {
		if (this.refreshing.compareAndSet(false, true)) {
			try {
				cluster.pttl(key);
				return true;
			}
			catch (RuntimeException ex) {
				logger.debug("Nothing serves the slot of a lock", ex);
			}
			finally {
				this.refreshing.set(false);
			}
		}
		return false;
	}

	private void sendOn(Connection connection, ReplicaCall call) {
		int expected = this.rule.all() ? this.demanded.getOrDefault(connection.toString(), 1) : this.rule.replicas();
		write(connection, call, expected);
		call.answer().script(scriptAnswer(connection, call), null);
		try {
			int all = demanded(connection, call);
			long acknowledged = (Long) connection.getOne();
			if (acknowledged < all && expected < all && call.answer().wanted()) {
				connection.sendCommand(Command.WAIT, Ascii.bytes(all), Ascii.bytes(call.patience(this.rule)));
				acknowledged = (Long) connection.getOne();
			}
			call.answer().replicas((int) acknowledged, all);
		}
		catch (RuntimeException ex) {
			// Which answers are still to come is not certain any more.
			connection.setBroken();
			call.answer().unknown(ex);
		}
	}

	private void write(Connection connection, ReplicaCall call, int replicas) {
		byte[][] parameters = new byte[2 + call.keys().size() + call.arguments().size()][];
		parameters[0] = call.withSource() ? call.script().source() : call.script().digest();
		parameters[1] = Ascii.bytes(call.keys().size());
		int at = 2;
		for (byte[] key : call.keys()) {
			parameters[at++] = key;
		}
		for (byte[] argument : call.arguments()) {
			parameters[at++] = argument;
		}
		if (call.asking()) {
			connection.sendCommand(Command.ASKING);
		}
		connection.sendCommand(call.withSource() ? Command.EVAL : Command.EVALSHA, parameters);
		if (this.rule.all()) {
			if (call.asking()) {
				connection.sendCommand(Command.ASKING);
			}
			// Always with its text, so that no server can have forgotten it.
			connection.sendCommand(Command.EVAL, LockScript.REPLICAS.source(), Ascii.bytes(1),
					call.answer().replicasKey(), Ascii.bytes(replicas));
		}
		connection.sendCommand(Command.WAIT, Ascii.bytes(replicas), Ascii.bytes(call.patience(this.rule)));
	}

	/**
	 * Whatever the script says, the answers behind it have to be read before the
	 * connection can serve the next call.
	 */
	@SuppressWarnings("unchecked")
	private List<byte[]> scriptAnswer(Connection connection, ReplicaCall call) {
		try {
			if (call.asking()) {
				connection.getOne();
			}
			return (List<byte[]>) connection.getOne();
		}
		catch (RuntimeException ex) {
			if (!connection.isBroken()) {
				readAway(connection, call);
			}
			throw ex;
		}
	}

	private void readAway(Connection connection, ReplicaCall call) {
		int behind = 1 + (this.rule.all() ? 1 : 0) + ((this.rule.all() && call.asking()) ? 1 : 0);
		for (int i = 0; i < behind && !connection.isBroken(); i++) {
			try {
				connection.getOne();
			}
			catch (JedisDataException ex) {
				logger.debug("Refused behind a script that was", ex);
			}
			catch (RuntimeException ex) {
				connection.setBroken();
			}
		}
	}

	private int demanded(Connection connection, ReplicaCall call) {
		if (!this.rule.all()) {
			return this.rule.replicas();
		}
		if (call.asking()) {
			connection.getOne();
		}
		int all = ((Long) connection.getOne()).intValue();
		if (this.demanded.size() > MOST_PRIMARIES) {
			this.demanded.clear();
		}
		this.demanded.put(connection.toString(), all);
		return all;
	}

	@Override
	public void suspect() {
		this.client.renew();
	}

	@Override
	public void close() {
		this.executor.shutdownNow();
		this.renewals.shutdownNow();
		this.client.close();
	}

	/**
	 * There was no connection, so the call was not sent.
	 */
	private static final class NoConnection extends RuntimeException {

		private static final long serialVersionUID = 1L;

		private final boolean elsewhere;

		/**
		 * Makes it.
		 * @param cause what the client said
		 * @param elsewhere whether another node has been found to serve the key
		 */
		NoConnection(Throwable cause, boolean elsewhere) {
			super(cause.getMessage(), cause);
			this.elsewhere = elsewhere;
		}

		boolean elsewhere() {
			return this.elsewhere;
		}

	}

}
