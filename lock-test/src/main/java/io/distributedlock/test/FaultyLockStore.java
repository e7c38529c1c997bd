package io.distributedlock.test;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.lang.reflect.UndeclaredThrowableException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Deque;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;

import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.MessagingLockStore.MessageReceiver;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.SignallingLockStore.SignalReceiver;
import org.jspecify.annotations.Nullable;

/**
 * Wraps a store, so that its commands and signals fail as a test wants it, and counts
 * them. Without faults the wrapped store behaves like the original, and has the same
 * capabilities. Safe for use by many threads.
 *
 * <pre>{@code
 * FaultyLockStore faulty = FaultyLockStore.around(server.connect("jvm-1"));
 * LockEngine engine = LockEngine.builder().store(faulty.store()).build();
 * faulty.next(CommandKind.RELEASE, Fault.dropReply());
 * }</pre>
 */
public final class FaultyLockStore {

	private final LockStore delegate;

	private final LockStore proxy;

	private final Map<CommandKind, Deque<Fault>> next = new ConcurrentHashMap<>();

	private final Map<CommandKind, AtomicLong> counts = new ConcurrentHashMap<>();

	private final Queue<HeldRequest> heldBack = new ConcurrentLinkedQueue<>();

	private final AtomicLong batches = new AtomicLong();

	private volatile Function<CommandKind, Fault> otherwise = (kind) -> Fault.none();

	private volatile BooleanSupplier losesSignal = () -> false;

	private volatile Predicate<String> losesMessage = (message) -> false;

	private final AtomicLong messages = new AtomicLong();

	private volatile @Nullable SignalReceiver receiver;

	private FaultyLockStore(LockStore delegate) {
		this.delegate = delegate;
		this.proxy = (LockStore) Proxy.newProxyInstance(FaultyLockStore.class.getClassLoader(),
				capabilities(delegate.getClass()),
				(proxy, method, arguments) -> invoke(proxy, method, (arguments != null) ? arguments : new Object[0]));
	}

	private static Class<?>[] capabilities(Class<?> type) {
		Set<Class<?>> capabilities = new LinkedHashSet<>();
		for (Class<?> current = type; current != null; current = current.getSuperclass()) {
			collect(current, capabilities);
		}
		return capabilities.toArray(Class<?>[]::new);
	}

	private static void collect(Class<?> type, Set<Class<?>> capabilities) {
		for (Class<?> candidate : type.getInterfaces()) {
			if (LockStore.class.isAssignableFrom(candidate)) {
				capabilities.add(candidate);
			}
			collect(candidate, capabilities);
		}
	}

	/**
	 * Wraps a store.
	 * @param delegate the store that executes what is not lost
	 * @return a wrapper without faults
	 */
	public static FaultyLockStore around(LockStore delegate) {
		return new FaultyLockStore(delegate);
	}

	/**
	 * Returns the store that fails on demand.
	 * @return a store with the capabilities of the original
	 */
	public LockStore store() {
		return this.proxy;
	}

	/**
	 * Sets what happens to the next commands of a kind, one fault for each, after those
	 * that were set before.
	 * @param kind which commands
	 * @param faults what happens to them
	 * @return this wrapper
	 */
	public FaultyLockStore next(CommandKind kind, Fault... faults) {
		this.next.computeIfAbsent(kind, (key) -> new ConcurrentLinkedDeque<>()).addAll(Arrays.asList(faults));
		return this;
	}

	/**
	 * Sets what happens to all commands for which {@link #next} says nothing.
	 * @param faults asked for every command, from many threads
	 * @return this wrapper
	 */
	public FaultyLockStore otherwise(Function<CommandKind, Fault> faults) {
		this.otherwise = faults;
		return this;
	}

	/**
	 * Sets which signals are lost.
	 * @param lost asked for every signal, from many threads
	 * @return this wrapper
	 */
	public FaultyLockStore loseSignals(BooleanSupplier lost) {
		this.losesSignal = lost;
		return this;
	}

