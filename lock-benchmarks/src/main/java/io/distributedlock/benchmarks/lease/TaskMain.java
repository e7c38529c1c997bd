package io.distributedlock.benchmarks.lease;

import java.time.Duration;
import java.util.List;

import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.PeerClient;
import io.distributedlock.benchmarks.peer.Peers;
import tools.jackson.databind.json.JsonMapper;

/**
 * A worker JVM that does one {@link Task}.
 */
public final class TaskMain {

	private TaskMain() {
	}

	/**
	 * Runs a worker.
	 * @param args a {@link TaskSpec} as JSON
	 */
	public static void main(String[] args) {
		Orders.obey((orders) -> {
			TaskSpec spec = JsonMapper.shared().readValue(args[0], TaskSpec.class);
			spec.task().run(spec, connect(spec), orders);
		});
	}

	private static PeerClient connect(TaskSpec spec) throws Exception {
		Address server = Address.parse(spec.server());
		if (spec.ttlMillis() > 0) {
			return LeasePeers.connect(spec.peer(), server, spec.prefix(), Duration.ofMillis(spec.ttlMillis()));
		}
		return Peers.get(spec.peer()).connector().connect(List.of(server), spec.prefix());
	}

}
