package io.distributedlock.store.etcd;

import java.time.Duration;

import io.etcd.jetcd.ByteSequence;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;

/**
 * What happens to {@linkplain Stake stakes} without anybody asking: their time is over,
 * their lease has ended, another JVM has reserved a lock for them or ended them by force.
 */
final class Housekeeping implements Mailbox.Receiver, EndOperation.Starter {

	private final Duration commandTimeout;

	private @Nullable Context context;

	Housekeeping(Duration commandTimeout) {
		this.commandTimeout = commandTimeout;
	}

	void start(Context context) {
		this.context = context;
		context.timers().every(Wheel.TICK, () -> {
			long now = System.nanoTime();
			context.stakes().tick(now);
			context.sessions().tick(now);
		});
	}

	private Context context() {
		Context known = this.context;
		if (known == null) {
			throw new IllegalStateException("Not started");
		}
		return known;
	}

	/**
	 * Takes away a stake whose time is over. The operation sees to it that a failure is
	 * not the end of it.
	 */
	@Override
	public void end(Stake stake) {
		Stake known = context().stakes().find(stake.attempt);
		if (known != null && known != stake) {
			// Nothing was left of it, and the attempt has begun anew.
			return;
		}
		new EndOperation(context(), stake.key, stake.attempt, this.commandTimeout).start();
	}

	@Override
	public void later(Stake stake) {
		context().stakes().wheel().watch(stake);
	}

	/**
	 * A lease has ended, and with it all that was on it. Holders are told at once.
	 */
	void lost(Session session) {
		SignalReceiver signals = context().mailbox().signals();
		for (Stake stake : Stakes.of(session)) {
			boolean held = stake.isHeld(System.nanoTime());
			Stake.State lost = stake.lost(session);
			if (lost == null) {
				continue;
			}
			if (lost == Stake.State.HELD) {
				end(stake);
			}
			else {
				context().stakes().unqueued(stake);
			}
			if (held && lost == Stake.State.HELD && signals != null) {
				signals.revoked(stake.key.id(), stake.attempt);
			}
		}
	}

	@Override
	public void reserved(AttemptId attempt, long revision) {
		Stakes stakes = context().stakes();
		Stake stake = stakes.find(attempt);
		if (stake != null) {
			long longest = context().reservation().plus(context().queueEntryTtl()).toNanos();
			if (stake.reserved(revision, System.nanoTime() + longest)) {
				stakes.unqueued(stake);
			}
		}
	}

	@Override
	public void revoked(AttemptId attempt) {
		Stake stake = context().stakes().find(attempt);
		if (stake != null) {
			stake.finish();
			end(stake);
		}
	}

	@Override
	public void deleted(ByteSequence key) {
		Sessions sessions = context().sessions();
		Session session = sessions.find((known) -> known.marker.equals(key));
		if (session != null) {
			sessions.lost(session);
		}
	}

}
