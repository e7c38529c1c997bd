package io.distributedlock.spi;

/**
 * A store that carries small messages from one JVM to another. The engine looks for
 * deadlocks with them. Messages are hints: they may be lost, doubled, or come out of
 * order, and what they say is checked again before anything is done about it.
 * <p>
 * A store for which it costs something to listen does so only while
 * {@link MessageReceiver#expectsMessages()} says yes, and begins when it is told to by
 * {@link #expectMessages()}. What was sent before may be lost.
 */
public interface MessagingLockStore extends LockStore {

	/**
	 * Returns what this JVM is called in the store, as it stands in
	 * {@link AcquireReply.Refused#holder()} and in what {@link InspectableLockStore}
	 * tells.
	 * @return the name, unique to this store object
	 */
	String instanceId();

	/**
	 * Returns how long a message may be.
	 * @return in characters, 4,000 or more
	 */
	int longestMessage();

	/**
	 * Registers the one receiver of messages. Called once, before the first command and
	 * before {@link SignallingLockStore#subscribe}.
	 * @param receiver called on the store's I/O threads; it returns soon
	 */
	void receiveMessages(MessageReceiver receiver);

	/**
	 * Tells that messages to this JVM matter from now on, until
	 * {@link MessageReceiver#expectsMessages()} says no; told again now and then while
	 * they do. Never waits. A store to which listening costs nothing need not do
	 * anything.
	 */
	default void expectMessages() {
	}

	/**
	 * Sends a message to another JVM and never waits. Nobody learns whether it arrives; a
	 * JVM that is unknown or gone is no error.
	 * @param instanceId which JVM
	 * @param message printable ASCII without line breaks, no longer than
	 * {@link #longestMessage()}
	 * @throws IllegalArgumentException if the message is longer
	 */
	void send(String instanceId, String message);

	/**
	 * Receives messages.
	 */
	@FunctionalInterface
	interface MessageReceiver {

		/**
		 * A message came.
		 * @param message what another JVM sent, or what anybody made up who may write to
		 * the channel
		 */
		void message(String message);

		/**
		 * Tells whether a message could matter now. A store may ask at any time, on any
		 * of its threads.
		 * @return true, or false to let the store stop listening until
		 * {@link MessagingLockStore#expectMessages()}
		 */
		default boolean expectsMessages() {
			return true;
		}

	}

}
