package io.distributedlock.benchmarks.worker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.PeerClient;
import io.distributedlock.benchmarks.peer.Peers;
import tools.jackson.databind.json.JsonMapper;

/**
 * One worker JVM. Its argument is a {@link WorkerSpec} as JSON. It says {@code READY},
 * then obeys {@code GO}, {@code MEASURE} and {@code STOP}, each a line, answers the last
 * one with a {@link WorkerResult} as JSON, and ends. Several workers are started together
 * by telling all of them to go once all are ready.
 */
public final class WorkerMain {

	private static final Duration LONGEST_EXIT = Duration.ofSeconds(15);

	private WorkerMain() {
	}

	/**
	 * Runs a worker.
	 * @param args a {@link WorkerSpec} as JSON
	 * @throws Exception if the worker cannot do its work
	 */
	public static void main(String[] args) throws Exception {
		Orders orders = Orders.take();
		int status = 1;
		try {
			run(JsonMapper.shared().readValue(args[0], WorkerSpec.class), orders);
			status = 0;
		}
		catch (Throwable ex) {
			ex.printStackTrace();
		}
		end(status);
	}

	// Exit runs what was asked for at the end, such as a profiler's; a peer must not be
	// able to stop it.
	private static void end(int status) {
		Thread guard = new Thread(() -> {
			LockSupport.parkNanos(LONGEST_EXIT.toNanos());
			Runtime.getRuntime().halt(status);
		}, "exit-guard");
		guard.setDaemon(true);
		guard.start();
		System.exit(status);
	}

	private static void run(WorkerSpec spec, Orders orders) throws Exception {
		ExclusionCheck check = new ExclusionCheck(Path.of(spec.sharedMemory()), spec.keys().count(spec.allThreads()));
		PeerClient client = Peers.get(spec.peer()).connector().connect(Address.parseAll(spec.server()), spec.prefix());
		Load load = new Load(spec, client, check);
		load.prepare();
		orders.answer(Orders.READY);
		orders.await(Orders.GO);
		load.start();
		orders.await(Orders.MEASURE);
		load.measure();
		orders.await(Orders.STOP);
		orders.finish(load.stop());
	}

}
