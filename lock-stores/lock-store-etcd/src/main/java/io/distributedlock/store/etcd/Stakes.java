package io.distributedlock.store.etcd;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;

/**
 * All {@linkplain Stake stakes} of this JVM.
 */
final class Stakes {

	private static final Logger logger = LoggerFactory.getLogger(EtcdLockStore.class);

	private final ConcurrentHashMap<AttemptId, Stake> stakes = new ConcurrentHashMap<>();

	/** The one that has this JVM's place in the queue, by lock. */
	private final ConcurrentHashMap<String, Stake> queued = new ConcurrentHashMap<>();

	private final Wheel wheel = new Wheel(System.nanoTime());

	private final EndOperation.Starter starter;

	Stakes(EndOperation.Starter starter) {
		this.starter = starter;
	}

	Wheel wheel() {
		return this.wheel;
	}

	Stake open(LockKey key, AttemptId attempt) {
		Stake known = this.stakes.get(attempt);
		return (known != null) ? known
				: this.stakes.computeIfAbsent(attempt, (id) -> new Stake(key, attempt, this.starter));
	}

	@Nullable Stake find(AttemptId attempt) {
		return this.stakes.get(attempt);
	}

	/**
	 * Notes that a stake has this JVM's place in a queue.
	 * @return the stake that had it before, or null
	 */
	@Nullable Stake queued(Stake stake) {
		this.wheel.watch(stake);
		Stake before = this.queued.put(stake.key.id(), stake);
		return (before != stake) ? before : null;
	}

	/**
	 * Notes that a stake has this JVM's place in a queue, and forgets who had it before.
	 */
	void replace(Stake stake) {
		Stake before = queued(stake);
		if (before != null && !before.isOver() && !before.isUnsure()) {
			forget(before);
		}
	}

	/**
	 * Notes that a stake was granted a lock, which ends this JVM's place in its queue.
	 */
	void granted(Stake stake) {
		Stake before = queued(stake.key.id());
		if (before != null) {
			unqueued(before);
			if (before != stake && !before.isOver() && !before.isUnsure()) {
				forget(before);
			}
		}
	}

	/**
	 * Returns the stake that has this JVM's place in a queue, or null.
	 */
	@Nullable Stake queued(String keyId) {
		return this.queued.get(keyId);
	}

	void unqueued(Stake stake) {
		this.queued.remove(stake.key.id(), stake);
	}

	/**
	 * Nothing of the stake is in etcd any more.
	 */
	void forget(Stake stake) {
		this.wheel.forget(stake);
		this.queued.remove(stake.key.id(), stake);
		this.stakes.remove(stake.attempt, stake);
		stake.detach();
		stake.gone.complete(null);
	}

	/**
	 * Forgets a stake that has nothing and asks for nothing.
	 */
	void forgetIfNothing(Stake stake) {
		if (stake.state() == Stake.State.ASKING && !stake.isUnsure() && stake.doubtful() == null) {
			forget(stake);
		}
	}

	/**
	 * Ends what ends now.
	 */
	void tick(long now) {
		for (Wheel.Entry entry : this.wheel.turn(now)) {
			try {
				entry.ended();
			}
			catch (Throwable ex) {
				// Also an Error: it must not keep the others from ending.
				logger.error("Something of the etcd lock store could not be ended", ex);
			}
		}
	}

	/**
	 * Returns the stakes that end with a session.
	 */
	static Collection<Stake> of(Session session) {
		List<Stake> of = new ArrayList<>();
		for (Wheel.Entry user : session.users) {
			if (user instanceof Stake stake) {
				of.add(stake);
			}
		}
		return of;
	}

	int size() {
		return this.stakes.size();
	}

}
