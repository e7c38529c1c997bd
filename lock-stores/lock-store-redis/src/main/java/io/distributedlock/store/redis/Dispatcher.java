package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntFunction;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.StoreException;

/**
 * Sends operations, coalesced where many meet, and sees to it that each of them ends by
 * its deadline, whatever the server does. One thread watches all deadlines and sleeps
 * while nothing is under way.
 */
final class Dispatcher implements AutoCloseable {

	private static final Logger logger = LoggerFactory.getLogger(Dispatcher.class);

	private static final long TICK = 5_000_000;

	private static final int IDLE_TICKS = 20;

	private static final long RETRY_DELAY = 20_000_000;

	/** Renewals of many leases must not wait for one round trip after the other. */
	private static final int RENEW_WINDOW = 16;

	private static final int LEASE_WINDOW = 2;

	/** A call of that many acquires and releases goes alone. */
	private static final int LARGE = 4;

	private final RedisTransport transport;

	private final ReplicaRule replicas;

	/** Where the number of known replicas is kept, for each bucket. */
	private final IntFunction<byte[]> replicasKeys;

	private final Map<LockScript, AtomicReferenceArray<@Nullable Lane>> lanes = new EnumMap<>(LockScript.class);

	/** Releases go apart from acquires if those wait for replicas. */
	private final @Nullable AtomicReferenceArray<@Nullable Lane> releaseLanes;

	private final Queue<Lane> allLanes = new ConcurrentLinkedQueue<>();

	private final Set<Call> underWay = ConcurrentHashMap.newKeySet();

	private final Queue<Retry> retries = new ConcurrentLinkedQueue<>();

	private final Thread watch;

	private volatile boolean asleep;

	private volatile boolean closed;

	private volatile long lastAnswer = System.nanoTime();

	Dispatcher(RedisTransport transport, int buckets, ReplicaRule replicas) {
		this(transport, buckets, replicas, (bucket) -> new byte[0]);
	}

	Dispatcher(RedisTransport transport, int buckets, ReplicaRule replicas, IntFunction<byte[]> replicasKeys) {
		this.transport = transport;
		this.replicas = replicas;
		this.replicasKeys = replicasKeys;
		this.releaseLanes = replicas.isOn() ? new AtomicReferenceArray<>(buckets) : null;
		for (LockScript script : List.of(LockScript.LEASE, LockScript.RENEW, LockScript.SHARE_RENEW)) {
			this.lanes.put(script, new AtomicReferenceArray<>(buckets));
		}
		this.watch = new Thread(this::watch, "distributed-lock-redis-deadlines");
		this.watch.setDaemon(true);
	}

	void start() {
		this.watch.start();
	}

	/**
	 * Sends an operation, now or together with others of its bucket.
	 */
	void submit(Operation<?> operation) {
		AtomicReferenceArray<@Nullable Lane> byBucket = lanes(operation);
		if (byBucket == null) {
			sendAlone(operation);
		}
		else {
			lane(operation, byBucket).submit(operation);
			wakeUp();
		}
	}

	private @Nullable AtomicReferenceArray<@Nullable Lane> lanes(Operation<?> operation) {
		return (this.releaseLanes != null && operation.script() == LockScript.LEASE && !operation.mayGrant())
				? this.releaseLanes : this.lanes.get(operation.script());
	}

	/**
	 * Sends operations of one script, those of one bucket together.
	 */
	void submitAll(List<? extends Operation<?>> operations) {
		Map<Lane, List<Operation<?>>> byLane = new LinkedHashMap<>();
		for (Operation<?> operation : operations) {
			Lane lane = lane(operation, this.lanes.get(operation.script()));
			byLane.computeIfAbsent(lane, (any) -> new ArrayList<>()).add(operation);
		}
		byLane.forEach(Lane::submit);
		wakeUp();
	}

	/**
	 * Sends a batch of acquires or releases: one call after the other for each bucket,
	 * without waiting for answers in between, so that the whole takes one round trip.
	 * Each call is as large as others may be, so that Redis serves other clients between
	 * them.
	 */
	void sendTogether(List<? extends Operation<?>> operations) {
		if (this.replicas.isOn()) {
			// Calls that wait for replicas need a connection each.
			operations.forEach(this::submit);
			return;
		}
		Map<Integer, List<Operation<?>>> byBucket = new LinkedHashMap<>();
		for (Operation<?> operation : operations) {
			List<Operation<?>> call = byBucket.computeIfAbsent(operation.bucket(), (bucket) -> new ArrayList<>());
			call.add(operation);
			if (call.size() == Lane.MOST_PER_CALL) {
				byBucket.remove(operation.bucket());
				send(call, () -> {
				});
			}
		}
		byBucket.values().forEach((call) -> send(call, () -> {
		}));
	}

