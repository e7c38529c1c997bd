package io.distributedlock.sample.load;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.Lease;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.sample.shop.Product;
import io.distributedlock.sample.shop.ShopService;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

import org.springframework.beans.factory.DisposableBean;
import org.springframework.context.SmartLifecycle;
import org.springframework.stereotype.Service;

/**
 * Carries out load runs. Every purchase goes through HTTP, as a customer's would.
 * <p>
 * A run sets the stock of its product, so only one at a time may storm a product: it
 * holds a lock of its own for as long as it lasts, taken with {@link LockTemplate} since
 * a run begins on one thread and ends on another.
 */
@Service
class LoadRunner implements SmartLifecycle, DisposableBean {

	private static final Logger logger = LoggerFactory.getLogger(LoadRunner.class);

	private static final int KEPT_RUNS = 20;

	private static final Duration REQUEST_TIMEOUT = Duration.ofSeconds(60);

	private final ShopService shop;

	private final LockTemplate locks;

	private final HttpClient http = HttpClient.newBuilder()
		.version(HttpClient.Version.HTTP_1_1)
		.connectTimeout(Duration.ofSeconds(2))
		.build();

	private final ConcurrentSkipListMap<Integer, LoadRun> runs = new ConcurrentSkipListMap<>();

	private volatile boolean running;

	private final AtomicInteger sequence = new AtomicInteger();

	private final ExecutorService coordinators = Executors.newCachedThreadPool((task) -> daemon(task, "load-run"));

	LoadRunner(ShopService shop, LockTemplate locks) {
		this.shop = shop;
		this.locks = locks;
	}

	private static Thread daemon(Runnable task, String name) {
		Thread thread = new Thread(task, name);
		thread.setDaemon(true);
		return thread;
	}

	/**
	 * Sets the stock and begins to storm.
	 * @param request what to do
	 * @return the run, under way
	 * @throws RunInProgressException if a run of that product is under way on any
	 * instance
	 */
	LoadRun start(RunRequest request) {
		Lease lease = claim(request.productId());
		try {
			this.shop.open(request.productId(), request.stock());
			int number = this.sequence.incrementAndGet();
			LoadRun run = new LoadRun(Integer.toString(number), request);
			this.runs.put(number, run);
			while (this.runs.size() > KEPT_RUNS) {
				this.runs.pollFirstEntry();
			}
			this.coordinators.execute(() -> carryOut(run, lease));
			return run;
		}
		catch (RuntimeException ex) {
			lease.release();
			throw ex;
		}
	}

	private Lease claim(String productId) {
		try {
			return this.locks.acquireAsync(LockRequest.of("load-run", productId).withWaitTime(Duration.ZERO)).join();
		}
		catch (CompletionException ex) {
			if (ex.getCause() instanceof LockNotAcquiredException) {
				throw new RunInProgressException(productId);
			}
			if (ex.getCause() instanceof RuntimeException cause) {
				throw cause;
			}
			throw ex;
		}
	}

	private void carryOut(LoadRun run, Lease lease) {
		RunRequest request = run.request();
		ExecutorService users = Executors.newFixedThreadPool(request.concurrency(), (task) -> daemon(task, "user"));
		try {
			for (int i = 0; i < request.concurrency(); i++) {
				users.execute(() -> sendUntilNothingIsLeft(run));
			}
			users.shutdown();
			while (!users.awaitTermination(1, TimeUnit.SECONDS)) {
				if (!lease.isHeld()) {
					run.fail("The lock of this run was lost: another run may be storming the same product.");
				}
			}
		}
		catch (InterruptedException ex) {
			run.cancel();
			users.shutdownNow();
			Thread.currentThread().interrupt();
		}
		finally {
			run.end(productOf(run));
			lease.release();
			logger.info("Run {} has ended: {}", run.id(), view(run));
		}
	}

	private void sendUntilNothingIsLeft(LoadRun run) {
		for (int number = run.takeNext(); number >= 0; number = run.takeNext()) {
			try {
				send(run, number);
			}
			catch (InterruptedException ex) {
				Thread.currentThread().interrupt();
				return;
			}
		}
	}

	private void send(LoadRun run, int number) throws InterruptedException {
		RunRequest request = run.request();
		// Clicks of one user are next to each other, so that they are under way together,
		// and go to different instances if there are several.
		String userId = "user-" + number / request.clicks();
		URI target = request.targets().get(number % request.targets().size());
		HttpRequest order = HttpRequest
			.newBuilder(target.resolve("/api/products/" + request.productId() + "/orders?lock=" + request.lock()))
			.timeout(REQUEST_TIMEOUT)
			.header("Content-Type", "application/json")
			.POST(HttpRequest.BodyPublishers.ofString("{\"userId\":\"" + userId + "\"}"))
			.build();
		long start = System.nanoTime();
		try {
			HttpResponse<String> answer = this.http.send(order, HttpResponse.BodyHandlers.ofString());
			run.answered(Outcome.of(answer.statusCode(), answer.body()), System.nanoTime() - start,
					target + " answered " + answer.statusCode() + ": " + answer.body());
		}
		catch (IOException ex) {
			run.answered(Outcome.FAILED, System.nanoTime() - start, target + " did not answer: " + ex);
		}
	}

	Optional<LoadRun> find(String id) {
		return this.runs.values().stream().filter((run) -> run.id().equals(id)).findFirst();
	}

	/**
	 * Returns the runs of this instance that are still known.
	 * @return the runs, newest first
	 */
	List<LoadRun> recent() {
		return new ArrayList<>(this.runs.descendingMap().values());
	}

	/**
	 * Returns how a run stands, with the product as the database has it now.
	 * @param run the run
	 * @return the view
	 */
	RunView view(LoadRun run) {
		return run.view(() -> productOf(run));
	}

	private @Nullable Product productOf(LoadRun run) {
		try {
			return this.shop.product(run.request().productId());
		}
		catch (RuntimeException ex) {
			logger.warn("The product of run {} cannot be read", run.id(), ex);
			return null;
		}
	}

	@Override
	public void start() {
		this.running = true;
	}

	/**
	 * Ends all runs. Called before the web server waits for its requests to end, among
	 * which are those that follow a run.
	 */
	@Override
	public void stop() {
		this.running = false;
		this.runs.values().forEach(LoadRun::cancel);
	}

	@Override
	public boolean isRunning() {
		return this.running;
	}

	@Override
	public void destroy() {
		this.coordinators.shutdownNow();
	}

}
