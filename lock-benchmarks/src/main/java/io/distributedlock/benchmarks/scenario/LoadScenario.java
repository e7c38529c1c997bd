package io.distributedlock.benchmarks.scenario;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.LongStream;

import io.distributedlock.benchmarks.peer.Address;
import io.distributedlock.benchmarks.peer.Peer;
import io.distributedlock.benchmarks.report.Fairness;
import io.distributedlock.benchmarks.report.RunResult;
import io.distributedlock.benchmarks.server.BenchServer;
import io.distributedlock.benchmarks.server.Counters;
import io.distributedlock.benchmarks.worker.Keys;
import io.distributedlock.benchmarks.worker.WorkerResult;
import io.distributedlock.benchmarks.worker.WorkerSpec;
import io.distributedlock.benchmarks.worker.WorkerSpec.Work;
import org.HdrHistogram.Histogram;

/**
 * Worker JVMs that all work from the warm-up to the end of the measured time.
 *
 * @param name its name
 * @param title its title
 * @param keys which keys are locked
 * @param jvms what each JVM does
 * @param peers which peers it suits
 */
record LoadScenario(String name, String title, Keys keys, List<Jvm> jvms, Predicate<Peer> peers) implements Scenario {

	/**
	 * What one JVM does.
	 */
	record Jvm(Work work, int threads, int triesPerSecond) {
	}

	@Override
	public boolean suits(Peer peer, Duration section) {
		boolean cycles = this.jvms.stream().allMatch((jvm) -> jvm.work() == Work.CYCLES);
		return this.peers.test(peer) && (cycles || section.isZero());
	}

	@Override
	public RunResult run(Run run) throws IOException {
		run.server().clear();
		Path sharedMemory = Files.createTempFile("lock-bench-", ".mem");
		try (WorkerGroup workers = new WorkerGroup(specs(run, sharedMemory), run.jvmArguments(), run.log())) {
			workers.run();
			BenchServer server = run.server();
			LockSupport.parkNanos(run.warmUp().minusMillis(BenchServer.LEARNING_MILLIS).toNanos());
			server.learn();
			workers.measure();
			Counters before = server.counters();
			double pingMicros = RoundTrips.medianMicros(server, run.measured());
			Counters after = server.counters();
			workers.stop();
			return result(run, workers.results(), after.since(before), pingMicros);
		}
		finally {
			Files.deleteIfExists(sharedMemory);
		}
	}

	private List<WorkerSpec> specs(Run run, Path sharedMemory) {
		int all = this.jvms.stream().mapToInt(Jvm::threads).sum();
		List<WorkerSpec> specs = new ArrayList<>();
		int first = 0;
		for (Jvm jvm : this.jvms) {
			specs.add(new WorkerSpec(run.peer().name(), Address.join(run.server().addresses()), run.prefix(),
					jvm.work(), this.keys, jvm.threads(), first, all, run.section().toNanos(), jvm.triesPerSecond(),
					sharedMemory.toString()));
			first += jvm.threads();
		}
		return specs;
	}

	private RunResult result(Run run, List<WorkerResult> workers, Counters server, double pingMicros) {
		Histogram latencies = WorkerResult.latencies(workers);
		long cycles = workers.stream().mapToLong(WorkerResult::total).sum();
		double perSecond = workers.stream().mapToDouble((worker) -> worker.total() / worker.seconds()).sum();
		double seconds = workers.stream().mapToDouble(WorkerResult::seconds).average().orElseThrow();
		long[] threads = workers.stream().flatMapToLong((worker) -> LongStream.of(worker.cycles())).toArray();
		long[] jvms = workers.stream()
			.filter((worker) -> worker.cycles().length > 0)
			.mapToLong(WorkerResult::total)
			.toArray();
		double cpu = workers.stream().mapToLong(WorkerResult::cpuNanos).sum() / 1e3;
		double allocated = workers.stream().mapToLong(WorkerResult::allocatedBytes).sum();
		return new RunResult(this.name, run.section().toNanos() / 1e3, run.peer().name(), run.round(), workers.size(),
				threads.length, seconds, cycles, perSecond, latencies.getValueAtPercentile(50) / 1e3,
				latencies.getValueAtPercentile(99) / 1e3, latencies.getMaxValue() / 1e3, Fairness.jain(threads),
				Fairness.jain(jvms), (double) server.commands() / cycles, server.commandMicros() / cycles,
				server.cpuMicros() / cycles, cpu / cycles, allocated / cycles,
				workers.stream().mapToLong(WorkerResult::violations).sum(), pingMicros,
				workers.stream().flatMap((worker) -> worker.errors().stream()).toList(),
				Map.of(RunResult.SYNCS, (double) server.syncs() / cycles));
	}

}
