package io.distributedlock.boot.autoconfigure.endpoint;

import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import com.jayway.jsonpath.JsonPath;
import io.distributedlock.Lease;
import io.distributedlock.LockContext;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.event.LockEventsAutoConfiguration;
import io.distributedlock.boot.autoconfigure.health.LockHealthContributorAutoConfiguration;
import io.distributedlock.boot.autoconfigure.health.LockHealthIndicator;
import io.distributedlock.boot.autoconfigure.logging.LockLoggingAutoConfiguration;
import io.distributedlock.boot.autoconfigure.metrics.LockMetricsAutoConfiguration;
import io.distributedlock.boot.autoconfigure.observation.LockObservationAutoConfiguration;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spring.event.LockAcquiredEvent;
import io.distributedlock.spring.event.LockLostEvent;
import io.distributedlock.spring.event.LockReleasedEvent;
import io.distributedlock.test.InMemoryLockServer;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.tracing.test.simple.SimpleSpan;
import io.micrometer.tracing.test.simple.SimpleTracer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.health.autoconfigure.actuate.endpoint.HealthEndpointAutoConfiguration;
import org.springframework.boot.health.autoconfigure.contributor.HealthContributorAutoConfiguration;
import org.springframework.boot.health.autoconfigure.registry.HealthContributorRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.MetricsAutoConfiguration;
import org.springframework.boot.micrometer.metrics.autoconfigure.export.prometheus.PrometheusMetricsExportAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.context.event.EventListener;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

/**
 * Two instances of an application over one store: what an operator sees on the one while
 * work waits on the other.
 */
class OperationsEndToEndTests {

	private static final LockRequest STOCK = LockRequest.of("stock", 42).withWaitTime(Duration.ofSeconds(20));

	private static InMemoryLockServer server;

	private EndpointApplication holder;

	private EndpointApplication waiter;

	@BeforeEach
	void start() {
		server = InMemoryLockServer.create();
		this.holder = instance("holder");
		this.waiter = instance("waiter");
	}

	@AfterEach
	void stop() {
		LockContext.leases().forEach(Lease::release);
		this.waiter.close();
		this.holder.close();
	}

	private static EndpointApplication instance(String name) {
		return EndpointApplication.start(List.of(Instance.class),
				"management.endpoints.web.exposure.include=locks,prometheus,health", EndpointApplication.UNRESTRICTED,
				"management.endpoint.health.show-details=always", "distributed-lock.instance-id=" + name);
	}

	@Test
	void aHangingHolderIsFoundAndForcedOutAndTheWaiterGetsTheLock() throws Exception {
		Lease hanging = this.holder.bean(LockTemplate.class).acquire(STOCK);
		CompletableFuture<Lease> waiting = this.waiter.bean(LockTemplate.class).acquireAsync(STOCK);
		// 1. The waiting instance says that somebody waits, and for which key.
		await().untilAsserted(() -> {
			String locks = this.waiter.get("/actuator/locks").body();
			assertThat(JsonPath.<String>read(locks, "$.waiting[0].id")).isEqualTo("stock:42");
			assertThat(JsonPath.<Integer>read(locks, "$.waiting[0].waiters")).isEqualTo(1);
		});
		assertThat(this.waiter.get("/actuator/prometheus").body())
			.contains("lock_waiting{lock_name=\"stock\",store=\"memory\"} 1.0");
		// 2. The store's view names the holder.
		String lock = this.waiter.get("/actuator/locks/stock/42").body();
		String owner = JsonPath.read(lock, "$.stored.holder");
		assertThat(owner).isEqualTo(this.holder.bean(LockInstanceId.class).value());
		assertThat(JsonPath.<String>read(lock, "$.stored.queue[0].instance"))
			.isEqualTo(this.waiter.bean(LockInstanceId.class).value());
		// 3. The holder's own view has the token and the thread.
		String held = this.holder.get("/actuator/locks").body();
		assertThat(JsonPath.<String>read(held, "$.instance")).isEqualTo(owner);
		assertThat(JsonPath.<String>read(held, "$.held[0].owner")).isEqualTo(Thread.currentThread().getName());
		String token = JsonPath.read(held, "$.held[0].token");
		assertThat(token).isEqualTo(Long.toString(hanging.fencingToken()));
		// 4. It is forced out, from the instance where somebody waits.
		HttpResponse<String> forced = this.waiter.delete("/actuator/locks/stock/42?token=" + token);
		assertThat(forced.statusCode()).isEqualTo(200);
		// 5. The waiter has the lock, with a higher token, and the holder knows.
		Lease next = waiting.get(10, TimeUnit.SECONDS);
		assertThat(next.fencingToken()).isGreaterThan(hanging.fencingToken());
		await().untilAsserted(() -> assertThat(this.holder.bean(Heard.class).lost).singleElement()
			.satisfies((event) -> assertThat(event.exception().reason()).isEqualTo(LossReason.FORCE_RELEASED)));
		await().untilAsserted(() -> assertThat(this.holder.get("/actuator/prometheus").body())
			.contains("lock_lost_total{lock_name=\"stock\",reason=\"force_released\",store=\"memory\"} 1.0")
			.contains("lock_held{lock_name=\"stock\",store=\"memory\"} 0.0"));
		assertThat(this.waiter.audits()).singleElement()
			.satisfies((audit) -> assertThat(audit.getData()).containsEntry("result", "RELEASED"));
		await().untilAsserted(
				() -> assertThat(this.holder.get("/actuator/health").body()).contains("\"FORCE_RELEASED\":1"));
		assertThat(this.holder.get("/actuator/health").statusCode()).isEqualTo(200);
		next.close();
		// The old holder may come back to its lease at any time, and harms nobody.
		assertThat(hanging.release()).isFalse();
		assertThat(LockContext.leases()).isEmpty();
	}

