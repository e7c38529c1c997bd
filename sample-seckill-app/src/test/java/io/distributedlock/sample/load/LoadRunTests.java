package io.distributedlock.sample.load;

import java.util.List;

import io.distributedlock.sample.Client;
import io.distributedlock.sample.SeckillTest;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;

import org.springframework.boot.test.web.server.LocalServerPort;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for load runs, on the real application and real servers.
 */
@SeckillTest
class LoadRunTests {

	@LocalServerPort
	private int port;

	private Client shop;

	@BeforeEach
	void connect() {
		this.shop = new Client(this.port);
	}

	@Test
	void aRunWithTheLockSellsExactlyTheStockAndNobodyGetsTwo() {
		JsonNode result = this.shop
			.run("""
					{"productId": "run-locked", "stock": 50, "users": 300, "concurrency": 32, "clicks": 2, "lock": true}""");
		assertThat(result.get("state").asString()).isEqualTo("DONE");
		assertThat(result.get("done").asInt()).isEqualTo(600);
		JsonNode outcomes = result.get("outcomes");
		assertThat(outcomes.get("ORDERED").asInt()).isEqualTo(50);
		assertThat(outcomes.get("FAILED").asInt()).as(result.toString()).isZero();
		assertThat(outcomes.get("STALE").asInt()).isZero();
		assertThat(outcomes.valueStream().mapToInt(JsonNode::asInt).sum()).isEqualTo(600);
		JsonNode product = result.get("product");
		assertThat(product.get("orders").asInt()).isEqualTo(50);
		assertThat(product.get("stock").asInt()).isZero();
		assertThat(product.get("oversold").asInt()).isZero();
		assertThat(product.get("buyersTwice").asInt()).isZero();
	}

	@Test
	void aRunWithoutTheLockOversells() {
		JsonNode result = this.shop.run("""
				{"productId": "run-unlocked", "stock": 50, "users": 300, "concurrency": 32, "clicks": 2,
				 "lock": false}""");
		JsonNode product = result.get("product");
		assertThat(product.get("oversold").asInt()).isPositive();
		assertThat(product.get("orders").asInt()).isEqualTo(50 + product.get("oversold").asInt());
		assertThat(result.get("outcomes").get("ORDERED").asInt()).isEqualTo(product.get("orders").asInt());
		assertThat(product.get("buyersTwice").asInt()).isPositive();
	}

	@Test
	void progressIsSentWhileItRunsAndTheResultAtTheEnd() {
		JsonNode started = this.shop.post("/api/runs", """
				{"productId": "run-progress", "stock": 10, "users": 4000, "concurrency": 8}""").as(201);
		List<Client.Event> events = this.shop.follow(started.get("id").asString());
		assertThat(events).hasSizeGreaterThan(1);
		assertThat(events.subList(0, events.size() - 1)).allSatisfy((event) -> {
			assertThat(event.name()).isEqualTo("progress");
			assertThat(event.data().get("state").asString()).isEqualTo("RUNNING");
		});
		assertThat(events).extracting((event) -> event.data().get("done").asInt()).isSorted();
		JsonNode result = events.get(events.size() - 1).data();
		assertThat(result.get("done").asInt()).isEqualTo(4000);
		assertThat(result.get("perSecond").asDouble()).isPositive();
		JsonNode latency = result.get("latencyMillis");
		assertThat(latency.get("p50").asDouble()).isPositive();
		assertThat(List.of(latency.get("p50").asDouble(), latency.get("p90").asDouble(), latency.get("p99").asDouble(),
				latency.get("max").asDouble()))
			.isSorted();
		assertThat(this.shop.get("/api/runs/" + started.get("id").asString()).as(200)).isEqualTo(result);
		assertThat(this.shop.get("/api/runs").as(200).get(0)).isEqualTo(result);
	}

	@Test
	void oneRunAtATimeStormsAProductAndItCanBeStopped() {
		JsonNode first = this.shop.post("/api/runs", """
				{"productId": "run-one", "stock": 10, "users": 100000, "concurrency": 4}""").as(201);
		this.shop.post("/api/runs", "{\"productId\": \"run-one\"}").asProblem(409, "run-in-progress");
		this.shop.delete("/api/runs/" + first.get("id").asString()).as(200);
		List<Client.Event> events = this.shop.follow(first.get("id").asString());
		JsonNode result = events.get(events.size() - 1).data();
		assertThat(result.get("state").asString()).isEqualTo("CANCELLED");
		assertThat(result.get("done").asInt()).isLessThan(100_000);
		this.shop.run("{\"productId\": \"run-one\", \"stock\": 1, \"users\": 2}");
	}

	@ParameterizedTest
	@ValueSource(strings = { "http://example.org", "http://192.168.0.1:8080", "https://127.0.0.1:8080",
			"http://127.0.0.1.example.org", "http://user@127.0.0.1:8080", "http://127.0.0.1:8080/elsewhere",
			"http://localhost.example.org:80" })
	void onlyInstancesOnThisMachineAreStormed(String target) {
		JsonNode problem = this.shop.post("/api/runs", "{\"targets\": [\"" + target + "\"]}")
			.asProblem(400, "invalid-request");
		assertThat(problem.get("detail").asString()).contains(target).contains("is not on this machine");
	}

	@ParameterizedTest
	@CsvSource({ "users, 0", "users, 100001", "concurrency, 0", "concurrency, 513", "stock, -1", "clicks, 6" })
	void numbersOutOfRangeAreRefused(String property, int value) {
		JsonNode problem = this.shop.post("/api/runs", "{\"" + property + "\": " + value + "}")
			.asProblem(400, "invalid-request");
		assertThat(problem.get("detail").asString()).startsWith(property + " is " + value);
	}

	@Test
	void anUnknownRunIsNotFound() {
		this.shop.get("/api/runs/4711").asProblem(404, "unknown-run");
	}

	@Test
	void anInstanceThatDoesNotAnswerIsShownAsFailure() {
		JsonNode result = this.shop.run("""
				{"productId": "run-down", "users": 4, "concurrency": 2, "targets": ["http://127.0.0.1:1"]}""");
		assertThat(result.get("outcomes").get("FAILED").asInt()).isEqualTo(4);
		assertThat(result.get("failure").asString()).contains("http://127.0.0.1:1 did not answer");
	}

}
