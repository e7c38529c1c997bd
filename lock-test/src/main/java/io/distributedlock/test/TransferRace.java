package io.distributedlock.test;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.stream.IntStream;

import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.MultiLease;

/**
 * A bank whose accounts are protected by nothing but locks of every kind that are taken
 * together: clerks move money between two accounts, auditors read all of them and must
 * always see the same sum, and no more clerks than there are desks work at a desk. Money
 * is lost, or somebody complains, if all or nothing does not hold; and callers that wait
 * for each other show as a wait that does not end.
 */
public final class TransferRace {

	private static final int ACCOUNTS = 6;

	private static final int MONEY = 1000;

	private static final int DESKS = 2;

	private static final Duration PATIENCE = Duration.ofMinutes(2);

	private final List<LockTemplate> instances;

	/** Not safe by itself, on purpose: a step reads, waits and writes. */
	private final AtomicIntegerArray balances = new AtomicIntegerArray(ACCOUNTS);

	private final AtomicIntegerArray writers = new AtomicIntegerArray(ACCOUNTS);

	private final AtomicIntegerArray readers = new AtomicIntegerArray(ACCOUNTS);

	private final AtomicInteger atDesks = new AtomicInteger();

	private final AtomicInteger done = new AtomicInteger();

	/**
	 * Makes a race.
	 * @param instances the instances whose callers compete, over one store
	 */
	public TransferRace(List<? extends LockTemplate> instances) {
		this.instances = List.copyOf(instances);
		for (int i = 0; i < ACCOUNTS; i++) {
			this.balances.set(i, MONEY);
		}
	}

	/**
	 * Lets seven callers of each instance work, and waits for them.
	 * @param rounds how often each of them
	 * @throws AssertionError if money is lost, callers overlap that may not, or one waits
	 * for more than two minutes
	 * @throws InterruptedException if the calling thread is interrupted
	 */
	public void run(int rounds) throws InterruptedException {
		ExecutorService threads = Executors.newCachedThreadPool();
		try {
			List<Future<?>> callers = new ArrayList<>();
			for (int i = 0; i < this.instances.size(); i++) {
				LockTemplate locks = this.instances.get(i);
				Random random = new Random(i);
				for (Callable<?> role : roles(locks, random)) {
					callers.add(threads.submit(() -> {
						for (int round = 0; round < rounds; round++) {
							role.call();
						}
						return null;
					}));
				}
			}
			await(callers);
			// In the race they may have met or not.
			CyclicBarrier everybody = new CyclicBarrier(this.instances.size());
			await(this.instances.stream().map((locks) -> threads.submit(() -> meet(locks, everybody))).toList());
		}
		catch (ExecutionException | TimeoutException ex) {
			throw new AssertionError("A caller failed", ex);
		}
		finally {
			threads.shutdownNow();
		}
		check(sum() == ACCOUNTS * MONEY, "The accounts have " + sum() + " instead of " + ACCOUNTS * MONEY);
	}

	private static void await(List<? extends Future<?>> callers)
			throws InterruptedException, ExecutionException, TimeoutException {
		for (Future<?> caller : callers) {
			caller.get(PATIENCE.toSeconds() * 2, TimeUnit.SECONDS);
		}
	}

	/**
	 * Returns how many pieces of work were done under all the locks they need.
	 * @return the number
	 */
	public int done() {
		return this.done.get();
	}

	private List<Callable<?>> roles(LockTemplate locks, Random random) {
		return List.of(() -> transfer(locks, random, false, false), () -> transfer(locks, random, true, true),
				() -> transfer(locks, random, false, true), () -> transferAtDesk(locks, random),
				() -> transferAsync(locks, random), () -> tryTransfer(locks, random), () -> audit(locks));
	}

	private static LockRequest account(int number) {
		return LockRequest.of("account", number).withWaitTime(PATIENCE);
	}

	private static int[] two(Random random) {
		int from = random.nextInt(ACCOUNTS);
		return new int[] { from, (from + 1 + random.nextInt(ACCOUNTS - 1)) % ACCOUNTS };
	}

