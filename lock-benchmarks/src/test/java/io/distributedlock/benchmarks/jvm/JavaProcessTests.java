package io.distributedlock.benchmarks.jvm;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

class JavaProcessTests {

	@TempDir
	Path directory;

	@Test
	void aWorkerAnswersAndSharesNumbersAndWhatElseIsPrintedDoesNotDisturb() throws IOException {
		Path memory = this.directory.resolve("memory");
		SharedLongs numbers = new SharedLongs(memory, 2);
		numbers.set(1, 41);
		try (JavaProcess worker = start("count", memory.toString())) {
			worker.expect(Orders.READY);
			worker.tell(Orders.GO);
			assertThat(worker.answer(long[].class)).containsExactly(41, 42);
			worker.awaitExit();
		}
		assertThat(numbers.get(1)).isEqualTo(42);
		assertThat(numbers.get(0)).isZero();
	}

	@Test
	void theErrorOfAWorkerThatFailsIsShown() throws IOException {
		try (JavaProcess worker = start("fail")) {
			assertThatExceptionOfType(IOException.class).isThrownBy(worker::answer)
				.withMessageContaining("A worker died")
				.withMessageContaining("no lock today");
		}
	}

	@Test
	void anotherAnswerThanExpectedIsAnError() throws IOException {
		try (JavaProcess worker = start("wait")) {
			assertThatExceptionOfType(IOException.class).isThrownBy(() -> worker.expect(Orders.HELD))
				.withMessage("Expected HELD from a worker, got READY");
		}
	}

	private JavaProcess start(String... arguments) throws IOException {
		return JavaProcess.start(Worker.class, List.of(arguments), List.of("-Xmx64m"),
				this.directory.resolve("logs/workers.log"));
	}

	/**
	 * The worker.
	 */
	static final class Worker {

		private Worker() {
		}

		public static void main(String[] args) {
			Orders.obey((orders) -> {
				switch (args[0]) {
					case "count" -> {
						System.out.println("Nobody has asked for this");
						SharedLongs numbers = new SharedLongs(Path.of(args[1]), 2);
						orders.answer(Orders.READY);
						orders.await(Orders.GO);
						orders.finish(new long[] { numbers.getAndAdd(1, 1), numbers.get(1) });
					}
					case "wait" -> {
						orders.answer(Orders.READY);
						orders.await(Orders.GO);
					}
					default -> throw new IllegalStateException("no lock today");
				}
			});
		}

	}

}
