package io.distributedlock.engine;

import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * What a gate knows of one attempt with which it asks the store, from the first question
 * until the attempt has become a grant or is given up. At a {@link Gate} and a
 * {@link ReaderGate} the attempt is the gate's: callers come and go without touching the
 * place in the store's queue. At a {@link CallerGate} each caller has its own.
 *
 * <h2>What an attempt may have in the store</h2> <pre>
 * nothing --asked with a place in the queue--> traces --no answer--> traces and a ghost
 *    |                                                                 ^
 *    +--asked without one, no answer-----------------------------------+
 * </pre>
 * <ul>
 * <li><em>Traces</em> are a place in the queue, a reservation or a grant. Once an attempt
 * may have some, it may have some for good, and whoever gives it up has to have it
 * abandoned (rule E13).</li>
 * <li>A <em>ghost</em> is a command without an answer that may still be executed, and
 * then leaves traces after the abandoning. It can be no longer when its timeout is over.
 * So an attempt that ends while there are ghosts is abandoned once more at that
 * moment.</li>
 * <li>Both outlive a grant: the ghost of an earlier question may come after the grant was
 * given back.</li>
 * </ul>
 * Guarded by the gate's mutex.
 */
final class Attempt {

	/** Shortest pause between two questions to a store that cannot signal. */
	private static final long FIRST_POLL = 10_000_000;

	private static final int MOST_DOUBLINGS = 16;

	final AttemptId id;

	/** The longest that was asked for under this id. */
	long ttl;

	boolean sentBefore;

	/** The store may have a queue entry, a reservation or a grant for it. */
	boolean mayHaveTraces;

	/** Until then a command without an answer may still be executed. */
	private long ghostUntil;

	/** Somebody else is first, or is given the chance to be. */
	boolean refused;

	/** The store has said so. */
	boolean refusedByStore;

	/** Who that is, for messages. */
	String holder = "";

	/** Questions in a row to a store that cannot signal, or cannot be reached. */
	private int polls;

	/** Why the last question got no answer, null if it got one. */
	@Nullable StoreException outage;

	Attempt(AttemptId id) {
		this.id = id;
	}

	/** The store has said that somebody else is first. */
	void refused(AcquireReply.Refused no) {
		this.outage = null;
		this.refused = true;
		this.refusedByStore = true;
		this.holder = (no.holder() != null) ? "held by " + no.holder() : "";
	}

	/**
	 * A question got no answer.
	 * @param failure why
	 * @param executableUntil when it can be executed no more
	 */
	void failed(StoreException failure, long executableUntil) {
		this.outage = failure;
		unanswered(failure, executableUntil);
	}

	/**
	 * A command got no answer that nobody waits for any more.
	 * @param failure why
	 * @param executableUntil when it can be executed no more
	 */
	void unanswered(StoreException failure, long executableUntil) {
		if (failure.mayHaveExecuted()) {
			this.mayHaveTraces = true;
			haunted(executableUntil);
		}
	}

	/** A command may be executed until a moment, without anybody knowing. */
	void haunted(long until) {
		this.ghostUntil = Math.max(this.ghostUntil, until);
	}

	/** Tells whether a command without an answer may still be executed. */
	boolean isHaunted(long now) {
		return this.ghostUntil > now;
	}

	/** Returns when the last command without an answer can be executed no more. */
	long ghostUntil() {
		return this.ghostUntil;
	}

	/**
	 * Returns how long to wait before the next question to a store that cannot signal or
	 * has not answered: twice as long each time, up to a limit, and less by chance, so
	 * that JVMs do not ask in step.
	 * @param longest the limit
	 */
	long pauseToPoll(long longest) {
		return Clock.jitter(Math.min(longest, FIRST_POLL << Math.min(this.polls++, MOST_DOUBLINGS)));
	}

}
