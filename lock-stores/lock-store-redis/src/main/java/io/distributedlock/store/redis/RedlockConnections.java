package io.distributedlock.store.redis;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;

import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import io.distributedlock.spi.StoreException;

/**
 * Connects to the servers of a Redlock. A majority has to be there at the start; the
 * others are tried again until they are. The same server twice would have two votes, so
 * servers are compared by what they say of themselves.
 */
final class RedlockConnections {

	private static final Logger logger = LoggerFactory.getLogger(RedlockConnections.class);

	private static final Duration RETRY = Duration.ofSeconds(1);

	/** Clocks that differ by more are worth a word. */
	private static final long CLOCK_TOLERANCE = 500_000;

	private final RedlockNodes nodes;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Map<String, RedlockNode> byRunId = new HashMap<>();

	RedlockConnections(RedlockNodes nodes) {
		this.nodes = nodes;
	}

	/**
	 * Connects to all at once, and waits for each.
	 * @throws StoreException if fewer than a quorum can be reached, or two are the same
	 */
	void openAll() {
		List<CompletableFuture<@Nullable StoreException>> opening = this.nodes.all().stream().map((node) -> {
			CompletableFuture<@Nullable StoreException> result = new CompletableFuture<>();
			Thread thread = new Thread(() -> result.complete(tryToOpen(node)), "distributed-lock-redlock-connect");
			thread.setDaemon(true);
			thread.start();
			return result;
		}).toList();
		List<StoreException> failures = opening.stream().map(CompletableFuture::join).filter(Objects::nonNull).toList();
		failures.stream().filter(Twice.class::isInstance).findFirst().ifPresent((twice) -> {
			throw twice;
		});
		if (this.nodes.preventQuorum(failures.size())) {
			throw this.nodes.outage("Cannot use Redlock", failures, false);
		}
		for (RedlockNode node : this.nodes.all()) {
			if (node.needsConnection()) {
				logger.warn("A Redlock server cannot be reached and is tried again in the background. Locks go on"
						+ " without it. {}", node.trouble());
			}
		}
	}

	/**
	 * Goes on trying those that could not be reached.
	 */
	void keepTrying(ScheduledExecutorService executor) {
		if (this.nodes.all().stream().anyMatch(RedlockNode::needsConnection)) {
			executor.scheduleWithFixedDelay(this::tryAgain, RETRY.toMillis(), RETRY.toMillis(), TimeUnit.MILLISECONDS);
		}
	}

	private void tryAgain() {
		for (RedlockNode node : this.nodes.all()) {
			if (node.needsConnection()) {
				StoreException failure = tryToOpen(node);
				if (failure == null) {
					logger.info("Connected to the Redlock server {}", node);
				}
				else if (failure instanceof Twice) {
					node.exclude(String.valueOf(failure.getMessage()));
					logger.error("A Redlock server is left out for good. {}", failure.getMessage());
				}
			}
		}
	}

	private @Nullable StoreException tryToOpen(RedlockNode node) {
		try {
			// Before it is asked for a lock, or one server might be asked for two votes.
			node.connect((info) -> claim(node, info.get("run_id")));
			return null;
		}
		catch (StoreException ex) {
			return ex;
		}
		catch (RuntimeException | Error ex) {
			// Also an Error, such as a client of another version: somebody waits for
			// this.
			return RedisErrors.translate(ex, node.address());
		}
	}

	private void claim(RedlockNode node, @Nullable String runId) {
		if (runId == null) {
			return;
		}
		this.mutex.lock();
		try {
			RedlockNode same = this.byRunId.putIfAbsent(runId, node);
			if (same != null && same != node) {
				throw new Twice(same, node);
			}
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Looks for things that would harm locks, in each server and between them.
	 */
	List<String> check() {
		List<String> advice = new ArrayList<>();
		if (this.nodes.size() % 2 == 0) {
			advice.add("Redlock has " + this.nodes.size() + " servers. That stands no more failures than "
					+ (this.nodes.size() - 1) + " would; take an odd number.");
		}
		for (RedlockNode node : this.nodes.all()) {
			advice.addAll(node.check());
		}
		checkClocks(advice);
		return advice;
	}

	private void checkClocks(List<String> advice) {
		Map<RedlockNode, Long> ahead = new HashMap<>();
		for (RedlockNode node : this.nodes.all()) {
			long before = System.nanoTime();
			String time = node.info().get("server_time_usec");
			if (time != null && time.matches("\\d{1,18}")) {
				ahead.put(node, Long.parseLong(time) - (before + System.nanoTime()) / 2000);
			}
		}
		RedlockNode slowest = null;
		RedlockNode fastest = null;
		for (RedlockNode node : ahead.keySet()) {
			slowest = (slowest == null || ahead.get(node) < ahead.get(slowest)) ? node : slowest;
			fastest = (fastest == null || ahead.get(node) > ahead.get(fastest)) ? node : fastest;
		}
		if (slowest != null && fastest != null && ahead.get(fastest) - ahead.get(slowest) > CLOCK_TOLERANCE) {
			advice.add("The clocks of the Redlock servers " + slowest + " and " + fastest + " differ by "
					+ (ahead.get(fastest) - ahead.get(slowest)) / 1000 + " ms. Fencing tokens follow the fastest clock,"
					+ " and a server that loses its data falls back to its own. Let NTP keep them together.");
		}
	}

	/**
	 * Two of the servers are one.
	 */
	private static final class Twice extends StoreException {

		private static final long serialVersionUID = 1L;

		Twice(RedlockNode one, RedlockNode other) {
			super("The Redlock servers " + one + " and " + other + " are the same server, which would have two votes."
					+ " Redlock needs independent ones: correct distributed-lock.redlock.nodes.", false, false, null);
		}

	}

}