	@Test
	void aLostLeaseIsShownByHealthButTakesNoInstanceOutOfService() throws Exception {
		new LockEvents(this.holder.bean(LockHealthIndicator.class)).lost(StubLease.of("stock", 42), LossReason.EXPIRED);
		HttpResponse<String> health = this.holder.get("/actuator/health");
		assertThat(health.statusCode()).isEqualTo(200);
		assertThat(JsonPath.<String>read(health.body(), "$.status")).isEqualTo("UP");
		assertThat(JsonPath.<String>read(health.body(), "$.components.lock.status")).isEqualTo("DEGRADED");
		assertThat(this.holder.get("/actuator/health/lock").statusCode()).isEqualTo(200);
	}

	@Test
	void failingRenewalsTakeTheInstanceDown() throws Exception {
		this.holder.bean(LockHealthIndicator.class).onRenewals("memory", 0, 0, 1);
		HttpResponse<String> health = this.holder.get("/actuator/health");
		assertThat(health.statusCode()).isEqualTo(503);
		assertThat(JsonPath.<String>read(health.body(), "$.components.lock.status")).isEqualTo("DOWN");
	}

	@Test
	void anOrdinarySectionLeavesMetersSpansEventsAndStatistics() throws Exception {
		this.holder.bean(LockTemplate.class).executeWithoutResult(STOCK, (lease) -> {
		});
		MeterRegistry meters = this.holder.bean(MeterRegistry.class);
		assertThat(meters.get("lock.acquire").tag("outcome", "acquired").timer().count()).isEqualTo(1);
		assertThat(meters.get("lock.hold").tag("outcome", "released").timer().count()).isEqualTo(1);
		assertThat(meters.get("lock.held").gauge().value()).isZero();
		assertThat(this.holder.bean(SimpleTracer.class).getSpans()).extracting(SimpleSpan::getName)
			.containsExactly("lock.acquire stock", "lock.hold stock");
		assertThat(this.holder.bean(Heard.class).others).hasExactlyElementsOfTypes(LockAcquiredEvent.class,
				LockReleasedEvent.class);
		assertThat(JsonPath.<Integer>read(this.holder.get("/actuator/locks").body(), "$.statistics[0].acquired"))
			.isEqualTo(1);
	}

	@Test
	void manyCallersLeaveNothingHeldAndNothingWaitingInTheMeters() {
		LockTemplate locks = this.holder.bean(LockTemplate.class);
		List<CompletableFuture<Void>> calls = IntStream.range(0, 200)
			.mapToObj((i) -> CompletableFuture.runAsync(() -> locks.executeWithoutResult(STOCK, (lease) -> {
			}), (call) -> new Thread(call).start()))
			.toList();
		calls.forEach(CompletableFuture::join);
		MeterRegistry meters = this.holder.bean(MeterRegistry.class);
		await().untilAsserted(() -> {
			assertThat(meters.get("lock.held").gauge().value()).isZero();
			assertThat(meters.get("lock.waiting").gauge().value()).isZero();
			assertThat(meters.get("lock.acquire").tag("outcome", "acquired").timer().count()).isEqualTo(200);
			assertThat(meters.get("lock.hold").tag("outcome", "released").timer().count()).isEqualTo(200);
		});
	}

	@Configuration(proxyBeanMethods = false)
	@Import({ EndpointApplication.Web.class, Heard.class })
	@ImportAutoConfiguration({ DistributedLockAutoConfiguration.class, LockEventsAutoConfiguration.class,
			LockHealthContributorAutoConfiguration.class, LockLoggingAutoConfiguration.class,
			LockMetricsAutoConfiguration.class, LockObservationAutoConfiguration.class, MetricsAutoConfiguration.class,
			CompositeMeterRegistryAutoConfiguration.class, PrometheusMetricsExportAutoConfiguration.class,
			HealthContributorAutoConfiguration.class, HealthContributorRegistryAutoConfiguration.class,
			HealthEndpointAutoConfiguration.class })
	static class Instance {

		@Bean
		LockStore store(LockInstanceId instance) {
			return server.connect(instance.value());
		}

		@Bean
		SimpleTracer tracer() {
			return new SimpleTracer();
		}

	}

	static class Heard {

		private final ConcurrentLinkedQueue<LockLostEvent> lost = new ConcurrentLinkedQueue<>();

		private final ConcurrentLinkedQueue<Object> others = new ConcurrentLinkedQueue<>();

		@EventListener
		void on(LockLostEvent event) {
			this.lost.add(event);
		}

		@EventListener({ LockAcquiredEvent.class, LockReleasedEvent.class })
		void on(Object event) {
			this.others.add(event);
		}

	}

}
