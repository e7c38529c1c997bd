package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * The answers of one call that count only when replicas have them (rule R9): what makes
 * or prolongs a grant. All others are delivered as soon as the script has answered.
 * <p>
 * If too few replicas have a grant, its caller is told that its outcome is unknown. The
 * store does not take it back by itself: the engine either asks again with the same
 * attempt, and then the grant is found and sent on to the replicas once more, or it gives
 * up and abandons the attempt. A store that abandoned on its own could take from a later
 * try of the same attempt what that has got.
 */
final class ReplicatedCall implements RedisTransport.ReplicatedAnswer {

	private final Call call;

	private final ReplicaRule rule;

	private final String address;

	private final byte[] replicasKey;

	private final Scripted scripted;

	private final Runnable end;

	private final AtomicReference<@Nullable List<Runnable>> grants = new AtomicReference<>();

	private final List<Operation<?>> granted = new ArrayList<>();

	/**
	 * Makes it.
	 * @param call the call
	 * @param rule how many replicas are demanded
	 * @param address names the server, for messages
	 * @param replicasKey where the number of known replicas is kept
	 * @param scripted takes what the script says, and defers grants to this object
	 * @param end ends the call
	 */
	ReplicatedCall(Call call, ReplicaRule rule, String address, byte[] replicasKey, Scripted scripted, Runnable end) {
		this.call = call;
		this.rule = rule;
		this.address = address;
		this.replicasKey = replicasKey;
		this.scripted = scripted;
		this.end = end;
	}

	@Override
	public boolean wanted() {
		return this.call.isOpen();
	}

	@Override
	public byte[] replicasKey() {
		return this.replicasKey;
	}

	@Override
	public long deadline() {
		return this.call.lastDeadline();
	}

	@Override
	public void script(@Nullable List<byte[]> answer, @Nullable Throwable error) {
		List<Runnable> deferred = new ArrayList<>();
		this.scripted.answered(answer, error, (operation, delivery) -> {
			this.granted.add(operation);
			deferred.add(delivery);
		});
		if (answer != null && deferred.isEmpty()) {
			this.end.run();
		}
		this.grants.set(deferred);
	}

	@Override
	public void replicas(int acknowledged, int demanded) {
		List<Runnable> deferred = this.grants.getAndSet(null);
		if (deferred == null || deferred.isEmpty()) {
			return;
		}
		try {
			if (acknowledged >= demanded) {
				deferred.forEach(Runnable::run);
			}
			else {
				refuse(this.rule.tooFew(acknowledged, demanded, Ascii.text(this.replicasKey), this.address));
			}
		}
		finally {
			this.end.run();
		}
	}

	@Override
	public void unknown(Throwable error) {
		if (this.grants.getAndSet(null) != null) {
			try {
				refuse(RedisErrors.unacknowledged(error, this.address));
			}
			finally {
				this.end.run();
			}
		}
	}

	private void refuse(StoreException failure) {
		this.granted.forEach((operation) -> operation.unacknowledged(failure));
	}

	/**
	 * Takes what the script says.
	 */
	interface Scripted {

		void answered(@Nullable List<byte[]> answer, @Nullable Throwable error, Deferral deferral);

	}

	/**
	 * Takes the deliveries that have to wait for replicas.
	 */
	interface Deferral {

		void defer(Operation<?> operation, Runnable delivery);

	}

}
