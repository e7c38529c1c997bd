package io.distributedlock.spi;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/**
 * A store in which several grants of one key can live side by side: those of readers, or
 * those of holders of a permit. Never both at once, and never beside an exclusive grant;
 * all kinds wait in the one queue of the key.
 * <p>
 * In addition to the rules of {@link LockStore}:
 * <ul>
 * <li>A shared attempt that is new is granted if the lock is free, or if its holders are
 * of its kind, fewer than its limit, and nobody waits. One that has or had a place in the
 * queue is granted as well when all before it are gone or served. So waiting writers are
 * not starved by readers.</li>
 * <li>When the lock is passed on and the first in the queue can share it, then all that
 * follow and can share it, up to the first that cannot, are served together: each has a
 * reservation of its own, and is signalled.</li>
 * <li>Readers get a fencing token that is no lower than that of any exclusive holder of
 * the key before them, and lower than that of any after them. Holders of permits get
 * tokens of their own, which rise like those of exclusive grants.</li>
 * <li>Readers of one JVM share one entry in the queue. Each attempt for a permit has an
 * entry of its own.</li>
 * <li>A grant that ends by its ttl frees its share, whatever the other holders do.</li>
 * </ul>
 * An attempt that was used for a shared command is never used for an exclusive one.
 */
public interface SharedLockStore extends QueueingLockStore {

	/**
	 * Grants a share of the lock, or else puts the attempt into the queue if the command
	 * says so.
	 * @param command what is asked for
	 * @return the answer; a grant has one token
	 */
	CompletionStage<AcquireReply> acquireShared(SharedAcquireCommand command);

	/**
	 * Renews shared grants, like {@link #renew}.
	 * @param commands the grants to keep, of any number of keys
	 * @return one answer for each command, in order
	 */
	CompletionStage<List<RenewReply>> renewShared(List<RenewCommand> commands);

	/**
	 * Asks for the full ttl, unless others wait for the lock. It gives no tokens.
	 * @param command which grant; its number of tokens means nothing
	 * @return {@link ExtendReply.Extended} with the grant's own token if nobody waits
	 */
	CompletionStage<ExtendReply> extendShared(ExtendCommand command);

	/**
	 * Gives a shared grant back, and reserves the lock for those whose turn it is then.
	 * @param command what to give back; with {@code keepFor} the share stays taken, by
	 * nobody, for this time
	 * @return {@link ReleaseReply.Released} or {@link ReleaseReply.NotOwner}
	 */
	CompletionStage<ReleaseReply> releaseShared(ReleaseCommand command);

	/**
	 * Takes away whatever a shared attempt has.
	 * @param command which attempt
	 * @return completes when the attempt has nothing any more
	 */
	CompletionStage<Void> abandonShared(AbandonCommand command);

	/**
	 * Turns an exclusive grant into a reader's share, in one step: at no moment is the
	 * lock free. Readers at the front of the queue are served with it, up to the first
	 * that cannot share; those behind a writer go on waiting. The share's token is no
	 * lower than those of the exclusive grant, and lower than that of any exclusive grant
	 * after it.
	 * <p>
	 * A command that is sent again finds the share and gives it its ttl once more. So
	 * when there was no answer, the same command both keeps what there is and finds out
	 * what it is. A command without an answer may be executed at any later time: once the
	 * exclusive grant has ended it changes nothing, or sets the ttl of its share.
	 * <p>
	 * A store that does not override this method says that it cannot. Such a lock stays
	 * exclusive until all leases of its holder are closed.
	 * @param command which grant, and which share
	 * @return the answer
	 */
	default CompletionStage<DowngradeReply> downgrade(DowngradeCommand command) {
		return CompletableFuture.completedFuture(new DowngradeReply.NotSupported());
	}

}
