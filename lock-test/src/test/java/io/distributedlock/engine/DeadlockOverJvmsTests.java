package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;

import io.distributedlock.DeadlockDetectedException;
import io.distributedlock.DeadlockDetectedException.Participant;
import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockMode;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import io.distributedlock.test.FaultyLockStore;
import io.distributedlock.test.InMemoryLockServer;
import io.distributedlock.test.InMemoryLockStore;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Cycles over several JVMs (rule S6), lost messages, and cycles that dissolve in time.
 */
class DeadlockOverJvmsTests extends DeadlockFixture {

	private final Map<String, FaultyLockStore> stores = new HashMap<>();

	private final AtomicInteger deadlocks = new AtomicInteger();

	private LockEngine jvm(String instance) {
		FaultyLockStore store = FaultyLockStore.around(this.server.connect(instance));
		this.stores.put(instance, store);
		return engine((builder) -> builder.store(store.store()).listener(new LockListener() {
			@Override
			public void onDeadlock(LockKey key, String name, DeadlockDetectedException exception, Duration waited) {
				DeadlockOverJvmsTests.this.deadlocks.incrementAndGet();
			}
		}));
	}

	private static boolean isProbe(String message) {
		return message.startsWith("1p");
	}

	@Test
	void aCycleOverThreeJvmsIsReportedAsAWholeAtItsYoungestWaiter() throws Exception {
		Caller first = caller("first", jvm("a1"), lock("a"), lock("b"));
		Caller second = caller("second", jvm("b1"), lock("b"), lock("c"));
		Caller third = caller("third", jvm("c1"), lock("c"), lock("a"));
		first.waits();
		third.waits();
		second.waits();
		DeadlockDetectedException deadlock = second.deadlock();
		assertThat(deadlock.cycle()).extracting(Participant::instance).containsExactly("b1", "c1", "a1");
		assertThat(deadlock.cycle()).extracting(Participant::owner).containsExactly("second", "third", "first");
		assertThat(deadlock.cycle()).extracting(Participant::holds).containsExactly("b", "c", "a");
		assertThat(deadlock.cycle()).extracting(Participant::waitsFor).containsExactly("c", "a", "b");
		assertThat(deadlock).hasMessageContaining("(3) 'first' of a1, holds 'a' and has waited ");
		assertThat(first.outcome()).isNull();
		assertThat(third.outcome()).isNull();
		assertThat(this.deadlocks).hasValue(1);
		eventually().until(this::storeIsEmpty);
	}

