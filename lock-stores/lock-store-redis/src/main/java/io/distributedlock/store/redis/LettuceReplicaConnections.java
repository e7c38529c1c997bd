package io.distributedlock.store.redis;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import io.lettuce.core.RedisURI;
import io.lettuce.core.api.StatefulConnection;
import org.jspecify.annotations.Nullable;

/**
 * Connections to one primary for calls that wait for its replicas. WAIT blocks its
 * connection, so each serves one call at a time; calls that find none free stand in line.
 * A few are enough, since the operations of many callers share a call.
 */
final class LettuceReplicaConnections {

	/** Most connections to one primary. */
	static final int MOST = 4;

	private final @Nullable RedisURI node;

	private final Supplier<CompletionStage<StatefulConnection<byte[], byte[]>>> opener;

	private final Sender sender;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Deque<StatefulConnection<byte[], byte[]>> idle = new ArrayDeque<>();

	private final Deque<ReplicaCall> waiting = new ArrayDeque<>();

	private int open;

	private boolean closed;

	/** How many replicas the last call needed; the next one will hardly need others. */
	private volatile int demanded = 1;

	LettuceReplicaConnections(@Nullable RedisURI node,
			Supplier<CompletionStage<StatefulConnection<byte[], byte[]>>> opener, Sender sender) {
		this.node = node;
		this.opener = opener;
		this.sender = sender;
	}

	/**
	 * Returns how to reach the node, null outside of a Cluster.
	 */
	@Nullable RedisURI node() {
		return this.node;
	}

	int demanded() {
		return this.demanded;
	}

	void demanded(int replicas) {
		this.demanded = replicas;
	}

	/**
	 * Sends a call on a connection that is free, on a new one, or when one becomes free.
	 */
	void submit(ReplicaCall call) {
		StatefulConnection<byte[], byte[]> free;
		this.mutex.lock();
		try {
			free = pollIdle();
			if (free == null) {
				if (this.open >= MOST) {
					this.waiting.add(call);
					return;
				}
				this.open++;
			}
		}
		finally {
			this.mutex.unlock();
		}
		start(free, call);
	}

	private @Nullable StatefulConnection<byte[], byte[]> pollIdle() {
		StatefulConnection<byte[], byte[]> free = this.idle.pollLast();
		while (free != null && !free.isOpen()) {
			this.open--;
			free = this.idle.pollLast();
		}
		return free;
	}

	private void start(@Nullable StatefulConnection<byte[], byte[]> free, ReplicaCall call) {
		if (free != null) {
			this.sender.send(this, free, call);
			return;
		}
		this.opener.get().whenComplete((opened, error) -> {
			if (opened != null) {
				this.sender.send(this, opened, call);
				return;
			}
			this.sender.unreachable(call, (error != null) ? error : new IllegalStateException("no connection"));
			ended(null);
		});
	}

	/**
	 * A call has ended.
	 * @param usable its connection, null if that is of no use any more
	 */
	void ended(@Nullable StatefulConnection<byte[], byte[]> usable) {
		ReplicaCall next;
		boolean superfluous = false;
		this.mutex.lock();
		try {
			next = this.waiting.poll();
			while (next != null && !next.answer().wanted()) {
				next = this.waiting.poll();
			}
			if (next == null && usable != null && !this.closed) {
				this.idle.add(usable);
			}
			else if (next == null) {
				this.open--;
				superfluous = true;
			}
		}
		finally {
			this.mutex.unlock();
		}
		if (next != null) {
			start(usable, next);
		}
		else if (superfluous && usable != null) {
			usable.closeAsync();
		}
	}

	/**
	 * Closes the connections that nobody uses: where one is dead, the others may be too.
	 */
	void closeIdle() {
		List<StatefulConnection<byte[], byte[]>> old;
		this.mutex.lock();
		try {
			old = new ArrayList<>(this.idle);
			this.idle.clear();
			this.open -= old.size();
		}
		finally {
			this.mutex.unlock();
		}
		old.forEach(StatefulConnection::closeAsync);
	}

	/**
	 * Keeps no connection any more.
	 */
	void close() {
		this.mutex.lock();
		try {
			this.closed = true;
		}
		finally {
			this.mutex.unlock();
		}
		closeIdle();
	}

	/**
	 * Sends calls.
	 */
	interface Sender {

		/**
		 * Sends a call on a connection that nobody else uses, and reports when it has
		 * ended.
		 */
		void send(LettuceReplicaConnections pool, StatefulConnection<byte[], byte[]> connection, ReplicaCall call);

		/**
		 * No connection could be opened for a call.
		 */
		void unreachable(ReplicaCall call, Throwable error);

	}

}
