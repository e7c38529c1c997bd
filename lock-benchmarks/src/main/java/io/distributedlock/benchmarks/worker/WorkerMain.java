package io.distributedlock.benchmarks.worker;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.locks.LockSupport;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.PeerClient;
import io.distributedlock.benchmarks.peer.Peers;
import tools.jackson.databind.json.JsonMapper;

/**
 * One worker JVM. Its argument is a {@link WorkerSpec} as JSON. It says {@code READY},
 * then obeys {@code RUN}, {@code MEASURE} and {@code STOP}, each a line, answers the last
 * one with a {@link WorkerResult} as JSON, and ends. Several workers are started together
 * by telling all of them to run once all are ready.
 */
public final class WorkerMain {

	/** Line of a worker that is connected. */
	public static final String READY = "READY";

	/** Order to begin with the warm-up. */
	public static final String RUN = "RUN";

	/** Order to begin to count. */
	public static final String MEASURE = "MEASURE";

	/** Order to end. */
	public static final String STOP = "STOP";

	private static final Duration LONGEST_EXIT = Duration.ofSeconds(15);

	private WorkerMain() {
	}

	/**
	 * Runs a worker.
	 * @param args a {@link WorkerSpec} as JSON
	 * @throws Exception if the worker cannot do its work
	 */
	public static void main(String[] args) throws Exception {
		// Only the protocol goes to standard output, whatever peers print.
		PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
		System.setOut(System.err);
		int status = 1;
		try {
			run(JsonMapper.shared().readValue(args[0], WorkerSpec.class), out);
			status = 0;
		}
		catch (Throwable ex) {
			ex.printStackTrace();
		}
		out.flush();
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

	private static void run(WorkerSpec spec, PrintStream out) throws Exception {
		BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
		ExclusionCheck check = new ExclusionCheck(Path.of(spec.sharedMemory()), spec.keys().count(spec.allThreads()));
		PeerClient client = Peers.get(spec.peer()).connector().connect(Address.parseAll(spec.server()), spec.prefix());
		Load load = new Load(spec, client, check);
		load.prepare();
		out.println(READY);
		expect(RUN, in);
		load.start();
		expect(MEASURE, in);
		load.measure();
		expect(STOP, in);
		out.println(JsonMapper.shared().writeValueAsString(load.stop()));
	}

	private static void expect(String order, BufferedReader in) throws IOException {
		String line = in.readLine();
		if (!order.equals(line)) {
			// The driver has died.
			throw new IOException("Expected " + order + ", got " + line);
		}
	}

}
