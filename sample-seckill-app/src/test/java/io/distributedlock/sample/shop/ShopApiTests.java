package io.distributedlock.sample.shop;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;

import io.distributedlock.Lease;
import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;
import io.distributedlock.sample.Client;
import io.distributedlock.sample.SeckillTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

import org.springframework.beans.factory.annotation.Autowired;
import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for the shop's HTTP interface, on the real application and real servers.
 */
@SeckillTest
class ShopApiTests {

	@LocalServerPort
	private int port;

	@Autowired
	private LockTemplate locks;

	private Client shop;

	@BeforeEach
	void connect() {
		this.shop = new Client(this.port);
	}

	@Test
	void aPurchaseGivesAnOrderAndAToken() {
		this.shop.openSale("api-buy", 2);
		JsonNode first = this.shop.buy("api-buy", "ann").as(201);
		JsonNode second = this.shop.buy("api-buy", "bob").as(201);
		assertThat(second.get("orderId").asLong()).isGreaterThan(first.get("orderId").asLong());
		assertThat(first.get("token").isString()).isTrue();
		assertThat(Long.parseLong(second.get("token").asString()))
			.isGreaterThan(Long.parseLong(first.get("token").asString()));
		JsonNode product = this.shop.product("api-buy");
		assertThat(product.get("stock").asInt()).isZero();
		assertThat(product.get("orders").asInt()).isEqualTo(2);
		assertThat(product.get("fence").asLong()).isEqualTo(Long.parseLong(second.get("token").asString()));
	}

	@Test
	void aPurchaseWithoutTheLockHasNoToken() {
		this.shop.openSale("api-unlocked", 2);
		assertThat(this.shop.buyWithoutLock("api-unlocked", "ann").as(201).get("token").isNull()).isTrue();
		assertThat(this.shop.product("api-unlocked").get("stock").asInt()).isEqualTo(1);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "?lock=false" })
	void aSecondPurchaseByTheSameUserIsRefused(String query) {
		String path = "/api/products/api-twice/orders" + query;
		this.shop.openSale("api-twice", 2);
		this.shop.post(path, "{\"userId\": \"ann\"}").as(201);
		JsonNode problem = this.shop.post(path, "{\"userId\": \"ann\"}").asProblem(409, "bought-already");
		assertThat(problem.get("detail").asString()).contains("ann");
		assertThat(this.shop.product("api-twice").get("orders").asInt()).isEqualTo(1);
	}

	@ParameterizedTest
	@ValueSource(strings = { "", "?lock=false" })
	void aPurchaseBeyondTheStockIsRefused(String query) {
		this.shop.openSale("api-sold-out", 0);
		this.shop.post("/api/products/api-sold-out/orders" + query, "{\"userId\": \"ann\"}").asProblem(409, "sold-out");
	}

	@Test
	void settingTheStockBeginsANewSale() {
		this.shop.openSale("api-again", 1);
		this.shop.buy("api-again", "ann").as(201);
		JsonNode product = this.shop.openSale("api-again", 5);
		assertThat(product.get("stock").asInt()).isEqualTo(5);
		assertThat(product.get("orders").asInt()).isZero();
		this.shop.buy("api-again", "ann").as(201);
	}

	@Test
	void anUnknownProductSaysHowToMakeOne() {
		JsonNode problem = this.shop.get("/api/products/api-none").asProblem(404, "unknown-product");
		assertThat(problem.get("detail").asString()).contains("PUT /api/products/api-none");
		this.shop.buy("api-none", "ann").asProblem(404, "unknown-product");
	}

	@Test
	void aLockThatIsNotHadInTimeIsServiceUnavailableWithRetryAfter() {
		this.shop.openSale("api-busy", 1);
		Lease lease = this.locks.acquireAsync(LockRequest.of(ShopService.STOCK, "api-busy")).join();
		try {
			long start = System.nanoTime();
			Client.Answer answer = this.shop.buy("api-busy", "ann");
			assertThat(answer.asProblem(503, "busy").get("detail").asString()).contains("stock:api-busy");
			assertThat(answer.header("Retry-After")).hasValue("1");
			assertThat(Duration.ofNanos(System.nanoTime() - start)).isBetween(Duration.ofMillis(1900),
					Duration.ofSeconds(15));
		}
		finally {
			lease.release();
		}
		this.shop.buy("api-busy", "ann").as(201);
	}

	@Test
	void aBuyerThatCouldNotBeServedInTimeIsToldSoAtOnce() throws Exception {
		this.shop.openSale("api-shed", 1);
		LockRequest request = LockRequest.of(ShopService.STOCK, "api-shed").withWaitTime(Duration.ofMinutes(1));
		List<CompletableFuture<Lease>> line = new ArrayList<>();
		Lease held = this.locks.acquireAsync(request).join();
		for (int i = 0; i < 10; i++) {
			CompletableFuture<Lease> next = this.locks.acquireAsync(request);
			// Each holds the lock for so long that fifteen of them take longer than a
			// buyer
			// waits.
			Thread.sleep(200);
			held.release();
			held = next.get(30, TimeUnit.SECONDS);
		}
		for (int i = 0; i < 15; i++) {
			line.add(this.locks.acquireAsync(request));
		}
		JsonNode problem = this.shop.buy("api-shed", "ann").asProblem(503, "shed");
		assertThat(problem.get("detail").asString()).contains("stock:api-shed", "predicted wait");
		held.release();
		for (CompletableFuture<Lease> waiting : line) {
			waiting.get(30, TimeUnit.SECONDS).release();
		}
		this.shop.buy("api-shed", "ann").as(201);
	}

	@ParameterizedTest
	@MethodSource
	void aRequestWithoutSenseIsRefused(String path, String body, String expected) {
		Client.Answer answer = path.endsWith("/orders") ? this.shop.post(path, body) : this.shop.put(path, body);
		assertThat(answer.as(400).get("detail").asString()).contains(expected);
		assertThat(answer.header("Content-Type")).hasValue("application/problem+json");
	}

	static Stream<Object[]> aRequestWithoutSenseIsRefused() {
		return Stream.of(new Object[] { "/api/products/x/orders", "{}", "userId must have 1 to 64 characters" },
				new Object[] { "/api/products/x/orders", "{\"userId\": \" \"}", "userId must have 1 to 64" },
				new Object[] { "/api/products/x/orders", "{\"userId\"", "Failed to read request" },
				new Object[] { "/api/products/" + "x".repeat(65), "{\"stock\": 1}", "product id must have" },
				new Object[] { "/api/products/x", "{\"stock\": -1}", "stock must be a number from 0" },
				new Object[] { "/api/products/x", "{}", "stock must be a number from 0" });
	}

	@Test
	void theLocksAreShownByTheActuator() {
		this.shop.openSale("api-actuator", 1);
		Lease lease = this.locks.acquireAsync(LockRequest.of(ShopService.STOCK, "api-actuator")).join();
		try {
			JsonNode held = this.shop.get("/actuator/locks").as(200).get("held");
			assertThat(held.valueStream().map((lock) -> lock.get("id").asString())).contains("stock:api-actuator");
			JsonNode stored = this.shop.get("/actuator/locks/stock/api-actuator").as(200).get("stored");
			assertThat(stored.get("state").asString()).isEqualTo("HELD");
		}
		finally {
			lease.release();
		}
	}

}