	@Test
	void aCycleMayGoThroughOneJvmTwice() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		Caller first = caller("first", one, lock("a"), lock("b"));
		Caller second = caller("second", two, lock("b"), lock("c"));
		Caller third = caller("third", one, lock("c"), lock("d"));
		Caller fourth = caller("fourth", two, lock("d"), lock("a"));
		first.waits();
		second.waits();
		third.waits();
		fourth.waits();
		assertThat(fourth.deadlock().cycle()).extracting(Participant::owner)
			.containsExactly("fourth", "first", "second", "third");
		assertThat(third.outcome()).isNull();
		assertThat(second.outcome()).isNull();
		assertThat(first.outcome()).isNull();
		assertThat(this.deadlocks).hasValue(1);
	}

	@Test
	void aLongCycleIsFoundAndOnlyOnce() throws Exception {
		int size = 12;
		List<Caller> callers = new ArrayList<>();
		for (int i = 0; i < size; i++) {
			callers
				.add(caller("caller-" + i, jvm("jvm-" + (i + 2)), lock("lock-" + i), lock("lock-" + (i + 1) % size)));
		}
		callers.forEach(Caller::waits);
		assertThat(callers.get(size - 1).deadlock().cycle()).hasSize(size);
		for (int i = size - 2; i >= 0; i--) {
			assertThat(callers.get(i).outcome()).isNull();
		}
		assertThat(this.deadlocks).hasValue(1);
	}

	@Test
	void readersOfSeveralJvmsInTheWayOfAWriterAreAsked() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		LockEngine three = jvm("three");
		Caller bystander = caller("bystander", two, lock("a").withMode(LockMode.READ), lock("z"));
		Caller reader = caller("reader", one, lock("a").withMode(LockMode.READ), lock("b"));
		Caller writer = caller("writer", three, lock("b"), lock("a"));
		reader.waits();
		writer.waits();
		assertThat(writer.deadlock().cycle()).extracting(Participant::owner).containsExactly("writer", "reader");
		assertThat(reader.outcome()).isNull();
		bystander.waits();
		assertThat(bystander.outcome()).isNull();
	}

	@Test
	void aCycleOverTwoStoresIsFound() throws Exception {
		InMemoryLockServer other = InMemoryLockServer.builder().storeName("other").build();
		LockEngine one = engine(
				(builder) -> builder.store(this.server.connect("one")).store(other.connect("one-there")));
		LockEngine two = engine(
				(builder) -> builder.store(this.server.connect("two")).store(other.connect("two-there")));
		Caller first = caller("first", one, lock("a"), lock("b").withStore("other"));
		Caller second = caller("second", two, lock("b").withStore("other"), lock("a"));
		first.waits();
		second.waits();
		assertThat(second.deadlock().cycle()).extracting(Participant::instance).containsExactly("two-there", "one");
		assertThat(first.outcome()).isNull();
	}

	@Test
	void lostProbesAreRepeated() throws Exception {
		Caller first = caller("first", jvm("one"), lock("a"), lock("b"));
		Caller second = caller("second", jvm("two"), lock("b"), lock("a"));
		AtomicInteger probes = new AtomicInteger();
		this.stores.values().forEach((store) -> store.loseMessages((message) -> probes.incrementAndGet() <= 3));
		first.waits();
		second.waits();
		assertThat(second.deadlock().cycle()).hasSize(2);
		assertThat(probes).hasValueGreaterThan(3);
		assertThat(first.outcome()).isNull();
	}

	@Test
	void aFailedLookAtTheStoreIsRepeated() throws Exception {
		Caller first = caller("first", jvm("one"), lock("a"), lock("b"));
		Caller second = caller("second", jvm("two"), lock("b"), lock("a"));
		this.stores.values().forEach((store) -> store.next(CommandKind.INSPECT, Fault.dropRequest()));
		first.waits();
		second.waits();
		assertThat(second.deadlock().cycle()).hasSize(2);
		assertThat(first.outcome()).isNull();
	}

	@Test
	void aDelayedNetworkDoesNotHideACycle() throws Exception {
		ScheduledExecutorService network = Executors.newScheduledThreadPool(2);
		try {
			Random random = new Random(1);
			LockEngine one = engine((builder) -> builder.store(slow("one", network, random)));
			LockEngine two = engine((builder) -> builder.store(slow("two", network, random)));
			Caller first = caller("first", one, lock("a"), lock("b"));
			Caller second = caller("second", two, lock("b"), lock("a"));
			first.waits();
			second.waits();
			assertThat(second.deadlock().cycle()).hasSize(2);
			assertThat(first.outcome()).isNull();
		}
		finally {
			network.shutdownNow();
		}
	}

	private InMemoryLockStore slow(String instance, ScheduledExecutorService network, Random random) {
		return this.server.connect(instance, network, () -> {
			synchronized (random) {
				return Duration.ofMillis(random.nextInt(8));
			}
		});
	}

	/**
	 * The probe has gone round; before its cycle is confirmed, the eldest gives up.
	 */
	@Test
	void aCycleThatDissolvesBeforeItIsConfirmedIsNone() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		Caller first = caller("first", one, lock("a"), lock("b").withWaitTime(Duration.ofSeconds(2)));
		Caller second = caller("second", two, lock("b"), lock("a"));
		List<String> late = new ArrayList<>();
		CountDownLatch probed = new CountDownLatch(1);
		this.stores.values().forEach((store) -> store.loseMessages((message) -> {
			if (!isProbe(message)) {
				synchronized (late) {
					late.add(message);
				}
				probed.countDown();
				return true;
			}
			return false;
		}));
		first.waits();
		second.waits();
		assertThat(probed.await(10, TimeUnit.SECONDS)).isTrue();
		assertThat(first.outcome()).isInstanceOf(LockNotAcquiredException.class);
		this.stores.values().forEach(FaultyLockStore::heal);
		InMemoryLockStore sender = this.server.connect("late");
		synchronized (late) {
			for (String message : late) {
				sender.send("one", message);
				sender.send("two", message);
			}
		}
		assertThat(second.outcome()).isNull();
		assertThat(this.deadlocks).hasValue(0);
	}

	/**
	 * An asynchronous owner waits on, but has given back what the writer waits for: only
	 * another reader is in the writer's way now.
	 */
	@Test
	void aHoldThatWasGivenBackBeforeTheConfirmationClosesNoCycle() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		Queue<String> late = new ConcurrentLinkedQueue<>();
		this.stores.values()
			.forEach((store) -> store.loseMessages((message) -> !isProbe(message) && late.add(message)));
		LockOwner reader = LockOwner.create("reader");
		LockOwner bystander = LockOwner.create("bystander");
		LockOwner writer = LockOwner.create("writer");
		Lease read = one.acquire(lock("a").withMode(LockMode.READ).withOwner(reader));
		Lease other = two.acquire(lock("a").withMode(LockMode.READ).withOwner(bystander));
		Lease b = two.acquire(lock("b").withOwner(writer));
		CompletableFuture<Lease> older = one.acquireAsync(lock("b").withOwner(reader));
		Thread.sleep(20);
		CompletableFuture<Lease> younger = two.acquireAsync(lock("a").withOwner(writer));
		eventually().until(() -> !late.isEmpty());
		read.release();
		Thread.sleep(100);
		this.stores.values().forEach(FaultyLockStore::heal);
		InMemoryLockStore sender = this.server.connect("late");
		for (String message : List.copyOf(late)) {
			sender.send("one", message);
			sender.send("two", message);
		}
		Thread.sleep(200);
		assertThat(older).isNotDone();
		assertThat(younger).isNotDone();
		other.release();
		younger.get(10, TimeUnit.SECONDS).release();
		b.release();
		older.get(10, TimeUnit.SECONDS).release();
		assertThat(this.deadlocks).hasValue(0);
	}

	/**
	 * The second caller gives up and comes again, and waits for the same lock while it
	 * holds the same lock: what a probe has seen before does not count.
	 */
	@Test
	void aConfirmationThatComesLateDoesNotHitTheNextWait() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		List<String> late = new ArrayList<>();
		this.stores.values().forEach((store) -> store.loseMessages((message) -> {
			if (!isProbe(message)) {
				synchronized (late) {
					late.add(message);
				}
				return true;
			}
			return false;
		}));
		Caller first = caller("first", one, lock("a"), lock("b").withWaitTime(Duration.ofMillis(1500)));
		Caller second = caller("second", two, lock("b"), lock("a"));
		first.waits();
		second.waits();
		assertThat(first.outcome()).isInstanceOf(LockNotAcquiredException.class);
		assertThat(second.outcome()).isNull();
		Caller again = caller("again", one, lock("a"), lock("b"));
		Caller holder = caller("holder", two, lock("b"), lock("z"));
		again.waits();
		Thread.sleep(100);
		InMemoryLockStore sender = this.server.connect("late");
		assertThat(late).isNotEmpty();
		for (String message : List.copyOf(late)) {
			sender.send("one", message);
			sender.send("two", message);
		}
		Thread.sleep(100);
		assertThat(again.isDone()).isFalse();
		holder.waits();
		assertThat(holder.outcome()).isNull();
		assertThat(again.outcome()).isNull();
		assertThat(this.deadlocks).hasValue(0);
	}

	@Test
	void whoHoldsNothingSendsNothing() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		Caller holder = caller("holder", one, lock("a"), lock("z"));
		var waiting = waitingThread(two, lock("a"));
		Thread.sleep(250);
		assertThat(this.stores.get("one").messages()).isZero();
		assertThat(this.stores.get("two").count(CommandKind.INSPECT)).isZero();
		holder.waits();
		assertThat(holder.outcome()).isNull();
		waiting.get().release();
	}

	@Test
	void probesOfALongWaitBecomeRare() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		Caller holder = caller("holder", one, lock("a"), lock("z"));
		Caller waiter = caller("waiter", two, lock("b"), lock("a"));
		waiter.waits();
		Thread.sleep(1500);
		assertThat(this.stores.get("one").messages()).isBetween(2L, 8L);
		holder.waits();
		assertThat(holder.outcome()).isNull();
		assertThat(waiter.outcome()).isNull();
	}

	@Test
	void manyThatWaitForOneHotLockShareWhatTheStoreSaysAndHideNoCycle() throws Exception {
		LockEngine one = jvm("one");
		LockEngine two = jvm("two");
		FaultyLockStore store = this.stores.get("one");
		Lease hot = two.acquireAsync(lock("hot")).get(10, TimeUnit.SECONDS);
		List<LockOwner> owners = new ArrayList<>();
		List<Lease> own = new ArrayList<>();
		for (int i = 0; i < 300; i++) {
			owners.add(LockOwner.create("owner"));
			own.add(one.acquireAsync(LockRequest.of("own", i).withOwner(owners.get(i))).get(10, TimeUnit.SECONDS));
		}
		store.resetCounts();
		long start = System.nanoTime();
		List<CompletableFuture<Lease>> crowd = owners.stream()
			.map((owner) -> one.acquireAsync(lock("hot").withWaitTime(Duration.ofMinutes(2)).withOwner(owner)))
			.toList();
		eventually().until(() -> this.stores.get("two").messages() >= 300);
		long looks = store.count(CommandKind.INSPECT);
		// One for every 25 ms at most, however many wait.
		assertThat(looks).isBetween(1L, (System.nanoTime() - start) / 25_000_000 + 2);
		Caller first = caller("first", one, lock("a"), lock("b").withWaitTime(Duration.ofMinutes(2)));
		Caller second = caller("second", two, lock("b"), lock("a").withWaitTime(Duration.ofMinutes(2)));
		first.waits();
		Thread.sleep(20);
		second.waits();
		assertThat(second.outcome()).isInstanceOf(DeadlockDetectedException.class);
		assertThat(first.outcome()).isNull();
		crowd.forEach((waiting) -> waiting.cancel(false));
		own.forEach(Lease::release);
		hot.release();
	}

	@Test
	void whatIsNoMessageIsIgnored() throws Exception {
		LockEngine one = jvm("one");
		InMemoryLockStore sender = this.server.connect("stranger");
		Caller first = caller("first", one, lock("a"), lock("b"));
		Caller second = caller("second", one, lock("b"), lock("z"));
		first.waits();
		Thread.sleep(100);
		Random random = new Random(42);
		String step = "AAAAAAAAAAAAAAAAAAAAAA,one,1,first,b,a,1";
		int sent = 0;
		for (int i = 0; i < 400; i++) {
			StringBuilder message = new StringBuilder((i % 2 == 0) ? "1p;" + step : "1c,0,1;" + step);
			for (int change = 0; change <= random.nextInt(4); change++) {
				int at = random.nextInt(message.length());
				switch (random.nextInt(3)) {
					case 0 -> message.setCharAt(at, (char) (' ' + random.nextInt(95)));
					case 1 -> message.insert(at, ";,%\u0000\uFFFF-9".charAt(random.nextInt(7)));
					default -> message.delete(at, Math.min(message.length(), at + 1 + random.nextInt(5)));
				}
				if (message.isEmpty()) {
					break;
				}
			}
			sender.send("one", message.toString());
			sent++;
		}
		assertThat(one.deadlocks().ignored()).isBetween(sent / 2L, (long) sent);
		assertThat(first.isDone()).isFalse();
		second.waits();
		assertThat(second.outcome()).isNull();
		assertThat(first.outcome()).isNull();
		assertThat(this.deadlocks).hasValue(0);
	}

	@Test
	void aFloodOfMessagesIsCutOff() throws Exception {
		LockEngine one = jvm("one");
		InMemoryLockStore sender = this.server.connect("stranger");
		for (int i = 0; i < 10 * DeadlockDetector.RATE; i++) {
			sender.send("one", "nonsense");
		}
		assertThat(one.deadlocks().ignored()).isBetween((long) DeadlockDetector.RATE, 5L * DeadlockDetector.RATE);
	}

}
