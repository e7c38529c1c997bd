package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.function.BiConsumer;
import java.util.function.BooleanSupplier;

import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

import io.distributedlock.LockKey;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

class DispatcherTests {

	private static final Throwable LOST = new IllegalStateException("Connection disconnected");

	@Test
	void anOperationThatIsSentWhileTheWatchFallsAsleepEndsByItsDeadline() throws InterruptedException {
		Mute transport = new Mute();
		try (Dispatcher dispatcher = new Dispatcher(transport, 1, ReplicaRule.NONE)) {
			dispatcher.start();
			Stub first = new Stub(null);
			Stub second = new Stub(null);
			CountDownLatch entered = new CountDownLatch(1);
			CountDownLatch mayGoOn = new CountDownLatch(1);
			Stub third = new Stub(() -> {
				entered.countDown();
				mayGoOn.await();
			});
			List.of(first, second, third).forEach(dispatcher::submit);
			assertThat(transport.answers).hasSize(2);
			Thread io = new Thread(() -> transport.answers.get(0).accept(null, LOST));
			io.start();
			entered.await();
			transport.answers.get(1).accept(null, LOST);
			await().until(DispatcherTests::watchesSleep);
			mayGoOn.countDown();
			await().atMost(Duration.ofSeconds(5)).until(third::isCompletedExceptionally);
			io.join();
		}
	}

	private static boolean watchesSleep() {
		return Thread.getAllStackTraces()
			.keySet()
			.stream()
			.filter((thread) -> thread.getName().equals("distributed-lock-redis-deadlines"))
			.allMatch((thread) -> thread.getState() == Thread.State.WAITING);
	}

	/**
	 * Takes calls, and answers when the test says so.
	 */
	private static final class Mute implements RedisTransport {

		private final List<BiConsumer<@Nullable List<byte[]>, @Nullable Throwable>> answers = new CopyOnWriteArrayList<>();

		@Override
		public boolean cluster() {
			return false;
		}

		@Override
		public String address() {
			return "nowhere";
		}

		@Override
		public void run(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
				BooleanSupplier wanted, BiConsumer<@Nullable List<byte[]>, @Nullable Throwable> answer) {
			this.answers.add(answer);
		}

		@Override
		public void runAndWait(LockScript script, boolean withSource, List<byte[]> keys, List<byte[]> arguments,
				ReplicatedAnswer answer) {
			throw new UnsupportedOperationException();
		}

		@Override
		public void publish(byte[] channel, byte[] message) {
			throw new UnsupportedOperationException();
		}

		@Override
		public void subscribe(byte[] channel, Subscriber subscriber) {
			throw new UnsupportedOperationException();
		}

		@Override
		public String info(String section) {
			throw new UnsupportedOperationException();
		}

		@Override
		public void close() {
			// Nothing is open.
		}

	}

	private static final class Stub extends Operation<String> {

		private final @Nullable Pause pause;

		Stub(@Nullable Pause pause) {
			super(LockScript.LEASE, LockKey.of("any"), 0, System.nanoTime() + Duration.ofMillis(500).toNanos());
			this.pause = pause;
		}

		@Override
		void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
			try {
				if (this.pause != null) {
					this.pause.await();
				}
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
			}
		}

		@Override
		void body(List<byte[]> keys, List<byte[]> arguments) {
			// Nobody reads it.
		}

		@Override
		void answered(Answer answer, long sentAt, long receivedAt) {
			throw new UnsupportedOperationException();
		}

	}

	private interface Pause {

		void await() throws InterruptedException;

	}

}
