package io.distributedlock.boot.autoconfigure.endpoint;

import java.io.IOException;
import java.net.http.HttpResponse;
import java.util.List;

import com.jayway.jsonpath.JsonPath;
import io.distributedlock.boot.autoconfigure.DistributedLockAspectAutoConfiguration;
import io.distributedlock.boot.autoconfigure.DistributedLockAutoConfiguration;
import io.distributedlock.boot.autoconfigure.redis.RedisLockStoreAutoConfiguration;
import io.distributedlock.store.redis.server.RedisServerProcess;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.data.redis.autoconfigure.DataRedisAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * The endpoint of an application that runs without locks, and so without a store.
 */
@ExtendWith(OutputCaptureExtension.class)
class LocksEndpointWithoutStoreTests {

	@Test
	void redisOutOfReachIsUnavailableAndSaysWhy(CapturedOutput output) throws Exception {
		int nowhere = RedisServerProcess.freePort();
		try (EndpointApplication application = start(RedisApplication.class, "spring.data.redis.host=127.0.0.1",
				"spring.data.redis.port=" + nowhere)) {
			String address = "127.0.0.1:" + nowhere;
			assertUnavailable(application.get("/actuator/locks"), "$.error", address);
			assertUnavailable(application.get("/actuator/locks/stock/42"), "$.error", address);
			assertUnavailable(application.delete("/actuator/locks/stock/42?token=1"), "$.lock.error", address);
			assertThat(application.get("/actuator/locks/stock?key=~abc").statusCode()).isEqualTo(400);
		}
		assertThat(output).doesNotContain("\tat ");
	}

	@Test
	void noStoreAtAllIsUnavailableAndSaysWhy() throws Exception {
		try (EndpointApplication application = start(Locks.class)) {
			assertUnavailable(application.get("/actuator/locks"), "$.error", "There is no lock store");
		}
	}

	@Test
	void redisThatComesBackIsFound() throws Exception {
		int port = RedisServerProcess.freePort();
		try (EndpointApplication application = start(RedisApplication.class, "spring.data.redis.host=127.0.0.1",
				"spring.data.redis.port=" + port)) {
			assertThat(application.get("/actuator/locks").statusCode()).isEqualTo(503);
			try (RedisServerProcess redis = RedisServerProcess.startOn(port)) {
				assertThat(redis).isNotNull();
				assertThat(application.get("/actuator/locks").statusCode()).isEqualTo(200);
			}
		}
	}

	private static EndpointApplication start(Class<?> source, String... properties) {
		String[] all = new String[properties.length + 3];
		System.arraycopy(properties, 0, all, 3, properties.length);
		all[0] = EndpointApplication.EXPOSED;
		all[1] = EndpointApplication.UNRESTRICTED;
		all[2] = "distributed-lock.enabled=false";
		return EndpointApplication.start(List.of(source), all);
	}

	private static void assertUnavailable(HttpResponse<String> response, String path, String why) throws IOException {
		assertThat(response.statusCode()).isEqualTo(503);
		assertThat(JsonPath.<String>read(response.body(), path)).startsWith("This instance has no locks: ")
			.contains(why);
	}

	@Configuration(proxyBeanMethods = false)
	@Import(EndpointApplication.Web.class)
	@ImportAutoConfiguration({ DistributedLockAutoConfiguration.class, DistributedLockAspectAutoConfiguration.class })
	static class Locks {

	}

	@Configuration(proxyBeanMethods = false)
	@Import(Locks.class)
	@ImportAutoConfiguration({ DataRedisAutoConfiguration.class, RedisLockStoreAutoConfiguration.class })
	static class RedisApplication {

	}

}
