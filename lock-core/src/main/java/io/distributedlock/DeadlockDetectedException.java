package io.distributedlock;

import java.time.Duration;
import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * The caller waited for a lock whose holder, over any number of callers and JVMs, waits
 * for a lock that the caller itself holds. None of them would ever have gone on by
 * itself; the caller that began to wait last gets this exception, so that the others can.
 * <p>
 * What the caller holds stays held until it releases it, which it should do now: leave
 * the blocks of its locks, and perhaps begin anew. It is neither contention nor an
 * outage, but a mistake in the order in which locks are taken. Take several locks with
 * {@link LockTemplate#acquireAll}, or always in the same order.
 */
public class DeadlockDetectedException extends LockException {

	private static final long serialVersionUID = 1L;

	private final transient @Nullable List<Participant> cycle;

	/**
	 * Makes the exception.
	 * @param key which lock was waited for
	 * @param cycle the callers that wait for each other, the one that gives up first;
	 * each waits for what the next one holds, the last one for what the first one holds
	 */
	public DeadlockDetectedException(LockKey key, List<Participant> cycle) {
		super(key, message(key, cycle), null, true);
		this.cycle = List.copyOf(cycle);
	}

	private static String message(LockKey key, List<Participant> cycle) {
		StringBuilder message = new StringBuilder("Deadlock over ").append(cycle.size())
			.append((cycle.size() == 1) ? " caller" : " callers")
			.append(", so that lock '")
			.append(key)
			.append("' was not acquired: ");
		for (int i = 0; i < cycle.size(); i++) {
			Participant caller = cycle.get(i);
			message.append((i == 0) ? "" : "; ")
				.append('(')
				.append(i + 1)
				.append(") ")
				.append((i == 0) ? "this caller, " : "")
				.append('\'')
				.append(caller.owner())
				.append("' of ")
				.append(caller.instance().isEmpty() ? "this instance" : caller.instance())
				.append(", holds '")
				.append(caller.holds())
				.append("' and has waited ")
				.append(caller.waited().toMillis())
				.append("ms for '")
				.append(caller.waitsFor())
				.append('\'');
		}
		return message
			.append(". This caller was the last to wait and gives up; what it holds stays held until it"
					+ " releases it. Take several locks with acquireAll() or lockAll, or always in the same order.")
			.toString();
	}

	/**
	 * Returns the callers that wait for each other.
	 * @return the caller of this exception first; each waits for what the next one holds,
	 * the last one for what the first one holds. Empty after deserialization
	 */
	public List<Participant> cycle() {
		return (this.cycle != null) ? this.cycle : List.of();
	}

	/**
	 * One caller of a deadlock.
	 *
	 * @param instance the JVM, empty if the store has no name for it
	 * @param owner on whose behalf, such as the name of the thread
	 * @param holds id of the lock that it holds and the caller before it waits for
	 * @param waitsFor id of the lock that it waits for
	 * @param waited how long it had waited when the deadlock was found
	 */
	public record Participant(String instance, String owner, String holds, String waitsFor, Duration waited) {
	}

}
