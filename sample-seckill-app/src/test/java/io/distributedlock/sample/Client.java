package io.distributedlock.sample;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Talks to one instance of the sample over HTTP.
 */
public final class Client {

	private static final JsonMapper JSON = new JsonMapper();

	private final HttpClient http = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

	private final URI base;

	public Client(int port) {
		this.base = URI.create("http://127.0.0.1:" + port);
	}

	public URI base() {
		return this.base;
	}

	public Answer get(String path) {
		return send(request(path).GET());
	}

	public Answer delete(String path) {
		return send(request(path).DELETE());
	}

	public Answer put(String path, String body) {
		return send(request(path).PUT(HttpRequest.BodyPublishers.ofString(body)));
	}

	public Answer post(String path, String body) {
		return send(request(path).POST(HttpRequest.BodyPublishers.ofString(body)));
	}

	public JsonNode openSale(String productId, int stock) {
		return put("/api/products/" + productId, "{\"stock\": " + stock + "}").as(200);
	}

	public Answer buy(String productId, String userId) {
		return post("/api/products/" + productId + "/orders", "{\"userId\": \"" + userId + "\"}");
	}

	public Answer buyWithoutLock(String productId, String userId) {
		return post("/api/products/" + productId + "/orders?lock=false", "{\"userId\": \"" + userId + "\"}");
	}

	public JsonNode product(String productId) {
		return get("/api/products/" + productId).as(200);
	}

	/**
	 * Starts a load run and waits for its end.
	 * @param body the request
	 * @return the result
	 */
	public JsonNode run(String body) {
		JsonNode started = post("/api/runs", body).as(201);
		List<Event> events = follow(started.get("id").asString());
		Event last = events.get(events.size() - 1);
		assertThat(last.name()).isEqualTo("result");
		return last.data();
	}

	/**
	 * Follows a run to its end.
	 * @param runId which run
	 * @return all events
	 */
	public List<Event> follow(String runId) {
		HttpRequest request = HttpRequest.newBuilder(this.base.resolve("/api/runs/" + runId))
			.header("Accept", "text/event-stream")
			.timeout(Duration.ofMinutes(2))
			.build();
		try {
			HttpResponse<String> response = this.http.send(request, HttpResponse.BodyHandlers.ofString());
			assertThat(response.headers().firstValue("Content-Type").orElse("")).startsWith("text/event-stream");
			return Stream.of(response.body().split("\n\n"))
				.filter((text) -> !text.isBlank())
				.map(Event::parse)
				.toList();
		}
		catch (IOException ex) {
			throw new AssertionError("The event stream broke", ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError("Interrupted", ex);
		}
	}

	private HttpRequest.Builder request(String path) {
		return HttpRequest.newBuilder(this.base.resolve(path))
			.timeout(Duration.ofMinutes(1))
			.header("Content-Type", "application/json")
			.header("Accept", "application/json, */*;q=0.5");
	}

	private Answer send(HttpRequest.Builder request) {
		try {
			return new Answer(this.http.send(request.build(), HttpResponse.BodyHandlers.ofString()));
		}
		catch (IOException ex) {
			throw new AssertionError("No answer from " + this.base, ex);
		}
		catch (InterruptedException ex) {
			Thread.currentThread().interrupt();
			throw new AssertionError("Interrupted", ex);
		}
	}

	/**
	 * An HTTP answer.
	 *
	 * @param response the response
	 */
	public record Answer(HttpResponse<String> response) {

		public int status() {
			return this.response.statusCode();
		}

		public Optional<String> header(String name) {
			return this.response.headers().firstValue(name);
		}

		public JsonNode as(int expectedStatus) {
			assertThat(status()).as(this.response.body()).isEqualTo(expectedStatus);
			return JSON.readTree(this.response.body());
		}

		public JsonNode asProblem(int expectedStatus, String type) {
			JsonNode problem = as(expectedStatus);
			assertThat(header("Content-Type")).hasValue("application/problem+json");
			assertThat(problem.get("type").asString()).isEqualTo("urn:seckill:" + type);
			assertThat(problem.get("status").asInt()).isEqualTo(expectedStatus);
			return problem;
		}

	}

	/**
	 * A server-sent event.
	 *
	 * @param name its name
	 * @param data its data
	 */
	public record Event(String name, JsonNode data) {

		static Event parse(String text) {
			String name = "";
			StringBuilder data = new StringBuilder();
			for (String line : text.split("\n")) {
				if (line.startsWith("event:")) {
					name = line.substring("event:".length()).strip();
				}
				else if (line.startsWith("data:")) {
					data.append(line.substring("data:".length()));
				}
			}
			return new Event(name, JSON.readTree(data.toString()));
		}

	}

}