	private Void transfer(LockTemplate locks, Random random, boolean fairFrom, boolean fairTo) {
		int[] two = two(random);
		return locks.<Void, RuntimeException>executeAll(
				List.of(account(two[0]).withFair(fairFrom), account(two[1]).withFair(fairTo)), (leases) -> {
					move(two[0], two[1]);
					leases.assertHeld();
					return null;
				});
	}

	private Void transferAtDesk(LockTemplate locks, Random random) {
		int[] two = two(random);
		LockRequest desk = LockRequest.of("a-desk").withPermits(DESKS).withWaitTime(PATIENCE);
		return locks.<Void, RuntimeException>executeAll(List.of(account(two[0]), desk, account(two[1]).withFair(true)),
				(leases) -> {
					check(this.atDesks.incrementAndGet() <= DESKS, "More clerks than desks");
					move(two[0], two[1]);
					this.atDesks.decrementAndGet();
					return null;
				});
	}

	private Void transferAsync(LockTemplate locks, Random random)
			throws InterruptedException, ExecutionException, TimeoutException {
		int[] two = two(random);
		try (MultiLease leases = locks.acquireAllAsync(List.of(account(two[0]), account(two[1]).withFair(true)))
			.get(PATIENCE.toSeconds() * 2, TimeUnit.SECONDS)) {
			move(two[0], two[1]);
			leases.assertHeld();
		}
		return null;
	}

	private Void tryTransfer(LockTemplate locks, Random random) {
		int[] two = two(random);
		try (MultiLease leases = locks.acquireAll(
				List.of(account(two[0]).withWaitTime(Duration.ZERO), account(two[1]).withWaitTime(Duration.ZERO)))) {
			move(two[0], two[1]);
			leases.assertHeld();
		}
		catch (LockNotAcquiredException ex) {
			// All or nothing, and this was nothing.
			Thread.yield();
		}
		return null;
	}

	private static List<LockRequest> allToRead() {
		return IntStream.range(0, ACCOUNTS).mapToObj((number) -> account(number).withMode(LockMode.READ)).toList();
	}

	/** Succeeds only if auditors of all instances hold the accounts at the same time. */
	private static Void meet(LockTemplate locks, CyclicBarrier everybody) throws Exception {
		return locks.<Void, Exception>executeAll(allToRead(), (leases) -> {
			everybody.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
			leases.assertHeld();
			return null;
		});
	}

	private Void audit(LockTemplate locks) {
		return locks.<Void, RuntimeException>executeAll(allToRead(), (leases) -> {
			for (int i = 0; i < ACCOUNTS; i++) {
				this.readers.incrementAndGet(i);
				check(this.writers.get(i) == 0, "An auditor reads an account that a clerk changes");
			}
			check(sum() == ACCOUNTS * MONEY, "An auditor sees " + sum());
			pause();
			check(sum() == ACCOUNTS * MONEY, "An auditor sees " + sum() + " in the end");
			for (int i = 0; i < ACCOUNTS; i++) {
				this.readers.decrementAndGet(i);
			}
			leases.assertHeld();
			this.done.incrementAndGet();
			return null;
		});
	}

	private void move(int from, int to) {
		enter(from);
		enter(to);
		int had = this.balances.get(from);
		int gets = this.balances.get(to);
		this.balances.set(from, had - 1);
		pause();
		this.balances.set(to, gets + 1);
		this.writers.decrementAndGet(from);
		this.writers.decrementAndGet(to);
		this.done.incrementAndGet();
	}

	private void enter(int account) {
		check(this.writers.incrementAndGet(account) == 1, "Two clerks change one account");
		check(this.readers.get(account) == 0, "A clerk changes an account that an auditor reads");
	}

	private static void pause() {
		for (int i = 0; i < 20; i++) {
			Thread.yield();
		}
	}

	private int sum() {
		return IntStream.range(0, ACCOUNTS).map(this.balances::get).sum();
	}

	private static void check(boolean holds, String complaint) {
		if (!holds) {
			throw new AssertionError(complaint);
		}
	}

}
