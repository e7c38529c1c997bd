package io.distributedlock.store.redis;

import java.util.List;
import java.util.concurrent.CompletableFuture;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * Finds out whether enough replicas have what a script has written.
 */
final class ReplicaProbe implements RedisTransport.ReplicatedAnswer {

	private final ReplicaRule rule;

	private final String address;

	private final byte[] replicasKey;

	private final long deadline;

	private final CompletableFuture<@Nullable StoreException> outcome = new CompletableFuture<>();

	ReplicaProbe(ReplicaRule rule, String address, byte[] replicasKey, long deadline) {
		this.rule = rule;
		this.address = address;
		this.replicasKey = replicasKey;
		this.deadline = deadline;
	}

	/**
	 * Returns what becomes null if enough replicas have it, the exception that a grant
	 * would end with if not, and fails if that cannot be found out.
	 */
	CompletableFuture<@Nullable StoreException> outcome() {
		return this.outcome;
	}

	@Override
	public boolean wanted() {
		return !this.outcome.isDone();
	}

	@Override
	public byte[] replicasKey() {
		return this.replicasKey;
	}

	@Override
	public long deadline() {
		return this.deadline;
	}

	@Override
	public void script(@Nullable List<byte[]> answer, @Nullable Throwable error) {
		if (error != null) {
			this.outcome.completeExceptionally(error);
		}
	}

	@Override
	public void replicas(int acknowledged, int demanded) {
		this.outcome.complete((acknowledged < demanded)
				? this.rule.tooFew(acknowledged, demanded, Ascii.text(this.replicasKey), this.address) : null);
	}

	@Override
	public void unknown(Throwable error) {
		this.outcome.completeExceptionally(error);
	}

}
