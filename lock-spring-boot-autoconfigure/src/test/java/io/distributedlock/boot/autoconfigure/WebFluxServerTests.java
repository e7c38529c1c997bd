package io.distributedlock.boot.autoconfigure;

import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;

import io.distributedlock.Lease;
import io.distributedlock.LockInspector;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import io.distributedlock.spring.DistributedLock;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.Test;
import reactor.core.Disposable;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.DisposableServer;
import reactor.netty.http.server.HttpServer;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.autoconfigure.aop.AopAutoConfiguration;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.MediaType;
import org.springframework.http.server.reactive.ReactorHttpHandlerAdapter;
import org.springframework.web.bind.annotation.GetMapping;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.RestController;
import org.springframework.web.reactive.config.EnableWebFlux;
import org.springframework.web.server.adapter.WebHttpHandlerBuilder;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Locked methods of controllers behind a real server of Reactor Netty.
 */
class WebFluxServerTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(AopAutoConfiguration.class, MemoryLockStoreAutoConfiguration.class,
				DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class,
				ReactiveLockAutoConfiguration.class))
		.withUserConfiguration(Web.class)
		.withPropertyValues("distributed-lock.store=memory", "distributed-lock.wait-time=1m");

	@Test
	void requestsThatComeTogetherAreServedOneAfterTheOther() {
		serve((context, port) -> {
			HttpClient client = HttpClient.newHttpClient();
			List<CompletableFuture<HttpResponse<String>>> sales = IntStream.range(0, 30)
				.mapToObj((i) -> client.sendAsync(get(port, "/sell/42"), HttpResponse.BodyHandlers.ofString()))
				.toList();
			for (CompletableFuture<HttpResponse<String>> sale : sales) {
				HttpResponse<String> response = sale.get(60, TimeUnit.SECONDS);
				assertThat(response.statusCode()).isEqualTo(200);
				assertThat(response.body()).isEqualTo("sold 42");
			}
			Shop shop = context.getBean(Shop.class);
			assertThat(shop.sold()).isEqualTo(30);
			assertThat(shop.overlaps()).isZero();
			eventually().untilAsserted(() -> assertThat(inspector(context).held()).isEmpty());
		});
	}

	@Test
	void clientThatDisconnectsWhileItsRequestIsServedReleasesTheLock() {
		serve((context, port) -> {
			Disposable request = request(port, "/never");
			eventually().until(() -> inspector(context).held().size() == 1);
			request.dispose();
			eventually().until(() -> inspector(context).held().isEmpty());
		});
	}

	@Test
	void clientThatDisconnectsWhileItsRequestWaitsGivesUp() {
		serve((context, port) -> {
			Lease lease = context.getBean(LockTemplate.class).acquire(LockRequest.of("stock", "42"));
			Disposable request = request(port, "/sell/42");
			eventually().until(() -> !inspector(context).waiting().isEmpty());
			request.dispose();
			eventually().until(() -> inspector(context).waiting().isEmpty());
			lease.release();
			eventually().until(() -> inspector(context).held().isEmpty());
			assertThat(context.getBean(Shop.class).sold()).isZero();
		});
	}

	@Test
	void lockIsHeldWhileAStreamIsSentAndReleasedWhenItsClientDisconnects() {
		serve((context, port) -> {
			AtomicInteger received = new AtomicInteger();
			Disposable request = reactor.netty.http.client.HttpClient.create()
				.get()
				.uri("http://127.0.0.1:" + port + "/prices")
				.responseContent()
				.doOnNext((buffer) -> received.incrementAndGet())
				.subscribe((buffer) -> {
				}, (failure) -> {
				});
			eventually().until(() -> received.get() >= 2);
			assertThat(inspector(context).held()).hasSize(1);
			request.dispose();
			eventually().until(() -> inspector(context).held().isEmpty());
		});
	}

	private void serve(Client client) {
		this.runner.run((context) -> {
			DisposableServer server = HttpServer.create()
				.host("127.0.0.1")
				.port(0)
				.handle(new ReactorHttpHandlerAdapter(WebHttpHandlerBuilder.applicationContext(context).build()))
				.bindNow();
			try {
				client.use(context, server.port());
			}
			finally {
				server.disposeNow();
			}
		});
	}

	private static HttpRequest get(int port, String path) {
		return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path)).build();
	}

	private static Disposable request(int port, String path) {
		return reactor.netty.http.client.HttpClient.create()
			.get()
			.uri("http://127.0.0.1:" + port + path)
			.response()
			.subscribe((response) -> {
			}, (failure) -> {
			});
	}

	private static LockInspector inspector(ApplicationContext context) {
		return context.getBean(LockInspector.class);
	}

	private static ConditionFactory eventually() {
		return Awaitility.await().pollInterval(Duration.ofMillis(5)).atMost(Duration.ofSeconds(30));
	}

	private interface Client {

		void use(ApplicationContext context, int port) throws Exception;

	}

	@EnableWebFlux
	@Configuration(proxyBeanMethods = false)
	static class Web {

		@Bean
		Shop shop() {
			return new Shop();
		}

	}

	@RestController
	static class Shop {

		private final AtomicInteger inside = new AtomicInteger();

		private final AtomicInteger overlaps = new AtomicInteger();

		private final AtomicInteger sold = new AtomicInteger();

		// Methods, since the fields of a proxy are not those of its target.
		int overlaps() {
			return this.overlaps.get();
		}

		int sold() {
			return this.sold.get();
		}

		@GetMapping("/sell/{id}")
		@DistributedLock(name = "stock", key = "#id")
		public Mono<String> sell(@PathVariable("id") String id) {
			if (this.inside.incrementAndGet() > 1) {
				this.overlaps.incrementAndGet();
			}
			return Mono.delay(Duration.ofMillis(5)).map((tick) -> {
				this.inside.decrementAndGet();
				this.sold.incrementAndGet();
				return "sold " + id;
			});
		}

		@GetMapping("/never")
		@DistributedLock(name = "never")
		public Mono<String> never() {
			return Mono.never();
		}

		@GetMapping(path = "/prices", produces = MediaType.TEXT_EVENT_STREAM_VALUE)
		@DistributedLock(name = "prices")
		public Flux<String> prices() {
			return Flux.interval(Duration.ofMillis(10)).onBackpressureDrop().map((tick) -> "price " + tick);
		}

	}

}