	/**
	 * Sets which messages of other JVMs are lost.
	 * @param lost asked for every message, from many threads
	 * @return this wrapper
	 */
	public FaultyLockStore loseMessages(Predicate<String> lost) {
		this.losesMessage = lost;
		return this;
	}

	/**
	 * Counts the messages of other JVMs that came, lost ones included.
	 * @return how many since the start or {@link #resetCounts()}
	 */
	public long messages() {
		return this.messages.get();
	}

	/**
	 * Ends all faults. Requests that are held back stay so.
	 */
	public void heal() {
		this.next.clear();
		this.otherwise = (kind) -> Fault.none();
		this.losesSignal = () -> false;
		this.losesMessage = (message) -> false;
	}

	/**
	 * Tells the receiver that signals may have been lost, as a store does after it has
	 * connected again.
	 */
	public void resume() {
		SignalReceiver receiver = this.receiver;
		if (receiver != null) {
			receiver.resumed();
		}
	}

	/**
	 * Returns the requests that {@link Fault#holdBack()} has stopped so far.
	 * @return a snapshot, oldest first
	 */
	public List<HeldRequest> heldBack() {
		return List.copyOf(this.heldBack);
	}

	/**
	 * Counts the commands of a kind that were sent, lost ones included.
	 * @param kind which commands
	 * @return how many since the start or {@link #resetCounts()}
	 */
	public long count(CommandKind kind) {
		AtomicLong count = this.counts.get(kind);
		return (count != null) ? count.get() : 0;
	}

	/**
	 * Counts the commands that were sent, lost ones included.
	 * @return how many since the start or {@link #resetCounts()}
	 */
	public long count() {
		return this.counts.values().stream().mapToLong(AtomicLong::get).sum();
	}

	/**
	 * Counts the batches of a {@link io.distributedlock.spi.MultiLockStore}. Their
	 * commands are counted one by one as well.
	 * @return how many since the start or {@link #resetCounts()}
	 */
	public long batches() {
		return this.batches.get();
	}

	/**
	 * Starts counting at zero.
	 */
	public void resetCounts() {
		this.batches.set(0);
		this.messages.set(0);
		this.counts.clear();
	}

	private @Nullable Object invoke(Object proxy, Method method, @Nullable Object[] arguments) throws Throwable {
		CommandKind kind = CommandKind.ofMethod(method.getName());
		if (kind != null) {
			this.counts.computeIfAbsent(kind, (key) -> new AtomicLong()).incrementAndGet();
			return send(kind, timeout(arguments), () -> execute(method, arguments));
		}
		CommandKind each = CommandKind.ofBatch(method.getName());
		if (each != null && arguments[0] instanceof List<?> commands) {
			return sendEach(each, commands);
		}
		if (method.getName().equals("equals") && arguments.length == 1) {
			return proxy == arguments[0];
		}
		if (arguments.length == 1 && arguments[0] instanceof SignalReceiver original) {
			this.receiver = original;
			return call(method, new LossyReceiver(original));
		}
		if (arguments.length == 1 && arguments[0] instanceof MessageReceiver original) {
			return call(method, new MessageReceiver() {
				@Override
				public void message(String message) {
					FaultyLockStore.this.messages.incrementAndGet();
					if (!FaultyLockStore.this.losesMessage.test(message)) {
						original.message(message);
					}
				}

				@Override
				public boolean expectsMessages() {
					return original.expectsMessages();
				}
			});
		}
		return call(method, arguments);
	}

	/**
	 * Each command of a batch may have a fault of its own.
	 */
	private List<CompletionStage<@Nullable Object>> sendEach(CommandKind kind, List<?> commands)
			throws NoSuchMethodException {
		this.batches.incrementAndGet();
		Class<?> type = commands.get(0).getClass();
		Method method = LockStore.class.getMethod(kind.method(), type);
		List<CompletionStage<@Nullable Object>> replies = new ArrayList<>();
		for (Object command : commands) {
			this.counts.computeIfAbsent(kind, (key) -> new AtomicLong()).incrementAndGet();
			Object[] arguments = { command };
			replies.add(send(kind, timeout(arguments), () -> execute(method, arguments)));
		}
		return replies;
	}

