package io.distributedlock.engine;

import java.time.Duration;
import java.util.List;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockLostException;
import io.distributedlock.LockRequest;
import io.distributedlock.LockStoreException;
import io.distributedlock.spi.StoreException;
import io.distributedlock.test.CommandKind;
import io.distributedlock.test.Fault;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

/**
 * What a blocked caller gets shows where it was called, though another thread noticed the
 * failure: a log that has nothing but the stack trace tells whose it is.
 */
class CallersStackTraceTests extends EngineFixture {

	@Test
	void outageThatAnotherThreadNoticedHasTheFramesOfTheBlockedCaller() {
		this.faults.otherwise((kind) -> Fault.dropRequest());
		assertIsOfCaller(outage(() -> nightlyReport(stock().withWaitTime(Duration.ZERO))));
	}

	@Test
	void outageOfSeveralLocksHasTheFramesOfTheBlockedCaller() {
		this.faults.otherwise((kind) -> Fault.dropRequest());
		List<LockRequest> requests = List.of(stock().withWaitTime(Duration.ZERO),
				LockRequest.of("order", 1).withWaitTime(Duration.ZERO));
		assertIsOfCaller(outage(() -> nightlyReport(requests)));
	}

	@Test
	void outageOfAnExtensionHasTheFramesOfTheBlockedCaller() {
		Lease lease = this.engine.acquire(stock().withTtl(Duration.ofSeconds(10)));
		this.faults.otherwise((kind) -> (kind == CommandKind.RENEW) ? Fault.dropRequest() : Fault.none());
		assertIsOfCaller(outage(() -> nightlyReport(lease)));
	}

	@Test
	void lossThatAnExtensionFindsHasTheFramesOfTheBlockedCaller() {
		Lease lease = this.engine.acquire(stock().withTtl(Duration.ofSeconds(10)));
		this.faults.loseSignals(() -> true);
		otherJvm("operator").forceRelease(key(), null, lease.fencingToken());
		this.faults
			.otherwise((kind) -> (kind == CommandKind.RENEW) ? Fault.delay(Duration.ofMillis(20)) : Fault.none());
		LockLostException loss = catchThrowableOfType(LockLostException.class, () -> nightlyReport(lease));
		assertThat(loss.getStackTrace()).extracting(StackTraceElement::getMethodName).contains("nightlyReport");
	}

	private void nightlyReport(LockRequest request) {
		this.engine.acquire(request);
	}

	private void nightlyReport(List<LockRequest> requests) {
		this.engine.acquireAll(requests);
	}

	private static void nightlyReport(Lease lease) {
		lease.extend(Duration.ofSeconds(60));
	}

	private static LockStoreException outage(ThrowingCallable call) {
		return catchThrowableOfType(LockStoreException.class, call);
	}

	private static void assertIsOfCaller(LockStoreException outage) {
		assertThat(outage.getStackTrace()).extracting(StackTraceElement::getMethodName).contains("nightlyReport");
		assertThat(outage).hasCauseInstanceOf(StoreException.class).hasMessageStartingWith("Lock '");
		assertThat(outage.key()).extracting(LockKey::name).isIn("stock", "order");
	}

}
