package io.distributedlock.spring;

import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;

import io.distributedlock.LockContext;
import io.distributedlock.LockLostException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Operators;
import reactor.core.scheduler.Schedulers;
import reactor.util.context.Context;
import reactor.util.context.ContextView;

/**
 * The lock, or the several that count as one, of one subscription.
 * <p>
 * Acquisition begins when this object is made. From then on it is ended exactly once, by
 * {@link #completed}, {@link #failed} or {@link #cancelled}, whatever the acquisition has
 * come to. That no lease is left over rests on {@link Acquiring#end}, which has two
 * outcomes only: the engine gives up, or the leases are there to be released here.
 * Whether they have reached a subscriber as a signal does not matter.
 * <p>
 * Signals that follow from the engine go on with a thread of
 * {@link Schedulers#parallel()}, so that no operator runs on the engine's own few
 * threads.
 */
final class ReactiveSection {

	/** Under this key a Reactor context has the owner of what runs in it. */
	static final Object OWNER = LockOwner.class;

	/** For locks that are given back after normal completion as well. */
	static final Consumer<HeldLocks> KEEPS_NOTHING = (held) -> {
	};

	private static final Runnable OUTSIDE = () -> {
	};

	private static final Runnable INSIDE = () -> {
	};

	private final LockOwner owner;

	private final Consumer<HeldLocks> keep;

	private final Acquiring acquiring;

	private volatile boolean ended;

	// What to do when the call of the method is over: nothing, or a release.
	private final AtomicReference<Runnable> entrance = new AtomicReference<>(OUTSIDE);

	// Set when the work has ended normally.
	private volatile @Nullable LockLostException loss;

	// Runs an action when the work is over, which may be later than its subscription.
	private volatile Consumer<Runnable> afterWork = Runnable::run;

	private ReactiveSection(LockOwner owner, Consumer<HeldLocks> keep, Acquiring acquiring) {
		this.owner = owner;
		this.keep = keep;
		this.acquiring = acquiring;
	}

	/**
	 * Begins to acquire a lock.
	 * @param request what to lock
	 * @param keep keeps the key taken, if that is wanted, after normal completion
	 * @param context the context of the subscription, for its owner
	 * @param description how an owner is called that has to be made
	 */
	static ReactiveSection begin(LockTemplate locks, LockRequest request, Consumer<HeldLocks> keep, ContextView context,
			String description) {
		LockOwner owner = owner(request, context, description);
		return new ReactiveSection(owner, keep, Acquiring.one(locks, request, owner));
	}

	/**
	 * Begins to acquire several locks, all or none, like {@link #begin}.
	 * @param requests what to lock, at least one; the owner is that of the first one
	 */
	static ReactiveSection beginAll(LockTemplate locks, List<LockRequest> requests, Consumer<HeldLocks> keep,
			ContextView context, String description) {
		LockOwner owner = owner(requests.get(0), context, description);
		return new ReactiveSection(owner, keep, Acquiring.all(locks, requests, owner));
	}

	private static LockOwner owner(LockRequest request, ContextView context, String description) {
		LockOwner owner = request.owner();
		if (owner == null) {
			owner = context.getOrDefault(OWNER, null);
		}
		if (owner == null) {
			owner = LockContext.boundOwner();
		}
		return (owner != null) ? owner : LockOwner.create(description);
	}

	/**
	 * Runs work that gives at most one value, once per subscription.
	 * @param begin begins the section
	 * @param work what to run when the lock is there
	 * @param refused what to run when it is not
	 */
	static <T> Mono<T> one(Supplier<ReactiveSection> begin, BiFunction<ReactiveSection, HeldLocks, Publisher<T>> work,
			Function<Throwable, Publisher<T>> refused) {
		return Mono.defer(() -> {
			ReactiveSection section = begin.get();
			Mono<Mono<T>> next = section.held()
				.map((held) -> Mono
					.fromDirect(section.entering(Mono.defer(() -> Mono.fromDirect(work.apply(section, held)))
						.takeUntilOther(lossOf(held))
						.contextWrite(section::within))));
			Mono<T> whole = next.onErrorResume((ex) -> Mono.just(Mono.fromDirect(refused.apply(ex))))
				.flatMap(Function.identity());
			return Mono
				.usingWhen(Mono.just(section), (same) -> whole, ReactiveSection::completed, ReactiveSection::failed,
						ReactiveSection::cancelled)
				.onErrorMap(section::isWrapped, (wrapped) -> section.loss);
		});
	}

