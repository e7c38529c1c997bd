package io.distributedlock.test.guide;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;
import org.jspecify.annotations.Nullable;

/**
 * Stands for a server with a clock of its own and atomic commands.
 */
final class SmallServer {

	private final Map<String, Entry> entries = new HashMap<>();

	/** Never falls, also when entries go. */
	private long lastToken;

	private final AtomicLong clock = new AtomicLong();

	/**
	 * The server's clock, which tests move by hand. Nobody compares it with the clock of
	 * a client.
	 */
	long now() {
		return this.clock.get();
	}

	void pass(Duration time) {
		this.clock.addAndGet(time.toNanos());
	}

	synchronized AcquireReply acquire(AcquireCommand command, String instance, long notAfter) {
		if (now() - notAfter > 0) {
			// A late command would leave a grant that nobody knows of.
			throw new StoreException("The command came after its time was up.", false, true, null);
		}
		Entry entry = living(command.key());
		long until = now() + command.ttl().toNanos();
		if (entry == null) {
			entry = new Entry(command.attempt(), instance, this.lastToken + 1, command.tokens(), until);
			this.lastToken += command.tokens();
		}
		else if (command.attempt().equals(entry.attempt)) {
			// Sent again, since its answer was lost: the same grant, with its full ttl.
			entry = entry.until(until);
		}
		else {
			return new AcquireReply.Refused(entry.instance, Duration.ofNanos(entry.until - now()), false);
		}
		this.entries.put(command.key().id(), entry);
		return new AcquireReply.Granted(entry.firstToken, entry.tokens);
	}

	synchronized RenewReply renew(RenewCommand command) {
		Entry entry = owned(command.key(), command.attempt());
		if (entry == null) {
			return RenewReply.NOT_OWNER;
		}
		this.entries.put(command.key().id(), entry.until(now() + command.ttl().toNanos()));
		return RenewReply.RENEWED;
	}

	synchronized ReleaseReply release(LockKey key, AttemptId attempt, Duration keepFor) {
		Entry entry = owned(key, attempt);
		if (entry == null) {
			return new ReleaseReply.NotOwner();
		}
		if (keepFor.isZero()) {
			this.entries.remove(key.id());
		}
		else {
			this.entries.put(key.id(), new Entry(null, entry.instance, 0, 0, now() + keepFor.toNanos()));
		}
		return new ReleaseReply.Released(false);
	}

	synchronized ExtendReply extend(ExtendCommand command) {
		Entry entry = owned(command.key(), command.attempt());
		if (entry == null) {
			return new ExtendReply.NotOwner();
		}
		this.entries.put(command.key().id(), entry.until(now() + command.ttl().toNanos()));
		long first = this.lastToken + 1;
		this.lastToken += command.tokens();
		return new ExtendReply.Extended(first, command.tokens());
	}

	private @Nullable Entry owned(LockKey key, AttemptId attempt) {
		Entry entry = living(key);
		return (entry != null && attempt.equals(entry.attempt)) ? entry : null;
	}

	private @Nullable Entry living(LockKey key) {
		Entry entry = this.entries.get(key.id());
		return (entry != null && now() - entry.until < 0) ? entry : null;
	}

	/**
	 * What the server knows of a key.
	 *
	 * @param attempt who has it, null if it is only kept
	 */
	private record Entry(@Nullable AttemptId attempt, String instance, long firstToken, int tokens, long until) {

		Entry until(long later) {
			return new Entry(this.attempt, this.instance, this.firstToken, this.tokens, later);
		}

	}

}
