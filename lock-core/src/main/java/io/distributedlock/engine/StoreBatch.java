package io.distributedlock.engine;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.MultiLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import org.jspecify.annotations.Nullable;

/**
 * Collects what the gates of many keys send while one thread enters or leaves them all,
 * and sends it as one batch to each store that can take one. The gates do not know of it:
 * they get a stage for their command as always, only that the command goes out a few
 * microseconds later.
 * <p>
 * It belongs to one thread and is open only while {@link #collect} runs there. What waits
 * for an answer within that time (a listener that takes a lock itself, say) has to
 * {@linkplain #flush() flush} first, or it would wait for a command that this very thread
 * holds back.
 */
final class StoreBatch {

	private static final ThreadLocal<@Nullable StoreBatch> OPEN = new ThreadLocal<>();

	private Map<StoreRuntime, Commands> byStore = new LinkedHashMap<>();

	private StoreBatch() {
	}

	/**
	 * Runs an action whose commands go out together when it has ended.
	 */
	static void collect(Runnable action) {
		if (OPEN.get() != null) {
			action.run();
			return;
		}
		StoreBatch batch = new StoreBatch();
		OPEN.set(batch);
		try {
			action.run();
		}
		finally {
			OPEN.remove();
			batch.send();
		}
	}

	/**
	 * Sends what the calling thread has collected so far.
	 */
	static void flush() {
		StoreBatch batch = OPEN.get();
		if (batch != null) {
			batch.send();
		}
	}

	static CompletionStage<AcquireReply> acquire(StoreRuntime runtime, AcquireCommand command) {
		Commands open = open(runtime);
		return (open != null) ? open.acquires.add(command) : runtime.call(() -> runtime.store.acquire(command));
	}

	static CompletionStage<ReleaseReply> release(StoreRuntime runtime, ReleaseCommand command) {
		Commands open = open(runtime);
		return (open != null) ? open.releases.add(command) : runtime.call(() -> runtime.store.release(command));
	}

	private static @Nullable Commands open(StoreRuntime runtime) {
		if (!(runtime.store instanceof MultiLockStore multi)) {
			return null;
		}
		StoreBatch batch = OPEN.get();
		return (batch != null) ? batch.byStore.computeIfAbsent(runtime, (any) -> new Commands(runtime, multi)) : null;
	}

	private void send() {
		while (!this.byStore.isEmpty()) {
			Map<StoreRuntime, Commands> collected = this.byStore;
			// A store that answers at once makes gates send more.
			this.byStore = new LinkedHashMap<>();
			collected.values().forEach(Commands::send);
		}
	}

	private static final class Commands {

		// What frees keys goes first.

		final Part<ReleaseCommand, ReleaseReply> releases;

		final Part<AcquireCommand, AcquireReply> acquires;

		Commands(StoreRuntime runtime, MultiLockStore store) {
			this.releases = new Part<>(runtime, store::release, store::releaseEach);
			this.acquires = new Part<>(runtime, store::acquire, store::acquireEach);
		}

		void send() {
			this.releases.send();
			this.acquires.send();
		}

	}

	/**
	 * Commands of one kind for one store.
	 */
	private static final class Part<C, R> {

		private final StoreRuntime runtime;

		private final Function<C, CompletionStage<R>> one;

		private final Function<List<C>, List<CompletionStage<R>>> many;

		private final List<C> commands = new ArrayList<>();

		private final List<CompletableFuture<R>> answers = new ArrayList<>();

		Part(StoreRuntime runtime, Function<C, CompletionStage<R>> one,
				Function<List<C>, List<CompletionStage<R>>> many) {
			this.runtime = runtime;
			this.one = one;
			this.many = many;
		}

		CompletionStage<R> add(C command) {
			CompletableFuture<R> answer = new CompletableFuture<>();
			this.commands.add(command);
			this.answers.add(answer);
			return answer;
		}

		void send() {
			if (this.commands.size() == 1) {
				pass(this.runtime.call(() -> this.one.apply(this.commands.get(0))), this.answers.get(0));
			}
			else if (!this.commands.isEmpty()) {
				List<CompletionStage<R>> stages = stages();
				for (int i = 0; i < stages.size(); i++) {
					pass(stages.get(i), this.answers.get(i));
				}
			}
		}

		private List<CompletionStage<R>> stages() {
			try {
				List<CompletionStage<R>> stages = this.many.apply(List.copyOf(this.commands));
				if (stages.size() == this.commands.size()) {
					return stages;
				}
				throw new IllegalStateException(
						"The store answered " + stages.size() + " of " + this.commands.size() + " commands");
			}
			catch (Throwable ex) {
				// Also an Error: keys whose command is never answered would be stuck.
				CompletionStage<R> failed = CompletableFuture.failedFuture(ex);
				return this.commands.stream().map((any) -> failed).toList();
			}
		}

		private static <R> void pass(CompletionStage<R> stage, CompletableFuture<R> answer) {
			stage.whenComplete((reply, thrown) -> {
				if (thrown != null) {
					answer.completeExceptionally(Waits.cause(thrown));
				}
				else {
					answer.complete(reply);
				}
			});
		}

	}

}