	private CompletionStage<@Nullable Object> send(CommandKind kind, Duration timeout,
			Supplier<CompletionStage<@Nullable Object>> command) {
		Fault fault = fault(kind);
		if (fault instanceof Fault.None) {
			return command.get();
		}
		if (fault instanceof Fault.FailBefore failure) {
			return CompletableFuture.failedFuture(failure.cause());
		}
		if (fault instanceof Fault.FailAfter failure) {
			CompletableFuture<@Nullable Object> reply = new CompletableFuture<>();
			command.get().whenComplete((result, ignored) -> reply.completeExceptionally(failure.cause()));
			return reply;
		}
		HeldRequest request = new HeldRequest(kind, timeout, command);
		after(timeout, request::expire);
		if (fault instanceof Fault.DropReply) {
			command.get();
		}
		else if (fault instanceof Fault.Delay delay) {
			after(delay.time(), request::deliver);
		}
		else if (fault instanceof Fault.HoldBack) {
			this.heldBack.add(request);
		}
		return request.reply();
	}

	private Fault fault(CommandKind kind) {
		Deque<Fault> scripted = this.next.get(kind);
		Fault fault = (scripted != null) ? scripted.poll() : null;
		return (fault != null) ? fault : this.otherwise.apply(kind);
	}

	private static void after(Duration time, Runnable action) {
		CompletableFuture.delayedExecutor(time.toNanos(), TimeUnit.NANOSECONDS).execute(action);
	}

	private static Duration timeout(@Nullable Object[] arguments) {
		for (Object argument : arguments) {
			if (argument instanceof Duration timeout) {
				return timeout;
			}
			if (argument instanceof AcquireCommand command) {
				return command.timeout();
			}
			if (argument instanceof ReleaseCommand command) {
				return command.timeout();
			}
			if (argument instanceof ExtendCommand command) {
				return command.timeout();
			}
			if (argument instanceof AbandonCommand command) {
				return command.timeout();
			}
			if (argument instanceof SharedAcquireCommand command) {
				return command.timeout();
			}
			if (argument instanceof DowngradeCommand command) {
				return command.timeout();
			}
			if (argument instanceof List<?> batch) {
				return batch.stream()
					.map((command) -> (command instanceof AcquireCommand asked) ? asked.timeout()
							: ((RenewCommand) command).timeout())
					.max(Comparator.naturalOrder())
					.orElse(Duration.ofSeconds(1));
			}
		}
		throw new IllegalArgumentException("Not a command of a store");
	}

	@SuppressWarnings("unchecked")
	private CompletionStage<@Nullable Object> execute(Method method, @Nullable Object[] arguments) {
		try {
			return (CompletionStage<@Nullable Object>) call(method, arguments);
		}
		catch (RuntimeException | Error ex) {
			throw ex;
		}
		catch (Throwable ex) {
			throw new UndeclaredThrowableException(ex);
		}
	}

	private Object call(Method method, @Nullable Object... arguments) throws Throwable {
		try {
			return method.invoke(this.delegate, arguments);
		}
		catch (InvocationTargetException ex) {
			throw ex.getTargetException();
		}
	}

	/**
	 * Loses signals as the test wants it.
	 */
	private final class LossyReceiver implements SignalReceiver {

		private final SignalReceiver receiver;

		LossyReceiver(SignalReceiver receiver) {
			this.receiver = receiver;
		}

		@Override
		public void reserved(String keyId, AttemptId attempt) {
			if (!FaultyLockStore.this.losesSignal.getAsBoolean()) {
				this.receiver.reserved(keyId, attempt);
			}
		}

		@Override
		public void revoked(String keyId, AttemptId attempt) {
			if (!FaultyLockStore.this.losesSignal.getAsBoolean()) {
				this.receiver.revoked(keyId, attempt);
			}
		}

		@Override
		public void resumed() {
			if (!FaultyLockStore.this.losesSignal.getAsBoolean()) {
				this.receiver.resumed();
			}
		}

	}

}
