package io.distributedlock.benchmarks.worker;

import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;

import io.distributedlock.benchmarks.peer.HeldLock;
import io.distributedlock.benchmarks.peer.PeerClient;
import io.distributedlock.benchmarks.worker.WorkerSpec.Work;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;

class ExclusionCheckTests {

	@TempDir
	Path directory;

	@Test
	void twoInsideOfOneLockAreAViolation() {
		ExclusionCheck check = new ExclusionCheck(this.directory.resolve("memory"), 2);
		check.enter(0);
		check.enter(1);
		assertThat(check.violations()).isZero();

		check.enter(0);

		assertThat(check.violations()).isOne();
	}

	@Test
	void oneAfterTheOtherIsNone() {
		ExclusionCheck check = new ExclusionCheck(this.directory.resolve("memory"), 1);
		for (int i = 0; i < 3; i++) {
			check.enter(0);
			check.leave(0);
		}

		assertThat(check.violations()).isZero();
	}

	@Test
	void anotherMappingOfTheFileSeesWhoIsInside() {
		ExclusionCheck mine = new ExclusionCheck(this.directory.resolve("memory"), 1000);
		ExclusionCheck theirs = new ExclusionCheck(this.directory.resolve("memory"), 1000);
		mine.enter(999);

		theirs.enter(999);

		assertThat(theirs.violations()).isOne();
	}

	@Test
	void aPeerThatDoesNotLockIsCaught() throws InterruptedException {
		assertThat(run(new NoLock()).violations()).isPositive();
	}

	@Test
	void aPeerThatLocksIsNotAccused() throws InterruptedException {
		WorkerResult result = run(new LocalLock());

		assertThat(result.violations()).isZero();
		assertThat(result.errors()).isEmpty();
		assertThat(result.cycles()).hasSize(4);
		assertThat(result.total()).isPositive();
		assertThat(WorkerResult.latencies(List.of(result)).getTotalCount())
			.isGreaterThanOrEqualTo(result.total() - result.cycles().length);
	}

	private WorkerResult run(PeerClient peer) throws InterruptedException {
		WorkerSpec spec = new WorkerSpec("test", "localhost:1", "", Work.CYCLES, Keys.HOT, 4, 0, 4,
				Duration.ofNanos(20_000).toNanos(), 0, this.directory.resolve("memory").toString());
		Load load = new Load(spec, peer, new ExclusionCheck(Path.of(spec.sharedMemory()), 1));
		load.prepare();
		load.start();
		load.measure();
		// Not a wait for something: this is the length of the measurement.
		Thread.sleep(300);
		return load.stop();
	}

	private static final class NoLock implements PeerClient {

		@Override
		public HeldLock lock(String key) {
			return () -> {
			};
		}

		@Override
		public HeldLock tryLock(String key) {
			return lock(key);
		}

		@Override
		public void close() {
		}

	}

	private static final class LocalLock implements PeerClient {

		private final ReentrantLock lock = new ReentrantLock();

		@Override
		public HeldLock lock(String key) {
			this.lock.lock();
			return this.lock::unlock;
		}

		@Override
		public @Nullable HeldLock tryLock(String key) {
			return this.lock.tryLock() ? this.lock::unlock : null;
		}

		@Override
		public void close() {
		}

	}

}
