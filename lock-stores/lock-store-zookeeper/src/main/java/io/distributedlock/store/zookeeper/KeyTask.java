package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

import org.apache.zookeeper.Op;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * A command for one key. Its caller gets an answer within the timeout. The work may take
 * longer, if ZooKeeper does not answer; then the next command for the key has to wait,
 * and what the work has achieved too late is taken back before that one begins.
 *
 * @param <R> the answer
 */
abstract class KeyTask<R> {

	private static final long RETRY_MILLIS = 100;

	final StoreContext context;

	final LockKey key;

	private final CompletableFuture<R> reply = new CompletableFuture<>();

	private final Duration timeout;

	private @Nullable LocalKey local;

	private final AtomicBoolean passedOne = new AtomicBoolean();

	private volatile boolean sent;

	/** Whether what is read now is no older than this task. */
	private volatile boolean current;

	KeyTask(StoreContext context, LockKey key, Duration timeout) {
		this.context = context;
		this.key = key;
		this.timeout = timeout;
	}

	CompletableFuture<R> reply() {
		return this.reply;
	}

	LocalKey local() {
		LocalKey known = this.local;
		if (known == null) {
			throw new IllegalStateException("Not submitted yet");
		}
		return known;
	}

	String id() {
		return this.key.id();
	}

	/** Called by the store before the task is queued. */
	void submitted(LocalKey local) {
		this.local = local;
	}

	/** Starts the clock. */
	void start() {
		ScheduledFuture<?> timer = this.context.timer()
			.schedule(() -> this.reply.completeExceptionally(this.context.failures().timedOut(this.sent)),
					this.timeout.toNanos(), TimeUnit.NANOSECONDS);
		this.reply.whenComplete((answer, failure) -> {
			timer.cancel(false);
			if (failure != null) {
				this.context.commands().withdraw(this);
			}
		});
	}

	/** The store is closed, and nobody waits for the answer any more. */
	void close() {
		this.reply.completeExceptionally(this.context.failures().closed(this.sent));
	}

	/**
	 * Called when {@link #run} has returned, and when the work has ended, whatever comes
	 * first.
	 * @return true if it was called before
	 */
	boolean hasPassedBoth() {
		return !this.passedOne.compareAndSet(false, true);
	}

	/**
	 * Does the work, alone for this key.
	 */
	abstract CompletableFuture<R> work();

	/**
	 * Returns the attempt that must have nothing if the answer does not reach the caller,
	 * and how to see to that, or null if nothing is to be taken back.
	 */
	@Nullable TakeBack takeBack() {
		return null;
	}

	final void run() {
		if (this.reply.isDone()) {
			this.context.commands().finished(this);
			return;
		}
		CompletableFuture<R> work;
		try {
			work = work();
		}
		catch (RuntimeException ex) {
			work = CompletableFuture.failedFuture(ex);
		}
		work.whenComplete(this::worked);
	}

	private void worked(@Nullable R answer, @Nullable Throwable thrown) {
		if (thrown == null && answer != null) {
			if (this.reply.complete(answer)) {
				this.context.commands().finished(this);
			}
			else {
				undo();
			}
			return;
		}
		StoreException failure = this.context.failures()
			.unexpected((thrown != null) ? thrown : new IllegalStateException("no answer"));
		this.reply.completeExceptionally(failure);
		if (this.sent && (failure.mayHaveExecuted() || hasSomething())) {
			undo();
		}
		else {
			this.context.commands().finished(this);
		}
	}

	/** Tells whether an earlier sending of the same attempt has left something. */
	private boolean hasSomething() {
		TakeBack what = takeBack();
		return what != null && what.attempts()
			.stream()
			.anyMatch((attempt) -> local().grant(attempt) != null || local().place(attempt) != null);
	}

	private void undo() {
		TakeBack what = takeBack();
		if (what == null || this.context.isClosed()) {
			this.context.commands().finished(this);
			return;
		}
		what.keeper().whenConnected((link) -> undo(what, link));
	}

