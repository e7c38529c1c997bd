package io.distributedlock.benchmarks.scenario;

import java.io.IOException;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

import io.distributedlock.benchmarks.jvm.JavaProcess;
import io.distributedlock.benchmarks.lease.Task;
import io.distributedlock.benchmarks.lease.TaskMain;
import io.distributedlock.benchmarks.lease.TaskResult;
import io.distributedlock.benchmarks.lease.TaskSpec;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.report.RunResult;
import tools.jackson.databind.json.JsonMapper;

/**
 * A scenario in which worker JVMs do {@linkplain Task tasks} instead of cycles.
 */
abstract class LeaseScenario implements Scenario {

	private final String name;

	private final String title;

	private final Set<String> peers;

	LeaseScenario(String name, String title, Set<String> peers) {
		this.name = name;
		this.title = title;
		this.peers = Set.copyOf(peers);
	}

	@Override
	public final String name() {
		return this.name;
	}

	@Override
	public final String title() {
		return this.title;
	}

	@Override
	public boolean suits(Peer peer, Duration section) {
		return section.isZero() && this.peers.contains(peer.name());
	}

	static JavaProcess start(Run run, TaskSpec spec) throws IOException {
		return JavaProcess.start(TaskMain.class, List.of(JsonMapper.shared().writeValueAsString(spec)),
				run.jvmArguments(), run.log());
	}

	static TaskSpec spec(Run run, Task task, Duration ttl, int count, String sharedMemory) {
		return new TaskSpec(task, run.peer().name(), run.server().address().toString(), run.prefix(), ttl.toMillis(),
				count, run.warmUp().toMillis(), run.measured().toMillis(), sharedMemory);
	}

	/** What does not apply here is not a number. */
	RunResult result(Run run, int jvms, int threads, TaskResult found, double pingMicros, Map<String, Double> more) {
		Map<String, Double> figures = new HashMap<>(found.more());
		figures.putAll(more);
		boolean timed = found.maxMicros() > 0;
		// That another library fails or loses locks here is a finding, not a fault of the
		// run.
		List<String> errors = (run.peer().role() == Peer.Role.PEER) ? List.of() : found.errors();
		return new RunResult(this.name, 0, run.peer().name(), run.round(), jvms, threads, found.seconds(),
				found.count(), timed ? found.count() / found.seconds() : Double.NaN,
				timed ? found.p50Micros() : Double.NaN, timed ? found.p99Micros() : Double.NaN,
				timed ? found.maxMicros() : Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN, Double.NaN,
				Double.NaN, Double.NaN, found.violations(), pingMicros, errors, figures);
	}

}
