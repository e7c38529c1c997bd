package io.distributedlock.store.redis;

import java.util.List;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.StoreException;

/**
 * What operations need to know of their store.
 */
final class StoreContext {

	private static final Logger logger = LoggerFactory.getLogger(StoreContext.class);

	/** Beyond this, in microseconds, the scripts give out blocks of one token. */
	private static final long MARK_AHEAD = 1_000_000;

	private final KeyLayout layout;

	private final String address;

	private final byte[] instance;

	private final byte[] entryTtl;

	private final byte[] reservation;

	private final byte[] channels;

	private final AtomicReferenceArray<byte @Nullable []> leaseSettings;

	private final BooleanSupplier subscribed;

	private final Consumer<Operation<?>> resend;

	private final AtomicReferenceArray<@Nullable ServerClock> clocks;

	private volatile boolean warnedOfMark;

	StoreContext(KeyLayout layout, String address, RedisLockStore.Builder settings, BooleanSupplier subscribed,
			Consumer<Operation<?>> resend) {
		this.layout = layout;
		this.address = address;
		this.instance = Ascii.bytes(settings.instanceId);
		this.entryTtl = Ascii.bytes(settings.queueEntryTtl.toMillis());
		this.reservation = Ascii.bytes(settings.reservation.toMillis());
		this.channels = Ascii.bytes(layout.channels());
		this.subscribed = subscribed;
		this.resend = resend;
		this.leaseSettings = new AtomicReferenceArray<>(layout.buckets());
		this.clocks = new AtomicReferenceArray<>(layout.buckets());
	}

	KeyLayout layout() {
		return this.layout;
	}

	String address() {
		return this.address;
	}

	byte[] instance() {
		return this.instance;
	}

	byte[] entryTtl() {
		return this.entryTtl;
	}

	/**
	 * Returns how this instance's queue entries are marked: only who can be signalled is
	 * reserved for.
	 */
	char entryKind() {
		return this.subscribed.getAsBoolean() ? 's' : 'p';
	}

	void addKeys(String id, List<byte[]> keys) {
		keys.add(this.layout.record(id));
		keys.add(this.layout.queue(id));
		keys.add(this.layout.entries(id));
	}

	/**
	 * Adds the keys of one operation on the shares of a lock.
	 */
	void addShareKeys(int bucket, String id, List<byte[]> keys) {
		keys.add(this.layout.mark(bucket));
		addKeys(id, keys);
		keys.add(this.layout.shares(id));
		keys.add(this.layout.owners(id));
	}

	/**
	 * Adds what the scripts for shares and for strict order begin with.
	 */
	void addQueueing(int bucket, List<byte[]> arguments) {
		arguments.add(this.instance);
		arguments.add(this.entryTtl);
		addPassing(bucket, arguments);
	}

	/**
	 * Adds the keys of one operation of the lease script: outside of a Cluster it finds
	 * the others itself, if it needs them.
	 */
	void addLeaseKeys(String id, List<byte[]> keys) {
		if (this.layout.isCluster()) {
			addKeys(id, keys);
		}
		else {
			keys.add(this.layout.record(id));
		}
	}

	/**
	 * Returns what the lease script needs for its less frequent duties.
	 */
	byte[] leaseSettings(int bucket) {
		byte[] known = this.leaseSettings.get(bucket);
		if (known == null) {
			known = Ascii.bytes(Ascii.text(this.entryTtl) + ',' + Ascii.text(this.reservation) + ','
					+ Ascii.text(this.layout.idOffset(bucket)) + ',' + Ascii.text(this.channels));
			this.leaseSettings.set(bucket, known);
		}
		return known;
	}

	/**
	 * Adds what scripts need to pass a lock on.
	 */
	void addPassing(int bucket, List<byte[]> arguments) {
		arguments.add(this.reservation);
		arguments.add(this.channels);
		arguments.add(this.layout.idOffset(bucket));
	}

	ServerClock clock(int bucket) {
		ServerClock clock = this.clocks.get(bucket);
		if (clock == null) {
			this.clocks.compareAndSet(bucket, null, new ServerClock());
			clock = this.clocks.get(bucket);
		}
		return clock;
	}

	void resend(Operation<?> operation) {
		this.resend.accept(operation);
	}

	/**
	 * Warns once if tokens run ahead of the clock.
	 * @param ahead how far, in microseconds
	 */
	void checkMark(long ahead) {
		if (ahead > MARK_AHEAD && !this.warnedOfMark) {
			this.warnedOfMark = true;
			logger.warn("The fencing tokens in Redis at {} are {} ms ahead of its clock, which was probably set back."
					+ " Tokens still rise. Until the clock has caught up, every grant has one token only, so that"
					+ " locks go from thread to thread through Redis and are slower.", this.address, ahead / 1000);
		}
	}

	/**
	 * Turns what a script reported for one operation into the exception.
	 */
	StoreException failure(Answer answer) {
		return switch (answer.kind()) {
			case 'E' -> RedisErrors.reported(answer.rest(), this.address);
			case 'V' -> new StoreException("The lock's record in Redis was written by a newer version of this"
					+ " library, which this one cannot read. Finish the upgrade of all instances. [server "
					+ this.address + "]", false, false, null);
			case 'C' -> new StoreException(
					"The lock's record in Redis is not one that this library wrote. Find what"
							+ " else writes under the lock prefix, and delete the key. [server " + this.address + "]",
					false, false, null);
			case 'M' -> new StoreException("The key " + this.layout.markName() + ", which keeps the highest fencing"
					+ " token, does not hold a usable number. Find what else writes under the lock prefix; deleting"
					+ " the key makes tokens start at the server's clock again. [server " + this.address + "]", false,
					false, null);
			default -> throw new IllegalArgumentException(answer.toString());
		};
	}

}
