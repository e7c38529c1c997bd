package io.distributedlock.spi;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * The server-side half of a lock. Every command is atomic, checks the owner by attempt
 * id, and is asynchronous: it never waits for a lock to become free.
 * <p>
 * Rules for all commands:
 * <ul>
 * <li>They may be called by many threads at once, and must return soon: the calling
 * thread may be one that serves others.</li>
 * <li>The returned stage completes within the command's timeout (a batch: within the
 * longest of its commands), exceptionally with {@link StoreException} and nothing else if
 * there is no usable answer. It may complete before the method returns.</li>
 * <li>Actions that are added to the stage may run on the store's I/O thread; the engine
 * keeps them short and never blocks in them.</li>
 * <li>They are idempotent by attempt id: a command that is sent again, since its answer
 * was lost, gives the same result or {@code NotOwner}.</li>
 * <li>Fencing tokens of a key rise from grant to grant, also over restarts of the store
 * as far as it can promise, and stay below 2^53.</li>
 * </ul>
 * A store that can do more implements {@link QueueingLockStore},
 * {@link SignallingLockStore}, {@link MessagingLockStore}, {@link SharedLockStore},
 * {@link FairLockStore} or {@link InspectableLockStore} as well.
 */
public interface LockStore extends AutoCloseable {

	/**
	 * Returns the name under which the store is configured and shown, such as
	 * {@code redis}.
	 * @return the name
	 */
	String name();

	/**
	 * Grants the lock if it is free, or if it is reserved for or held by this attempt
	 * already.
	 * @param command what is asked for
	 * @return the answer
	 */
	CompletionStage<AcquireReply> acquire(AcquireCommand command);

	/**
	 * Renews grants. A grant that has ended is never made again.
	 * @param commands the grants to keep, of any number of keys
	 * @return one answer for each command, in order; a part that fails does not make the
	 * others fail
	 */
	CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands);

	/**
	 * Gives a grant back, and reserves the lock for the next waiting JVM, if the store
	 * has a queue.
	 * @param command what to give back
	 * @return the answer
	 */
	CompletionStage<ReleaseReply> release(ReleaseCommand command);

	/**
	 * Gives a grant more tokens and its full ttl, unless another JVM waits.
	 * @param command what is asked for
	 * @return the answer
	 */
	CompletionStage<ExtendReply> extend(ExtendCommand command);

	/**
	 * Takes away whatever an attempt has.
	 * @param command which attempt
	 * @return completes when the attempt has nothing any more
	 */
	CompletionStage<Void> abandon(AbandonCommand command);

	/**
	 * Frees connections and threads. Commands that are sent later fail.
	 */
	@Override
	void close();

}
