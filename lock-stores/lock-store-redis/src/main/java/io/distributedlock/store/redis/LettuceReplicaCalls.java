package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Future;

import io.lettuce.core.RedisCommandExecutionException;
import io.lettuce.core.RedisException;
import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulConnection;
import io.lettuce.core.cluster.SlotHash;
import io.lettuce.core.codec.ByteArrayCodec;
import io.lettuce.core.output.CommandOutput;
import io.lettuce.core.output.IntegerOutput;
import io.lettuce.core.output.StatusOutput;
import io.lettuce.core.protocol.AsyncCommand;
import io.lettuce.core.protocol.Command;
import io.lettuce.core.protocol.CommandArgs;
import io.lettuce.core.protocol.CommandType;
import io.lettuce.core.protocol.RedisCommand;
import org.jspecify.annotations.Nullable;

/**
 * Calls that wait for replicas (rule R9).
 * <p>
 * WAIT tells how many replicas have all that the same connection has written. So script
 * and WAIT have to reach the same server over the same connection: another one, which has
 * written nothing, would be told at once that all is well. Therefore both are written
 * together, and the connections are of a client that never reconnects. If one breaks in
 * between, nobody knows who has the grant, and it does not count.
 * <p>
 * If all replicas are demanded, a second script between the two says how many these are.
 * Should they be more than were waited for, another WAIT follows on the same connection.
 * <p>
 * In a Cluster each primary has its own connections, so that one that does not answer
 * keeps none of the others waiting. MOVED and ASK are followed here.
 */
final class LettuceReplicaCalls implements ReplicaCalls, LettuceReplicaConnections.Sender {

	private static final int MOST_REDIRECTS = 5;

	/** In nanoseconds; a Cluster that promotes a replica tells of it soon. */
	private static final long RETRY_PAUSE = 100_000_000;

	private final LettuceClient topology;

	private final LettuceClient connector;

	private final ReplicaRule rule;

	private final Map<String, LettuceReplicaConnections> pools = new ConcurrentHashMap<>();

	/**
	 * Makes calls possible; connections are opened when they are needed.
	 * @param topology knows the nodes of a Cluster
	 * @param connector opens connections, which it does not restore
	 * @param rule how many replicas are demanded
	 */
	LettuceReplicaCalls(LettuceClient topology, LettuceClient connector, ReplicaRule rule) {
		this.topology = topology;
		this.connector = connector;
		this.rule = rule;
	}

	@Override
	public void run(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
			RedisTransport.ReplicatedAnswer answer) {
		route(new ReplicaCall(script, withSource, keys, arguments, false, 0, answer));
	}

	private void route(ReplicaCall call) {
		if (!this.topology.isCluster()) {
			pool(null, call).submit(call);
			return;
		}
		RedisURI node = this.topology.primaryOf(SlotHash.getSlot(call.keys().get(0)));
		if (node == null) {
			this.topology.refreshTopology();
			call.answer().script(null, new RedisException("CLUSTERDOWN No primary is known that serves the slot"));
			return;
		}
		pool(node, call).submit(call);
	}

	/**
	 * Returns the connections for a call.
	 * @param node the primary it goes to, null outside of a Cluster
	 * @param call the call
	 */
	private LettuceReplicaConnections pool(@Nullable RedisURI node, ReplicaCall call) {
		String name = ((node != null) ? node.getHost() + ':' + node.getPort() : "")
				+ (call.renews() ? " renewals" : "");
		return this.pools.computeIfAbsent(name, (absent) -> new LettuceReplicaConnections(node,
				(node != null) ? () -> this.connector.connectTo(node) : this.connector::connect, this));
	}

	/**
	 * In a Cluster its slot may have another primary by now.
	 */
	@Override
	public void unreachable(ReplicaCall call, Throwable error) {
		this.topology.refreshTopology();
		if (this.topology.isCluster() && call.redirects() < MOST_REDIRECTS && call.answer().wanted()) {
			this.connector.later(() -> route(call.redirected(false)), RETRY_PAUSE);
		}
		else {
			call.answer().script(null, RedisErrors.notSent(error, this.topology.address()));
		}
	}

	@Override
	public void send(LettuceReplicaConnections pool, StatefulConnection<byte[], byte[]> connection, ReplicaCall call) {
		if (!call.answer().wanted()) {
			pool.ended(connection);
			return;
		}
		Future<?> limit = this.connector.later(connection::closeAsync, call.answer().deadline() - System.nanoTime());
		List<RedisCommand<byte[], byte[], ?>> commands = new ArrayList<>(5);
		AsyncCommand<byte[], byte[], List<byte[]>> script = LettuceTransport.command(call.script(), call.withSource(),
				call.keys(), call.arguments());
		int expected = this.rule.all() ? pool.demanded() : this.rule.replicas();
		AsyncCommand<byte[], byte[], Long> wait = waitFor(expected, call);
		AsyncCommand<byte[], byte[], Long> count = this.rule.all() ? count(pool, call) : null;
		add(script, call, commands);
		if (count != null) {
			add(count, call, commands);
		}
		commands.add(wait);
		script.whenComplete((said, error) -> scriptAnswered(pool, call, said, error));
		CompletableFuture<?> all = (count != null) ? CompletableFuture.allOf(script, count, wait)
				: CompletableFuture.allOf(script, wait);
		all.whenComplete((done, error) -> {
			limit.cancel(false);
			if (error != null) {
				failed(pool, connection, call, script, error);
				return;
			}
			int demanded = (count != null) ? count.join().intValue() : this.rule.replicas();
			pool.demanded(demanded);
			replicasAnswered(pool, connection, call, wait.join(), expected, demanded);
		});
		connection.dispatch(commands);
	}

