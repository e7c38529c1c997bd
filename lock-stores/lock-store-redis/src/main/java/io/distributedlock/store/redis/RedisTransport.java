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
	 * Runs a script like {@link #run}, and then waits on the same connection until
	 * replicas have what it wrote (rule R9). Called only if the transport was opened with
	 * a {@link ReplicaRule} that demands replicas.
	 * @param script which one
	 * @param withSource whether to send its text
	 * @param keys its keys, all of one bucket, at least one
	 * @param arguments its arguments
	 * @param answer takes what the script and the replicas say, on any thread
	 */
	void runAndWait(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
			ReplicatedAnswer answer);

	/**
	 * Publishes a message and never waits. Whether it arrived, or was sent at all, nobody
	 * learns.
	 * @param channel the channel
	 * @param message the message
	 */
	void publish(byte[] channel, byte[] message);

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

	/**
	 * Says that the server at the other end is a replica now. A new connection may lead
	 * to the primary: behind a name or a proxy the old one stays where it is.
	 */
	default void demoted() {
	}

	@Override
	void close();

	/**
	 * Takes first what a script says and then, if that was no error, what the replicas
	 * say. There may be no answer at all.
	 */
	interface ReplicatedAnswer {

		/**
		 * Tells whether anybody still waits.
		 */
		boolean wanted();

		/**
		 * Returns the key under which the number of known replicas is kept, of the same
		 * bucket as the script's keys.
		 */
		byte[] replicasKey();

		/**
		 * Returns the {@link System#nanoTime()} after which nobody waits any more.
		 */
		long deadline();

		/**
		 * The script has answered, or it failed and nothing follows.
		 */
		void script(@Nullable List<byte[]> answer, @Nullable Throwable error);

		/**
		 * So many replicas have what the script wrote.
		 * @param acknowledged how many have said so in time
		 * @param demanded how many have to
		 */
		void replicas(int acknowledged, int demanded);

		/**
		 * It could not be found out which replicas have it.
		 */
		void unknown(Throwable error);

	}

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
