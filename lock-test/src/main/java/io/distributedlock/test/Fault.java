package io.distributedlock.test;

import java.time.Duration;

import io.distributedlock.spi.StoreException;

/**
 * What happens to one command on its way to a store and back.
 */
public sealed interface Fault {

	/**
	 * Nothing happens to it.
	 * @return the fault that is none
	 */
	static Fault none() {
		return new None();
	}

	/**
	 * The request is lost: the store does not execute it, and the caller gets no answer
	 * within the timeout.
	 * @return the fault
	 */
	static Fault dropRequest() {
		return new DropRequest();
	}

	/**
	 * The reply is lost: the store executes the command, and the caller gets no answer
	 * within the timeout.
	 * @return the fault
	 */
	static Fault dropReply() {
		return new DropReply();
	}

	/**
	 * The request comes to the store late. What comes after its timeout is executed as
	 * far as the SPI allows: renewals and releases are, what could grant or queue is not.
	 * @param time how late
	 * @return the fault
	 */
	static Fault delay(Duration time) {
		return new Delay(time);
	}

	/**
	 * The command fails at once; the store does not execute it.
	 * @param cause what the caller gets
	 * @return the fault
	 */
	static Fault failBefore(StoreException cause) {
		return new FailBefore(cause);
	}

	/**
	 * The store executes the command, and the caller gets a failure instead of the reply.
	 * @param cause what the caller gets
	 * @return the fault
	 */
	static Fault failAfter(StoreException cause) {
		return new FailAfter(cause);
	}

	/**
	 * The request stays on its way until the test lets it go on, see
	 * {@link FaultyLockStore#heldBack()}. Its caller gets no answer within the timeout.
	 * @return the fault
	 */
	static Fault holdBack() {
		return new HoldBack();
	}

	/**
	 * See {@link Fault#none()}.
	 */
	record None() implements Fault {
	}

	/**
	 * See {@link Fault#dropRequest()}.
	 */
	record DropRequest() implements Fault {
	}

	/**
	 * See {@link Fault#dropReply()}.
	 */
	record DropReply() implements Fault {
	}

	/**
	 * See {@link Fault#delay(Duration)}.
	 *
	 * @param time how late
	 */
	record Delay(Duration time) implements Fault {
	}

	/**
	 * See {@link Fault#failBefore(StoreException)}.
	 *
	 * @param cause what the caller gets
	 */
	record FailBefore(StoreException cause) implements Fault {
	}

	/**
	 * See {@link Fault#failAfter(StoreException)}.
	 *
	 * @param cause what the caller gets
	 */
	record FailAfter(StoreException cause) implements Fault {
	}

	/**
	 * See {@link Fault#holdBack()}.
	 */
	record HoldBack() implements Fault {
	}

}
