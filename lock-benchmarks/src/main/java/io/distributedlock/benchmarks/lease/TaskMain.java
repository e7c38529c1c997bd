package io.distributedlock.benchmarks.lease;

import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;

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
		// Only answers go to standard output, whatever peers print.
		PrintStream out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
		System.setOut(System.err);
		int status = 1;
		try {
			TaskSpec spec = JsonMapper.shared().readValue(args[0], TaskSpec.class);
			BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
			spec.task().run(spec, connect(spec), new Orders(in, out));
			status = 0;
		}
		catch (Throwable ex) {
			ex.printStackTrace();
		}
		out.flush();
		// Threads of a peer may still wait for something.
		Runtime.getRuntime().halt(status);
	}

	private static PeerClient connect(TaskSpec spec) throws Exception {
		Address server = Address.parse(spec.server());
		if (spec.ttlMillis() > 0) {
			return LeasePeers.connect(spec.peer(), server, spec.prefix(), Duration.ofMillis(spec.ttlMillis()));
		}
		return Peers.get(spec.peer()).connector().connect(List.of(server), spec.prefix());
	}

}
