package io.distributedlock.benchmarks.scenario;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

import io.distributedlock.benchmarks.jvm.JavaProcess;
import io.distributedlock.benchmarks.jvm.Orders;
import io.distributedlock.benchmarks.worker.WorkerMain;
import io.distributedlock.benchmarks.worker.WorkerResult;
import io.distributedlock.benchmarks.worker.WorkerSpec;
import tools.jackson.databind.json.JsonMapper;

/**
 * The worker JVMs of one run.
 */
final class WorkerGroup implements AutoCloseable {

	private final List<JavaProcess> workers = new ArrayList<>();

	WorkerGroup(List<WorkerSpec> specs, List<String> jvmArguments, Path log) throws IOException {
		try {
			for (WorkerSpec spec : specs) {
				this.workers.add(JavaProcess.start(WorkerMain.class,
						List.of(JsonMapper.shared().writeValueAsString(spec)), jvmArguments, log));
			}
			for (JavaProcess worker : this.workers) {
				worker.expect(Orders.READY);
			}
		}
		catch (IOException ex) {
			close();
			throw ex;
		}
	}

	/** Lets all of them begin. */
	void run() throws IOException {
		tell(Orders.GO);
	}

	/** Lets all of them begin to count. */
	void measure() throws IOException {
		tell(Orders.MEASURE);
	}

	/** Ends the measured time in all of them. */
	void stop() throws IOException {
		tell(Orders.STOP);
	}

	private void tell(String order) throws IOException {
		for (JavaProcess worker : this.workers) {
			worker.tell(order);
		}
	}

	/** Waits for what they found, and for their end. */
	List<WorkerResult> results() throws IOException {
		List<WorkerResult> results = new ArrayList<>();
		for (JavaProcess worker : this.workers) {
			results.add(worker.answer(WorkerResult.class));
		}
		// They end by themselves now; close() does not hurry them.
		for (JavaProcess worker : this.workers) {
			worker.awaitExit();
		}
		return results;
	}

	@Override
	public void close() {
		this.workers.forEach(JavaProcess::close);
	}

}
