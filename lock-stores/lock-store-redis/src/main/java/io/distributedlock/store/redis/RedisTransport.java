package io.distributedlock.store.redis;

import java.util.List;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;

/**
 * Carries scripts to Redis on connections of its own, and messages back.
 */
interface RedisTransport extends AutoCloseable {

	/**
	 * Tells whether keys are spread over a cluster.
	 */
	boolean cluster();

	/**
	 * Names the server, for messages.
	 */
	String address();

	/**
	 * Runs a script and never waits. An error of the server, or of the connection, is
	 * handed over as the client gives it; there may be no answer at all.
	 * @param script which one
	 * @param withSource whether to send its text, which makes the server remember it
	 * @param keys its keys, all of one bucket, at least one
	 * @param arguments its arguments
	 * @param wanted tells whether anybody still waits for the answer; a command that was
	 * not sent when nobody does any more need not be sent
	 * @param answer takes the answer or the error, on any thread
	 */
	void run(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments, BooleanSupplier wanted,
			BiConsumer<@Nullable List<byte[]>, @Nullable Throwable> answer);

	/**
	 * Subscribes to a channel for good, and never waits.
	 * @param channel the channel
	 * @param subscriber takes what happens
	 */
	void subscribe(byte[] channel, Subscriber subscriber);

	/**
	 * Asks a server for a section of INFO. Blocks for at most the command timeout.
	 * @param section the section
	 * @return the text
	 */
	String info(String section);

	/**
	 * Says that the server has not answered for a while, so that the transport can try a
	 * new connection.
	 */
	default void suspect() {
	}

	@Override
	void close();

	/**
	 * What happens to a subscription.
	 */
	interface Subscriber {

		/**
		 * Messages arrive from now on; the first time or again.
		 */
		void subscribed();

		/**
		 * Messages may not arrive any more.
		 */
		void disconnected();

		/**
		 * The server refused, or could not be reached.
		 */
		void failed(Throwable cause);

		/**
		 * A message came.
		 */
		void message(byte[] message);

	}

}
