package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.function.Function;
import java.util.stream.Collectors;

import io.distributedlock.LockInspector.StoredLock;
import io.distributedlock.LockKey;
import io.distributedlock.spi.AbandonCommand;
import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.DowngradeCommand;
import io.distributedlock.spi.DowngradeReply;
import io.distributedlock.spi.ExtendCommand;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.InspectableLockStore;
import io.distributedlock.spi.MultiLockStore;
import io.distributedlock.spi.ReleaseCommand;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.SharedAcquireCommand;
import io.distributedlock.spi.SharedLockStore;
import io.distributedlock.spi.StoreException;
import io.distributedlock.store.jdbc.Operation.Lane;

/**
 * Makes operations of the commands of the SPI, and sends them.
 */
abstract class JdbcCommands implements SharedLockStore, FairLockStore, MultiLockStore, InspectableLockStore {

	abstract Dispatcher dispatcher();

	abstract Signals signals();

	@Override
	public CompletionStage<AcquireReply> acquire(AcquireCommand command) {
		return send(new Operations.Acquire(command, false, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<AcquireReply> acquireOrEnqueue(AcquireCommand command) {
		return send(new Operations.Acquire(command, true, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		return renew(Lane.RENEW, commands,
				(command) -> new Operations.Renew(command, deadline(command.timeout()), signals()));
	}

	private CompletionStage<List<RenewReply>> renew(Lane lane, List<RenewCommand> commands,
			Function<RenewCommand, Operation<RenewReply>> renewal) {
		if (commands.isEmpty()) {
			return CompletableFuture.completedFuture(List.of());
		}
		List<Operation<RenewReply>> operations = commands.stream().map(renewal).toList();
		dispatcher().submitAll(lane, operations);
		return CompletableFuture.allOf(operations.toArray(CompletableFuture<?>[]::new))
			.handle((done, anyFailure) -> operations.stream().map(JdbcCommands::renewReply).toList());
	}

	private static RenewReply renewReply(Operation<RenewReply> operation) {
		try {
			return operation.join();
		}
		catch (CompletionException ex) {
			return new RenewReply.Failed((ex.getCause() instanceof StoreException known) ? known
					: new StoreException("The renewal failed: " + ex.getCause(), true, true, ex));
		}
	}

	@Override
	public CompletionStage<ReleaseReply> release(ReleaseCommand command) {
		return send(new Operations.Release(command, null, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseAndEnqueue(ReleaseCommand command, Successor successor) {
		return send(new Operations.Release(command, successor, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<ExtendReply> extend(ExtendCommand command) {
		return send(new Operations.Extend(command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<Void> abandon(AbandonCommand command) {
		return send(new Operations.Abandon(command, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<AcquireReply> acquireShared(SharedAcquireCommand command) {
		return send(SharedOperation.acquire(command, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<List<RenewReply>> renewShared(List<RenewCommand> commands) {
		return renew(Lane.SHARES, commands,
				(command) -> SharedOperation.renew(command, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<ExtendReply> extendShared(ExtendCommand command) {
		return send(SharedOperation.extend(command, deadline(command.timeout())));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseShared(ReleaseCommand command) {
		return send(SharedOperation.release(command, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<DowngradeReply> downgrade(DowngradeCommand command) {
		return send(SharedOperation.downgrade(command, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<Void> abandonShared(AbandonCommand command) {
		return send(SharedOperation.abandon(command, deadline(command.timeout()), signals()));
	}

	@Override
	public CompletionStage<List<AcquireReply>> acquireInOrder(List<AcquireCommand> commands) {
		Duration shortest = commands.stream().map(AcquireCommand::timeout).min(Duration::compareTo).orElseThrow();
		return send(new Operations.AcquireInOrder(commands, deadline(shortest), signals()));
	}

	@Override
	public CompletionStage<ReleaseReply> releaseInOrder(ReleaseCommand command, Duration ttl) {
		return send(new Operations.ReleaseInOrder(command, ttl, deadline(command.timeout()), signals()));
	}

	@Override
	public List<CompletionStage<AcquireReply>> acquireEach(List<AcquireCommand> commands) {
		return sendEach(commands,
				(command) -> new Operations.Acquire(command, false, deadline(command.timeout()), signals()));
	}

	@Override
	public List<CompletionStage<ReleaseReply>> releaseEach(List<ReleaseCommand> commands) {
		return sendEach(commands,
				(command) -> new Operations.Release(command, null, deadline(command.timeout()), signals()));
	}

	/**
	 * What goes into a lane at once goes out in as few transactions as it allows.
	 */
	private <C, R> List<CompletionStage<R>> sendEach(List<C> commands, Function<C, Operation<R>> operation) {
		List<Operation<R>> operations = commands.stream().map(operation).toList();
		Map<Lane, List<Operation<R>>> lanes = operations.stream().collect(Collectors.groupingBy(Operation::lane));
		lanes.forEach(dispatcher()::submitAll);
		return List.copyOf(operations);
	}

	@Override
	public CompletionStage<Optional<StoredLock>> inspect(LockKey key, Duration timeout) {
		return send(new Operations.Inspect(key, name(), deadline(timeout)));
	}

	@Override
	public CompletionStage<Boolean> forceRelease(LockKey key, long token, Duration timeout) {
		return send(new Operations.ForceRelease(key, token, deadline(timeout)));
	}

	private static long deadline(Duration timeout) {
		return System.nanoTime() + timeout.toNanos();
	}

	private <R> CompletionStage<R> send(Operation<R> operation) {
		dispatcher().submit(operation);
		return operation;
	}

}
