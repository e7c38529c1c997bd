package io.distributedlock.benchmarks.lease;

import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.PeerClient;

/**
 * What worker JVMs of this package do.
 */
public enum Task {

	/** Hold many leases. */
	HOLD_MANY {
		@Override
		void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception {
			new HoldMany(spec, client, orders).run();
		}
	},

	/** Hold a key, and release it when the other JVM waits, again and again. */
	HOLD_FOR_WAITER {
		@Override
		void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception {
			new WakeUp(spec, client, orders).hold();
		}
	},

	/** Wait for the key, again and again. */
	WAIT_FOR_RELEASE {
		@Override
		void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception {
			new WakeUp(spec, client, orders).waitForRelease();
		}
	},

	/** Hold a key until killed. */
	HOLD_UNTIL_KILLED {
		@Override
		void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception {
			TakeOver.holdUntilKilled(client, orders);
		}
	},

	/** Wait for a key whose holder is killed. */
	TAKE_OVER {
		@Override
		void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception {
			TakeOver.takeOver(client, orders);
		}
	},

	/** Let very many virtual threads wait for one key. */
	VIRTUAL_THREADS {
		@Override
		void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception {
			new VirtualWaiters(spec, client, orders).run();
		}
	},

	/** Let ten times as many callers come as can be served. */
	FLASH_SALE {
		@Override
		void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception {
			new FlashSale(spec, (OurLeases) client, orders).run();
		}
	};

	/**
	 * Does it.
	 */
	abstract void run(TaskSpec spec, PeerClient client, Orders orders) throws Exception;

}