	private static void add(RedisCommand<byte[], byte[], ?> script, ReplicaCall call,
			List<RedisCommand<byte[], byte[], ?>> commands) {
		if (call.asking()) {
			commands.add(command(CommandType.ASKING, new StatusOutput<>(ByteArrayCodec.INSTANCE), args()));
		}
		commands.add(script);
	}

	/**
	 * Always with its text, so that no server can have forgotten it.
	 */
	private static AsyncCommand<byte[], byte[], Long> count(LettuceReplicaConnections pool, ReplicaCall call) {
		return command(CommandType.EVAL, new IntegerOutput<>(ByteArrayCodec.INSTANCE),
				args().add(LockScript.REPLICAS.source())
					.add(1)
					.addKey(call.answer().replicasKey())
					.add(pool.demanded()));
	}

	private AsyncCommand<byte[], byte[], Long> waitFor(int replicas, ReplicaCall call) {
		return command(CommandType.WAIT, new IntegerOutput<>(ByteArrayCodec.INSTANCE),
				args().add(replicas).add(call.patience(this.rule)));
	}

	private static CommandArgs<byte[], byte[]> args() {
		return new CommandArgs<>(ByteArrayCodec.INSTANCE);
	}

	private static <T> AsyncCommand<byte[], byte[], T> command(CommandType type,
			CommandOutput<byte[], byte[], T> output, CommandArgs<byte[], byte[]> args) {
		return new AsyncCommand<>(new Command<>(type, output, args));
	}

	private void scriptAnswered(LettuceReplicaConnections pool, ReplicaCall call, @Nullable List<byte[]> said,
			@Nullable Throwable error) {
		if (error == null) {
			call.answer().script((said != null) ? said : List.of(), null);
		}
		else if (!redirected(pool, call, error)) {
			call.answer().script(null, error);
		}
	}

	private boolean redirected(LettuceReplicaConnections pool, ReplicaCall call, Throwable error) {
		String message = String.valueOf(error.getMessage());
		RedisURI from = pool.node();
		boolean ask = message.startsWith("ASK ");
		if (from == null || call.redirects() == MOST_REDIRECTS || !(ask || message.startsWith("MOVED "))) {
			return false;
		}
		if (!ask) {
			this.topology.refreshTopology();
		}
		String target = message.substring(message.lastIndexOf(' ') + 1);
		int colon = target.lastIndexOf(':');
		String host = target.substring(0, colon);
		RedisURI to = RedisURI.builder(from)
			.withHost(host.isEmpty() ? from.getHost() : host)
			.withPort(Integer.parseInt(target.substring(colon + 1)))
			.build();
		pool(to, call).submit(call.redirected(ask));
		return true;
	}

	private void failed(LettuceReplicaConnections pool, StatefulConnection<byte[], byte[]> connection, ReplicaCall call,
			CompletableFuture<?> script, Throwable error) {
		Throwable cause = (error.getCause() != null) ? error.getCause() : error;
		if (!script.isCompletedExceptionally()) {
			call.answer().unknown(cause);
		}
		if (connection.isOpen() && cause instanceof RedisCommandExecutionException && isOfPrimary(cause)) {
			pool.ended(connection);
			return;
		}
		connection.closeAsync();
		pool.closeIdle();
		this.topology.refreshTopology();
		pool.ended(null);
	}

	/**
	 * Tells whether a server that gave this error can still be the primary.
	 */
	private static boolean isOfPrimary(Throwable error) {
		return switch (RedisErrors.of(error)) {
			case READONLY, LOADING, MASTERDOWN, CLUSTERDOWN -> false;
			default -> true;
		};
	}

	private void replicasAnswered(LettuceReplicaConnections pool, StatefulConnection<byte[], byte[]> connection,
			ReplicaCall call, long acknowledged, int expected, int demanded) {
		if (acknowledged >= demanded || expected >= demanded || !call.answer().wanted()) {
			call.answer().replicas((int) acknowledged, demanded);
			pool.ended(connection);
			return;
		}
		AsyncCommand<byte[], byte[], Long> wait = waitFor(demanded, call);
		Future<?> limit = this.connector.later(connection::closeAsync, call.answer().deadline() - System.nanoTime());
		wait.whenComplete((now, error) -> {
			limit.cancel(false);
			if (error != null) {
				failed(pool, connection, call, CompletableFuture.completedFuture(null), error);
			}
			else {
				replicasAnswered(pool, connection, call, now, demanded, demanded);
			}
		});
		connection.dispatch(List.of(wait));
	}

	@Override
	public void suspect() {
		this.pools.values().forEach(LettuceReplicaConnections::closeIdle);
	}

	@Override
	public void close() {
		this.pools.values().forEach(LettuceReplicaConnections::close);
		this.connector.close();
	}

}