	/**
	 * Sends an operation at once.
	 */
	void sendAlone(Operation<?> operation) {
		send(List.of(operation), () -> {
		});
	}

	private Lane lane(Operation<?> operation, AtomicReferenceArray<@Nullable Lane> byBucket) {
		Lane lane = byBucket.get(operation.bucket());
		if (lane == null) {
			Lane created = operation.script().renews() ? new Lane(RENEW_WINDOW, Integer.MAX_VALUE, this::send)
					: new Lane(LEASE_WINDOW, LARGE, this::send);
			if (byBucket.compareAndSet(operation.bucket(), null, created)) {
				this.allLanes.add(created);
				return created;
			}
			lane = byBucket.get(operation.bucket());
		}
		return lane;
	}

	private void send(List<? extends Operation<?>> unordered, Runnable whenEnded) {
		List<? extends Operation<?>> operations = unordered.get(0).inOrder(unordered);
		List<byte[]> keys = new ArrayList<>(1 + 3 * operations.size());
		List<byte[]> arguments = new ArrayList<>(5 + 6 * operations.size());
		operations.get(0).header(operations, keys, arguments);
		for (Operation<?> operation : operations) {
			operation.body(keys, arguments);
		}
		Call call = new Call(operations, System.nanoTime(), whenEnded);
		this.underWay.add(call);
		wakeUp();
		if (this.closed) {
			failAll(call, new StoreException("The lock store is closed.", false, false, null));
			return;
		}
		operations.forEach(Operation::markSent);
		transmit(call, false, keys, arguments);
	}

	private void transmit(Call call, boolean withSource, List<byte[]> keys, List<byte[]> arguments) {
		try {
			if (this.replicas.isOn() && call.mayGrant()) {
				this.transport.runAndWait(call.script(), withSource, keys, arguments,
						new ReplicatedCall(call, this.replicas, this.transport.address(),
								this.replicasKeys.apply(call.bucket()), (answer, error, grants) -> {
									if (answer != null) {
										received(call, answer, grants);
									}
									else {
										refused(call, withSource, keys, arguments,
												(error != null) ? error : new IllegalStateException());
									}
								}, () -> end(call)));
				return;
			}
			this.transport.run(call.script(), withSource, keys, arguments, call::isOpen, (answer, error) -> {
				if (answer != null) {
					received(call, answer, null);
				}
				else {
					refused(call, withSource, keys, arguments, (error != null) ? error : new IllegalStateException());
				}
			});
		}
		catch (RuntimeException ex) {
			failAll(call, RedisErrors.translate(ex, this.transport.address()));
		}
	}

	/**
	 * Takes what a script said.
	 * @param grants where grants wait for replicas, null if they need not
	 */
	private void received(Call call, List<byte[]> answer, ReplicatedCall.@Nullable Deferral grants) {
		long now = System.nanoTime();
		this.lastAnswer = now;
		try {
			Answer.Reader reader = new Answer.Reader(call.script(), answer);
			for (Operation<?> operation : call.operations()) {
				deliver(operation, reader, call.sentAt(), now, grants);
			}
		}
		catch (RuntimeException ex) {
			call.operations().forEach((operation) -> unreadable(operation, ex));
		}
		finally {
			// Last, so that what those who were just answered ask for next goes out in
			// one
			// call.
			if (grants == null) {
				end(call);
			}
		}
	}

	private void deliver(Operation<?> operation, Answer.Reader reader, long sentAt, long now,
			ReplicatedCall.@Nullable Deferral grants) {
		try {
			Answer answer = reader.next();
			if (answer.isOfReplica()) {
				this.transport.demoted();
			}
			if (grants != null && operation.isGrant(answer)) {
				grants.defer(operation, () -> deliver(operation, answer, sentAt, now));
			}
			else {
				deliver(operation, answer, sentAt, now);
			}
		}
		catch (RuntimeException ex) {
			unreadable(operation, ex);
		}
	}

	private static void deliver(Operation<?> operation, Answer answer, long sentAt, long now) {
		try {
			if (!operation.isDone()) {
				operation.answered(answer, sentAt, now);
			}
		}
		catch (Throwable ex) {
			// Also an Error: those behind it have to be answered.
			unreadable(operation, ex);
		}
	}

