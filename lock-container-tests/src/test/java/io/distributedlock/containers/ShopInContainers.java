package io.distributedlock.containers;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;

import io.distributedlock.Lease;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.containers.Shop.Stock;
import io.distributedlock.engine.LockEngine;
import io.distributedlock.spi.LockStore;
import org.junit.jupiter.api.Test;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.boot.test.context.SpringBootTest.WebEnvironment;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * An application whose connection details come from a container, beside another instance
 * that is connected to the container by hand.
 */
@SpringBootTest(classes = Shop.class, webEnvironment = WebEnvironment.NONE)
abstract class ShopInContainers {

	private static final int BUYERS = 100;

	@Autowired
	private Stock stock;

	@Autowired
	private LockTemplate locks;

	/**
	 * Connects another instance to the server in the container.
	 */
	abstract LockStore otherInstance();

	@Test
	void anAnnotatedMethodLosesNoOrder() throws Exception {
		int before = this.stock.sold();
		ExecutorService executor = Executors.newFixedThreadPool(8);
		try {
			Callable<Long> buyer = () -> this.stock.sell("phone");
			List<Future<Long>> orders = executor.invokeAll(Stream.generate(() -> buyer).limit(BUYERS).toList());
			for (Future<Long> order : orders) {
				assertThat(order.get()).isPositive();
			}
		}
		finally {
			executor.shutdownNow();
		}
		assertThat(this.stock.sold()).isEqualTo(before + BUYERS);
	}

	@Test
	void theApplicationAndAnotherInstanceExcludeEachOtherInTheContainer() {
		LockRequest request = LockRequest.of("stock", "shared").withWaitTime(Duration.ZERO);
		try (LockEngine other = LockEngine.builder().store(otherInstance()).build()) {
			try (Lease lease = this.locks.acquire(request)) {
				assertThat(other.tryAcquire(request)).isEmpty();
				assertThat(lease.isHeld()).isTrue();
			}
			try (Lease lease = other.acquire(request)) {
				assertThat(this.locks.tryAcquire(request)).isEmpty();
				assertThat(lease.isHeld()).isTrue();
			}
		}
	}

}
