package io.distributedlock.spi;

import java.util.List;
import java.util.concurrent.CompletionStage;

/**
 * A store that serves commands for many keys at a time for the price of a few. Each
 * command of a batch is atomic for itself and has an answer of its own: one that fails
 * does not make the others fail, and one that is refused does not keep the others from
 * being granted. The keys of a batch differ.
 * <p>
 * No request needs this: for a store without it the engine sends the commands one by one,
 * without waiting between them.
 */
public interface MultiLockStore extends LockStore {

	/**
	 * Executes {@link #acquire} for each command.
	 * @param commands what is asked for, at least one
	 * @return one stage for each command, in order
	 */
	List<CompletionStage<AcquireReply>> acquireEach(List<AcquireCommand> commands);

	/**
	 * Executes {@link #release} for each command.
	 * @param commands what to give back, at least one
	 * @return one stage for each command, in order
	 */
	List<CompletionStage<ReleaseReply>> releaseEach(List<ReleaseCommand> commands);

}