	private void undo(TakeBack what, Link link) {
		CompletableFuture<Boolean> undone;
		try {
			undone = what.work().apply(link);
		}
		catch (RuntimeException ex) {
			undone = CompletableFuture.failedFuture(ex);
		}
		undone.whenComplete((done, thrown) -> {
			if (thrown == null) {
				this.context.commands().finished(this);
			}
			else if (this.context.failures().unexpected(thrown).isRetryable()) {
				this.context.timer().schedule(() -> undo(), RETRY_MILLIS, TimeUnit.MILLISECONDS);
			}
			else {
				// Somebody has to do something about it; the next command says so.
				this.context.takeBackLater(this.key, what);
				this.context.commands().finished(this);
			}
		});
	}

	/**
	 * Returns a connected session, or fails if there is none before the time is up.
	 */
	final CompletableFuture<Link> connection(SessionKeeper keeper) {
		CompletableFuture<Link> result = new CompletableFuture<>();
		Consumer<Link> action = (link) -> {
			if (this.reply.isDone()) {
				result.completeExceptionally(this.context.failures().timedOut(false));
			}
			else {
				this.sent = true;
				result.complete(link);
			}
		};
		keeper.whenConnected(action);
		if (!result.isDone()) {
			this.reply.whenComplete((answer, failure) -> {
				if (keeper.withdraw(action)) {
					result.completeExceptionally(this.context.failures().timedOut(false));
				}
			});
		}
		return result;
	}

	/** A write of this task was refused, and reads of its session come after that. */
	final void readsAreCertain() {
		this.current = true;
	}

	/**
	 * Gives an answer that says nobody can have the key now, once that is certain. The
	 * leader of an ensemble answers reads, {@code sync} included, without asking anybody,
	 * and may be a moment behind what other servers have told their clients: a lock that
	 * was given back would seem to be taken. Only a write shows it.
	 * @param view what the answer is based on
	 * @param otherwise what to do if it has changed
	 */
	final CompletableFuture<R> certain(Link link, View view, R answer, Supplier<CompletableFuture<R>> otherwise) {
		if (this.current || !view.waitingOrEmpty().queue().isEmpty()) {
			return done(answer);
		}
		readsAreCertain();
		Op unchanged = (view.waiting() != null) ? Op.check(this.context.layout().wait(id()), view.version())
				: Op.check(this.context.layout().held(id()), -1);
		return link.commit(List.of(unchanged, link.proof()))
			.thenCompose((outcome) -> outcome.succeeded() ? done(answer) : otherwise.get());
	}

	/**
	 * Goes on with a grant, in its session, if the attempt has one that counts. One that
	 * is over is ended by its timer.
	 * @param none the answer if there is none
	 */
	final CompletableFuture<R> withGrant(AttemptId attempt, R none, Function<Grant, CompletableFuture<R>> next) {
		Grant grant = local().grant(attempt);
		if (grant == null || !grant.isAlive()) {
			return done(none);
		}
		return connection(grant.keeper).thenCompose((link) -> (link != grant.link) ? done(none) : next.apply(grant));
	}

	static <T> CompletableFuture<T> done(T value) {
		return CompletableFuture.completedFuture(value);
	}

	/** Returns how to take away what an attempt has. */
	final TakeBack removal(AttemptId attempt, SessionKeeper keeper) {
		return removal(List.of(attempt), keeper);
	}

	final TakeBack removal(List<AttemptId> attempts, SessionKeeper keeper) {
		return new TakeBack(attempts, keeper, (link) -> {
			CompletableFuture<Boolean> all = done(true);
			for (AttemptId attempt : attempts) {
				all = all
					.thenCompose((done) -> new Removal(this.context, this.key, local(), attempt, keeper, link).run());
			}
			return all;
		});
	}

	/**
	 * What to take back.
	 *
	 * @param attempts what must have nothing
	 * @param keeper in whose session it may have something
	 * @param work takes it back
	 */
	record TakeBack(List<AttemptId> attempts, SessionKeeper keeper, Function<Link, CompletableFuture<Boolean>> work) {
	}

}