	/**
	 * Runs work that gives any number of values, like {@link #one}.
	 */
	static <T> Flux<T> many(Supplier<ReactiveSection> begin, BiFunction<ReactiveSection, HeldLocks, Publisher<T>> work,
			Function<Throwable, Publisher<T>> refused) {
		return Flux.defer(() -> {
			ReactiveSection section = begin.get();
			Mono<Flux<T>> next = section.held()
				.map((held) -> Flux.from(section.entering(Flux.defer(() -> work.apply(section, held))
					.takeUntilOther(lossOf(held))
					.contextWrite(section::within))));
			Flux<T> whole = next.onErrorResume((ex) -> Mono.just(Flux.from(refused.apply(ex))))
				.flatMapMany(Function.identity());
			return Flux
				.usingWhen(Mono.just(section), (same) -> whole, ReactiveSection::completed, ReactiveSection::failed,
						ReactiveSection::cancelled)
				.onErrorMap(section::isWrapped, (wrapped) -> section.loss);
		});
	}

	/**
	 * Lets work begin that a cancellation may meet while its method is being called. Such
	 * a cancellation releases the lock when the call is over, and work that a
	 * cancellation has met before does not begin.
	 */
	private <T> Publisher<T> entering(Publisher<T> work) {
		return (subscriber) -> {
			this.entrance.set(INSIDE);
			try {
				if (this.ended) {
					Operators.complete(subscriber);
				}
				else {
					work.subscribe(subscriber);
				}
			}
			finally {
				this.entrance.getAndSet(OUTSIDE).run();
			}
		};
	}

	// What is reported at the end of the work arrives wrapped.
	private boolean isWrapped(Throwable failure) {
		return this.loss != null && failure.getCause() == this.loss;
	}

	LockOwner owner() {
		return this.owner;
	}

	/**
	 * Says how to learn that work is over whose subscription was cancelled.
	 */
	void afterWork(Consumer<Runnable> afterWork) {
		this.afterWork = afterWork;
	}

	private Context within(Context context) {
		return context.put(OWNER, this.owner);
	}

	/**
	 * Gives the locks to somebody who releases them. Cancelling gives up until they have
	 * been delivered; the sink decides which of the two was first.
	 */
	Mono<HeldLocks> heldForGood() {
		return Mono.create((sink) -> {
			sink.onCancel(() -> {
				HeldLocks held = end();
				if (held != null) {
					held.releaseAsync();
				}
			});
			held().subscribe(sink::success, sink::error);
		});
	}

	private Mono<HeldLocks> held() {
		return Mono.create((sink) -> this.acquiring.whenComplete((held, thrown) -> {
			if (!this.ended) {
				Schedulers.parallel().schedule(() -> {
					if (held != null) {
						sink.success(held);
					}
					else if (thrown != null && !this.ended) {
						sink.error(thrown);
					}
				});
			}
		}));
	}

	/**
	 * Completes when a lease is lost. The work is then cancelled and counts as ended, and
	 * its end finds the loss; an error would end the subscription but not the work.
	 */
	private static Mono<Void> lossOf(HeldLocks held) {
		return Mono.create((sink) -> held.onLost((loss) -> Schedulers.parallel().schedule(sink::success)));
	}

	/**
	 * Releases the lock after work that ended normally.
	 * @return empty, or a {@link LockLostException}
	 */
	private Mono<Void> completed() {
		return ended(this.keep).flatMap((lost) -> {
			this.loss = lost;
			return Mono.error(lost);
		});
	}

	/**
	 * Releases the lock after work that failed, and adds to its failure that the lock was
	 * lost.
	 */
	private Mono<Void> failed(Throwable failure) {
		return ended(KEEPS_NOTHING).doOnNext((loss) -> Losses.suppress(loss, failure)).then();
	}

	/**
	 * Gives up, or releases the lock when the work is over.
	 */
	private Mono<Void> cancelled() {
		return Mono.fromRunnable(() -> {
			HeldLocks held = end();
			if (held != null) {
				Runnable release = () -> this.afterWork.accept(held::releaseAsync);
				if (!this.entrance.compareAndSet(INSIDE, release)) {
					release.run();
				}
			}
		});
	}

	// Null if the lock was not had. The acquisition is over in every case.
	private @Nullable HeldLocks end() {
		this.ended = true;
		return this.acquiring.end();
	}

	private Mono<LockLostException> ended(Consumer<HeldLocks> before) {
		return Mono.defer(() -> {
			HeldLocks held = end();
			if (held == null) {
				return Mono.empty();
			}
			before.accept(held);
			CompletableFuture<Boolean> released = held.releaseAsync().toCompletableFuture();
			Mono<LockLostException> loss = Mono.fromSupplier(held::loss);
			// Cancelling the future would keep the lease from being told that it is over.
			return released.isDone() ? loss
					: Mono.fromFuture(released, true).publishOn(Schedulers.parallel()).then(loss);
		});
	}

}