	/**
	 * Whatever is wrong, the caller must not wait for its timeout to learn of it.
	 */
	private static void unreadable(Operation<?> operation, Throwable cause) {
		operation.fail(new StoreException(
				"The answer of Redis to the " + operation.script() + " script could not be read: " + cause, true, false,
				cause));
	}

	private void refused(Call call, boolean withSource, List<byte[]> keys, List<byte[]> arguments, Throwable error) {
		long now = System.nanoTime();
		RedisErrors kind = RedisErrors.of(error);
		if (kind.isAnswer()) {
			this.lastAnswer = now;
		}
		if (kind == RedisErrors.READONLY) {
			this.transport.demoted();
		}
		if (kind == RedisErrors.NOSCRIPT && !withSource) {
			transmit(call, true, keys, arguments);
		}
		else if (kind == RedisErrors.TRYAGAIN && call.lastDeadline() - now > RETRY_DELAY) {
			this.retries.add(new Retry(now + RETRY_DELAY, () -> transmit(call, withSource, keys, arguments)));
			wakeUp();
		}
		else if (kind.isAnswer() && call.operations().size() > 1) {
			// One operation must not make the others fail; all are idempotent.
			end(call);
			for (Operation<?> operation : call.operations()) {
				if (!operation.isDone()) {
					send(List.of(operation), () -> {
					});
				}
			}
		}
		else {
			failAll(call, RedisErrors.translate(error, this.transport.address()));
		}
	}

	private void failAll(Call call, StoreException failure) {
		end(call);
		for (Operation<?> operation : call.operations()) {
			operation.fail(failure);
		}
	}

	private void end(Call call) {
		this.underWay.remove(call);
		call.end();
	}

	private void wakeUp() {
		if (this.asleep) {
			LockSupport.unpark(this.watch);
		}
	}

	private void watch() {
		int idle = 0;
		while (!this.closed) {
			try {
				idle = tick(System.nanoTime()) ? 0 : idle + 1;
				if (idle < IDLE_TICKS) {
					LockSupport.parkNanos(this, TICK);
				}
				else {
					this.asleep = true;
					if (isIdle()) {
						LockSupport.park(this);
					}
					this.asleep = false;
					idle = 0;
				}
			}
			catch (RuntimeException ex) {
				logger.error("A deadline of a Redis command could not be enforced", ex);
			}
		}
	}

	private boolean isIdle() {
		return this.underWay.isEmpty() && this.retries.isEmpty() && this.allLanes.stream().allMatch(Lane::isIdle);
	}

	private boolean tick(long now) {
		boolean busy = false;
		for (Call call : this.underWay) {
			busy = true;
			for (Operation<?> operation : call.operations()) {
				timeOut(operation, now);
			}
			if (call.lastDeadline() - now <= 0) {
				end(call);
				suspectConnection(call, now);
			}
		}
		for (Lane lane : this.allLanes) {
			if (!lane.isIdle()) {
				busy = true;
				boolean any = false;
				for (Operation<?> operation : lane.waiting()) {
					any |= timeOut(operation, now);
				}
				if (any) {
					lane.dropDone();
				}
			}
		}
		for (Retry retry : this.retries) {
			busy = true;
			if (retry.due() - now <= 0 && this.retries.remove(retry)) {
				retry.action().run();
			}
		}
		return busy;
	}

	private boolean timeOut(Operation<?> operation, long now) {
		if (operation.deadline() - now > 0 || operation.isDone()) {
			return false;
		}
		operation.fail(RedisErrors.timedOut(this.transport.address(), operation.wasSent()));
		return true;
	}

	private void suspectConnection(Call call, long now) {
		if (this.lastAnswer - call.sentAt() < 0) {
			logger.debug("No answer from Redis for {} ms", (now - this.lastAnswer) / 1_000_000);
			this.transport.suspect();
		}
	}

	/**
	 * Fails what is under way. Closing the transport is up to the owner.
	 */
	@Override
	public void close() {
		this.closed = true;
		LockSupport.unpark(this.watch);
		StoreException failure = new StoreException("The lock store is closed.", true, false, null);
		for (Call call : this.underWay) {
			failAll(call, failure);
		}
		for (Lane lane : this.allLanes) {
			lane.waiting().forEach((operation) -> operation.fail(failure));
		}
	}

	private record Retry(long due, Runnable action) {
	}

}
