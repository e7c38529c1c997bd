package io.distributedlock.benchmarks.lease;

import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;

/**
 * One JVM holds the key and is killed, another one waits for it. The waiter answers each
 * order to wait with the moment when it got the key.
 */
final class TakeOver {

	private static final String KEY = "taken-over";

	private TakeOver() {
	}

	static void holdUntilKilled(PeerClient client, Orders orders) throws Exception {
		orders.answer(Orders.READY);
		orders.await(Orders.GO);
		client.lock(KEY);
		orders.answer(Orders.HELD);
		orders.next();
		throw new IllegalStateException("This JVM should have been killed");
	}

	static void takeOver(PeerClient client, Orders orders) throws Exception {
		// Classes are loaded before it counts.
		client.lock(KEY).unlock();
		orders.answer(Orders.READY);
		while (orders.next().equals(Orders.GO)) {
			HeldLock held = client.lock(KEY);
			long now = System.nanoTime();
			held.unlock();
			orders.answer(now);
		}
	}

}
