package io.distributedlock.boot.autoconfigure;

import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.IntSupplier;

import io.distributedlock.Lease;
import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spring.DistributedLock;
import io.distributedlock.spring.InvalidDistributedLockException;
import io.distributedlock.test.InMemoryLockServer;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.BeanCreationException;
import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Readers, permits and strict order, as annotations and properties ask for them.
 */
class KindsOfLocksTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class))
		.withBean(Library.class);

	private final ApplicationContextRunner memory = this.runner.withPropertyValues("distributed-lock.store=memory");

	/** A store that can do no more than it must. */
	private static LockStore plainStore() {
		LockStore full = InMemoryLockServer.create().connect("app");
		return (LockStore) Proxy.newProxyInstance(LockStore.class.getClassLoader(), new Class<?>[] { LockStore.class },
				(proxy, method, arguments) -> method.invoke(full, arguments));
	}

	private static LockRequest elsewhere(LockRequest request) {
		return request.withWaitTime(Duration.ZERO).withOwner(LockOwner.create("another"));
	}

	@Test
	void whatTheStoreCannotDoIsAnErrorAtStartUp() {
		this.runner.withBean(LockStore.class, KindsOfLocksTests::plainStore).run((context) -> {
			Throwable failure = context.getStartupFailure();
			while (failure instanceof BeanCreationException) {
				failure = failure.getCause();
			}
			assertThat(failure).isInstanceOfSatisfying(InvalidDistributedLockException.class, (invalid) -> {
				assertThat(invalid.location()).contains("Library.");
				assertThat(invalid.action()).contains("the lock store 'memory'");
			});
		});
	}

	@Test
	void readersRunTogetherAndAWriterRunsAlone() {
		this.memory.run((context) -> {
			Library library = context.getBean(Library.class);
			LockTemplate locks = context.getBean(LockTemplate.class);
			LockRequest book = LockRequest.of("book", "1");
			LockRequest reading = book.withMode(LockMode.READ);
			assertThat(library.read("1", () -> comesIn(locks, reading))).isTrue();
			assertThat(library.read("1", () -> comesIn(locks, book))).isFalse();
			assertThat(library.write("1", () -> comesIn(locks, reading))).isFalse();
		});
	}

	private static boolean comesIn(LockTemplate locks, LockRequest request) {
		Optional<Lease> lease = locks.tryAcquire(elsewhere(request));
		lease.ifPresent(Lease::close);
		return lease.isPresent();
	}

	@Test
	void theAnnotationSaysHowManyMayRunAtOnce() {
		this.memory.run((context) -> assertThat(guests(context.getBean(Library.class),
				context.getBean(LockTemplate.class), LockRequest.of("seats").withPermits(2)))
			.isOne());
	}

	@Test
	void thePropertiesSayItBetter() {
		this.memory.withPropertyValues("distributed-lock.locks.seats.permits=4")
			.run((context) -> assertThat(guests(context.getBean(Library.class), context.getBean(LockTemplate.class),
					LockRequest.of("seats")))
				.isEqualTo(3));
	}

	@Test
	void whatDoesNotGoTogetherIsAnErrorAtStartUp() {
		this.memory.withPropertyValues("distributed-lock.locks.desk.permits=2")
			.run((context) -> assertThat(context.getStartupFailure()).rootCause()
				.hasMessageContaining("permits = 2 and fair = true do not go together"));
	}

	/** Counts how many more get in while one is in. */
	private static int guests(Library library, LockTemplate locks, LockRequest seat) {
		return library.sit(() -> {
			List<Lease> guests = new ArrayList<>();
			Optional<Lease> guest = locks.tryAcquire(elsewhere(seat));
			while (guest.isPresent()) {
				guests.add(guest.get());
				guest = locks.tryAcquire(elsewhere(seat));
			}
			guests.forEach(Lease::close);
			return guests.size();
		});
	}

	static class Library {

		@DistributedLock(name = "book", key = "#id", mode = LockMode.READ)
		public boolean read(String id, BooleanSupplier meanwhile) {
			return meanwhile.getAsBoolean();
		}

		@DistributedLock(name = "book", key = "#id")
		public boolean write(String id, BooleanSupplier meanwhile) {
			return meanwhile.getAsBoolean();
		}

		@DistributedLock(name = "seats", permits = "2")
		public int sit(IntSupplier meanwhile) {
			return meanwhile.getAsInt();
		}

		@DistributedLock(name = "desk", fair = "true")
		public void queue() {
		}

	}

}
