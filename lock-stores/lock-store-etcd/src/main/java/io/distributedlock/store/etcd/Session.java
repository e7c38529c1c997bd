package io.distributedlock.store.etcd;

import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

import io.etcd.jetcd.ByteSequence;

/**
 * A lease of this JVM, which many grants or queue entries share, and its marker: a key
 * that ends with the lease. Requests that give this JVM something demand that the marker
 * is unchanged. That says in one condition that the lease lives and that requests of this
 * age are still wanted: changing the marker makes all earlier ones without effect,
 * however late they come.
 */
final class Session {

	/** Time for which things on this lease can be promised, in seconds. */
	final int seconds;

	final long lease;

	final ByteSequence marker;

	/** Grants, queue entries and cooling locks that end with the lease. */
	final Set<Wheel.Entry> users = ConcurrentHashMap.newKeySet();

	private volatile long markerRevision;

	private volatile long aliveUntil;

	private volatile long promisedUntil;

	private volatile boolean lost;

	private volatile boolean ended;

	volatile long usedAt;

	/** Guarded by {@link Sessions}. */
	CompletableFuture<Session> keeping = CompletableFuture.completedFuture(this);

	long keptAt;

	CompletableFuture<Session> fencing = CompletableFuture.completedFuture(this);

	Session(int seconds, long lease, ByteSequence marker, long markerRevision, long aliveUntil, long now) {
		this.seconds = seconds;
		this.lease = lease;
		this.marker = marker;
		this.markerRevision = markerRevision;
		this.aliveUntil = aliveUntil;
		this.usedAt = now;
		this.keptAt = now;
		this.promisedUntil = now;
	}

	/**
	 * Notes that other JVMs count on something on the lease.
	 */
	synchronized void promise(long moment) {
		if (moment - this.promisedUntil > 0) {
			this.promisedUntil = moment;
		}
	}

	/**
	 * Tells whether other JVMs may still count on something on the lease.
	 */
	boolean isPromised(long now) {
		return this.promisedUntil - now > 0;
	}

	long markerRevision() {
		return this.markerRevision;
	}

	/**
	 * Notes what the marker was found to be. Nobody but this JVM changes it.
	 */
	synchronized void sawMarker(long revision) {
		if (revision > this.markerRevision) {
			this.markerRevision = revision;
		}
	}

	synchronized void keptUntil(long moment) {
		if (moment - this.aliveUntil > 0) {
			this.aliveUntil = moment;
		}
	}

	/**
	 * Returns the moment until which the servers keep the lease for certain.
	 */
	long aliveUntil() {
		return this.aliveUntil;
	}

	boolean isLost() {
		return this.lost;
	}

	/**
	 * Notes that etcd has said that the lease, and all that was on it, is gone.
	 */
	void end() {
		this.ended = true;
	}

	/**
	 * Tells whether etcd has said that the lease is gone; one that is only let go is not.
	 */
	boolean hasEnded() {
		return this.ended;
	}

	synchronized boolean lose() {
		boolean before = this.lost;
		this.lost = true;
		return !before;
	}

}
