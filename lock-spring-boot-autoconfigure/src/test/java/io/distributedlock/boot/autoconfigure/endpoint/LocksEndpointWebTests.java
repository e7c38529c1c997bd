package io.distributedlock.boot.autoconfigure.endpoint;

import java.net.http.HttpResponse;
import java.util.List;

import com.jayway.jsonpath.JsonPath;
import io.distributedlock.LockKey;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The endpoint over HTTP, with force-release permitted.
 */
class LocksEndpointWebTests {

	private static EndpointApplication application;

	@BeforeAll
	static void start() {
		application = EndpointApplication.start(EndpointApplication.EXPOSED, EndpointApplication.UNRESTRICTED,
				"spring.web.error.include-message=always");
	}

	@AfterAll
	static void stop() {
		application.close();
	}

	@BeforeEach
	void clear() {
		application.locks().clear();
	}

	@Test
	void theLocksOfThisInstanceAreJson() throws Exception {
		application.locks().heldHere(LockKey.of("stock", 42), 17);
		HttpResponse<String> response = application.get("/actuator/locks");
		assertThat(response.statusCode()).isEqualTo(200);
		assertThat(JsonPath.<String>read(response.body(), "$.instance")).isEqualTo("app-1");
		assertThat(JsonPath.<Integer>read(response.body(), "$.heldCount")).isEqualTo(1);
		assertThat(JsonPath.<String>read(response.body(), "$.held[0].id")).isEqualTo("stock:42");
		assertThat(JsonPath.<String>read(response.body(), "$.held[0].key[0]")).isEqualTo("42");
		assertThat(JsonPath.<String>read(response.body(), "$.held[0].token")).isEqualTo("17");
		assertThat(JsonPath.<String>read(response.body(), "$.held[0].held")).isEqualTo("PT5S");
	}

	@Test
	void eachSegmentAfterTheNameIsAPartOfTheKey() throws Exception {
		application.locks().heldElsewhere(LockKey.of("stock", "eu", "42,43"));
		HttpResponse<String> response = application.get("/actuator/locks/stock/eu/42,43");
		assertThat(response.statusCode()).isEqualTo(200);
		assertThat(JsonPath.<String>read(response.body(), "$.stored.state")).isEqualTo("HELD");
		assertThat(JsonPath.<String>read(response.body(), "$.stored.holder")).isEqualTo("app-2");
		assertThat(JsonPath.<String>read(response.body(), "$.stored.queue[0].instance")).isEqualTo("app-3");
	}

	@Test
	void aNameAloneIsTheLockWithoutAKey() throws Exception {
		application.locks().heldElsewhere(LockKey.of("nightly"));
		assertThat(application.get("/actuator/locks/nightly").statusCode()).isEqualTo(200);
	}

	@Test
	void aKeyWithSpacesAndUmlautsIsDecoded() throws Exception {
		application.locks().heldElsewhere(LockKey.of("stock", "größe 1"));
		assertThat(application.get("/actuator/locks/stock/gr%C3%B6%C3%9Fe%201").statusCode()).isEqualTo(200);
	}

	@Test
	void aKeyWithASlashIsGivenAsParameter() throws Exception {
		application.locks().heldElsewhere(LockKey.of("stock", "a/b", "c"));
		assertThat(application.get("/actuator/locks/stock?key=a%252Fb:c").statusCode()).isEqualTo(200);
	}

	@Test
	void aLockThatNobodyKnowsIsNotFound() throws Exception {
		application.locks().stores = List.of("redis", "etcd");
		assertThat(application.get("/actuator/locks/stock/42").statusCode()).isEqualTo(404);
	}

	@Test
	void aStoreThatGivesNoAnswerIsUnavailable() throws Exception {
		HttpResponse<String> response = application.get("/actuator/locks/stock/42?store=broken");
		assertThat(response.statusCode()).isEqualTo(503);
		assertThat(JsonPath.<String>read(response.body(), "$.error")).contains("no answer");
	}

	@Test
	void aLockThatAStoreWithoutAnAnswerMayHaveIsNotSaidToBeUnknown() throws Exception {
		assertThat(application.get("/actuator/locks/stock/42").statusCode()).isEqualTo(503);
	}

	@Test
	void anUnknownStoreIsABadRequestThatNamesTheOthers() throws Exception {
		HttpResponse<String> response = application.get("/actuator/locks/stock/42?store=mongo");
		assertThat(response.statusCode()).isEqualTo(400);
		assertThat(response.body()).contains("mongo", "redis");
	}

	@Test
	void forceReleaseWithACurrentTokenTakesTheLockAway() throws Exception {
		application.locks().heldElsewhere(LockKey.of("stock", 42));
		int audits = application.audits().size();
		HttpResponse<String> response = application.delete("/actuator/locks/stock/42?token=15");
		assertThat(response.statusCode()).isEqualTo(200);
		assertThat(JsonPath.<String>read(response.body(), "$.result")).isEqualTo("RELEASED");
		assertThat(application.locks().stored).isEmpty();
		assertThat(application.audits()).hasSize(audits + 1);
		assertThat(application.audits().get(audits).getPrincipal()).isEqualTo("anonymous");
	}

	@Test
	void forceReleaseWithAnOldTokenIsAConflictThatShowsTheCurrentOne() throws Exception {
		application.locks().heldElsewhere(LockKey.of("stock", 42));
		HttpResponse<String> response = application.delete("/actuator/locks/stock/42?token=9");
		assertThat(response.statusCode()).isEqualTo(409);
		assertThat(JsonPath.<String>read(response.body(), "$.lock.stored.firstToken")).isEqualTo("10");
		assertThat(application.locks().stored).hasSize(1);
	}

	@Test
	void forceReleaseOfAFreeLockIsNotFound() throws Exception {
		application.locks().stores = List.of("redis", "etcd");
		assertThat(application.delete("/actuator/locks/stock/42?token=9").statusCode()).isEqualTo(404);
	}

	@Test
	void forceReleaseWithoutAnAnswerIsUnavailable() throws Exception {
		assertThat(application.delete("/actuator/locks/stock/42?token=9&store=broken").statusCode()).isEqualTo(503);
	}

	@Test
	void forceReleaseWithoutAUsableTokenIsABadRequest() throws Exception {
		application.locks().heldElsewhere(LockKey.of("stock", 42));
		assertThat(application.delete("/actuator/locks/stock/42").statusCode()).isEqualTo(400);
		assertThat(application.delete("/actuator/locks/stock/42?token=all").statusCode()).isEqualTo(400);
		assertThat(application.locks().stored).hasSize(1);
	}

}
