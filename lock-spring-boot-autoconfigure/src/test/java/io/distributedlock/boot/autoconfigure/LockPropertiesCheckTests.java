package io.distributedlock.boot.autoconfigure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

import io.distributedlock.boot.autoconfigure.memory.MemoryLockStoreAutoConfiguration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.context.properties.source.ConfigurationPropertyName;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.boot.diagnostics.FailureAnalyzer;
import org.springframework.boot.test.context.ConfigDataApplicationContextInitializer;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.env.StandardEnvironment;
import org.springframework.core.env.SystemEnvironmentPropertySource;
import org.springframework.core.io.ClassPathResource;
import org.springframework.core.io.support.SpringFactoriesLoader;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Tests for {@link LockPropertiesCheck}.
 */
@ExtendWith(OutputCaptureExtension.class)
class LockPropertiesCheckTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner().withConfiguration(
			AutoConfigurations.of(MemoryLockStoreAutoConfiguration.class, DistributedLockAutoConfiguration.class));

	private final ApplicationContextRunner memory = this.runner.withPropertyValues("distributed-lock.store=memory");

	private static ApplicationContextRunner withEnvironment(ApplicationContextRunner runner,
			Map<String, Object> variables) {
		return runner.withInitializer((context) -> context.getEnvironment()
			.getPropertySources()
			.replace(StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, new SystemEnvironmentPropertySource(
					StandardEnvironment.SYSTEM_ENVIRONMENT_PROPERTY_SOURCE_NAME, variables)));
	}

	@ParameterizedTest
	@CsvSource({ "locks.stock.wait-tme, locks.stock.wait-time", "locks.stock.tll, locks.stock.ttl",
			"locks.stock.permit, locks.stock.permits", "locks.stock.on-outtage, locks.stock.on-outage",
			"locks.stock.adaptive-ttl.mim, locks.stock.adaptive-ttl.min",
			"locks.stock.adaptivettl.enable, locks.stock.adaptivettl.enabled",
			"locks.[Shop.buy].renw, locks[Shop.buy].renew", "wait-tmie, wait-time", "redis.prefx, redis.prefix",
			"jdbc.tabel, jdbc.table", "jdbc.initialise-schema, jdbc.initialize-schema",
			"cache.on-failur, cache.on-failure", "redlock.ssl.bundel, redlock.ssl.bundle",
			"shutdwon.timeout, shutdown.timeout" })
	void aMisspeltPropertyFailsTheStartWithTheNearestName(String misspelt, String meant) {
		this.memory.withPropertyValues("distributed-lock." + misspelt + "=1").run((context) -> {
			assertThat(context).hasFailed();
			assertThat(context.getStartupFailure()).isInstanceOf(UnknownLockPropertyException.class)
				.hasMessageContaining("Did you mean 'distributed-lock." + meant + "'?");
		});
	}

	@Test
	void allMisspeltPropertiesAreShownWithTheirPlaceByAFailureAnalyzer() {
		this.runner.withInitializer(new ConfigDataApplicationContextInitializer())
			.withPropertyValues("spring.config.location=classpath:/misspelt.yml",
					"distributed-lock.locks.stock.fairr=true")
			.run((context) -> {
				assertThat(context).hasFailed();
				Throwable failure = context.getStartupFailure();
				FailureAnalysis analysis = SpringFactoriesLoader.forDefaultResourceLocation(getClass().getClassLoader())
					.load(FailureAnalyzer.class, (type, name, unavailable) -> {
					})
					.stream()
					.filter(UnknownLockPropertyFailureAnalyzer.class::isInstance)
					.findFirst()
					.orElseThrow()
					.analyze(failure);
				assertThat(analysis).isNotNull();
				assertThat(analysis.getDescription())
					.contains("There is no property 'distributed-lock.locks.stock.permit' (class path resource"
							+ " [misspelt.yml] - 6:15). Did you mean 'distributed-lock.locks.stock.permits'?")
					.contains("'distributed-lock.locks.stock.fair'?");
				assertThat(analysis.getAction()).contains("Correct the names");
			});
	}

	@Test
	void whatResemblesNothingBelowALockIsAnErrorWithAllThatThereIs() {
		this.memory.withPropertyValues("distributed-lock.locks.stock.colour=red")
			.run((context) -> assertThat(context.getStartupFailure()).hasMessageContaining(
					"Below 'distributed-lock.locks.stock' there are adaptive-ttl, fair, keep, max-hold,"));
		this.memory.withPropertyValues("distributed-lock.locks.stock.ttl.min=1s")
			.run((context) -> assertThat(context.getStartupFailure())
				.hasMessageContaining("'distributed-lock.locks.stock.ttl' is a single value."));
	}

	@Test
	void aLockNameWithADotIsTold() {
		this.memory.withPropertyValues("distributed-lock.locks.order-desk.buy.wait-time=1s")
			.run((context) -> assertThat(context.getStartupFailure())
				.hasMessageContaining("If the lock is called 'order-desk.buy', write"
						+ " 'distributed-lock.locks[order-desk.buy].wait-time'; in YAML the key is"
						+ " \"[order-desk.buy]\"."));
	}

	@ParameterizedTest
	@ValueSource(strings = { "locks.stock.waitTime", "locks.stock.wait_time", "locks.stock.WAIT_TIME",
			"locks.stock.waittime", "locks.[Shop.buy].wait-time", "locks[stock].waitTime", "waitTime", "WAIT_TIME",
			"lockS.stock.wait-time" })
	void everyRelaxedFormIsRight(String name) {
		this.memory.withPropertyValues("distributed-lock." + name + "=7s")
			.run((context) -> assertThat(context).hasNotFailed());
	}

	@Test
	void environmentVariablesThatAreBoundOrOfSomebodyElseAreNotAccused(CapturedOutput output) {
		withEnvironment(this.memory,
				Map.of("DISTRIBUTED_LOCK_WAIT_TIME", "4s", "DISTRIBUTEDLOCK_TTL", "20s",
						"DISTRIBUTEDLOCK_LOCKS_DESK_WAITTIME", "8s", "DISTRIBUTEDLOCK_LOCKS_DESK_ADAPTIVETTL_MIN", "2s",
						"DISTRIBUTED_LOCK_REDLOCK_NODES_0", "redis://127.0.0.1:1", "DISTRIBUTEDLOCK_CACHE_NAMES", "a,b",
						"DISTRIBUTED_LOCK_SERVICE_HOST", "10.0.0.1", "DISTRIBUTED_LOCK_LOCKS_API_PORT_8080_TCP_ADDR",
						"10.0.0.1", "DISTRIBUTED_LOCK_STOCK_TTL", "3s", "DISTRIBUTED_LOCK_TEAM", "blue"))
			.run((context) -> {
				assertThat(context).hasNotFailed();
				DistributedLockProperties properties = context.getBean(DistributedLockProperties.class);
				assertThat(properties.waitTime()).isEqualTo(Duration.ofSeconds(4));
				assertThat(properties.ttl()).isEqualTo(Duration.ofSeconds(20));
				DistributedLockProperties.Lock desk = properties.locks().get("desk");
				assertThat(desk).isNotNull();
				assertThat(desk.waitTime()).isEqualTo(Duration.ofSeconds(8));
			});
		assertThat(output).doesNotContain("sets nothing");
	}

	@ParameterizedTest
	@CsvSource({ "DISTRIBUTED_LOCK_WAIT_TME, DISTRIBUTEDLOCK_WAITTIME, 4s",
			"DISTRIBUTEDLOCK_TTTL, DISTRIBUTEDLOCK_TTL, 4s", "DISTRIBUTEDLOCK_WAIT_TIME, DISTRIBUTEDLOCK_WAITTIME, 4s",
			"DISTRIBUTED_LOCK_REDIS_PREFX, DISTRIBUTEDLOCK_REDIS_PREFIX, x:",
			"DISTRIBUTED_LOCK_LOCKS_STOCK_TTL, DISTRIBUTEDLOCK_LOCKS_STOCK_TTL, 4s",
			"DISTRIBUTEDLOCK_LOCKS_STOCK_WAIT_TIME, DISTRIBUTEDLOCK_LOCKS_STOCK_WAITTIME, 4s",
			"DISTRIBUTEDLOCK_LOCKS_STOCK_PERMIT, DISTRIBUTEDLOCK_LOCKS_STOCK_PERMITS, 3",
			"DISTRIBUTED_LOCK_LOCKS_ORDER_DESK_ON_OUTTAGE, DISTRIBUTEDLOCK_LOCKS_ORDERDESK_ONOUTAGE, local",
			"DISTRIBUTED_LOCK_LOCKS_STOCK_ADAPTIVE_TTL_MIN, DISTRIBUTEDLOCK_LOCKS_STOCK_ADAPTIVETTL_MIN, 2s" })
	void anEnvironmentVariableThatSetsNothingIsAWarningWithOneThatDoes(String variable, String meant, String value,
			CapturedOutput output) {
		withEnvironment(this.memory, Map.of(variable, value)).run((context) -> assertThat(context).hasNotFailed());
		assertThat(output)
			.contains("The environment variable " + variable + " sets nothing. Did you mean " + meant + "?");
		withEnvironment(this.memory, Map.of(meant, value)).run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).containsOnlyOnce("sets nothing");
	}

	@Test
	void anEnvironmentVariableOfALockThatResemblesNothingIsAWarning(CapturedOutput output) {
		withEnvironment(this.memory, Map.of("DISTRIBUTEDLOCK_LOCKS_STOCK_COLOUR", "red"))
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains("DISTRIBUTEDLOCK_LOCKS_STOCK_COLOUR sets nothing. For a lock 'stock', write"
				+ " DISTRIBUTEDLOCK_LOCKS_STOCK_TTL:");
	}

	@Test
	void aVariableForALockThatAFileNamesIsBound() {
		withEnvironment(this.memory, Map.of("DISTRIBUTED_LOCK_LOCKS_STOCK_TTL", "7s"))
			.withPropertyValues("distributed-lock.locks.stock.renew=true")
			.run((context) -> assertThat(context.getBean(DistributedLockProperties.class).locks().get("stock"))
				.satisfies((stock) -> assertThat(stock.ttl()).isEqualTo(Duration.ofSeconds(7))));
	}

	@Test
	void whatResemblesNothingDirectlyBelowTheRootIsAWarning(CapturedOutput output) {
		this.memory.withPropertyValues("distributed-lock.our-own-store.url=tcp://somewhere")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).contains("There is no property 'distributed-lock.our-own-store.url'");
	}

	@Test
	void aClassOfTheApplicationBelowTheRootIsRespected(CapturedOutput output) {
		this.memory.withUserConfiguration(OwnConfiguration.class)
			.withPropertyValues("distributed-lock.stores.url=tcp://somewhere")
			.run((context) -> assertThat(context).hasNotFailed());
		assertThat(output).doesNotContain("There is no property");
	}

	@Test
	void everyDescribedPropertyIsKnown() throws IOException {
		JsonNode metadata = JsonMapper.shared()
			.readTree(new ClassPathResource("META-INF/spring-configuration-metadata.json")
				.getContentAsString(StandardCharsets.UTF_8));
		List<String> unknown = new ArrayList<>();
		int checked = 0;
		for (JsonNode property : metadata.get("properties")) {
			String name = property.get("name").asString();
			if (name.startsWith("distributed-lock.")) {
				checked++;
				if (LockPropertiesCheck.known().unknown(ConfigurationPropertyName.of(name), 1).isPresent()) {
					unknown.add(name);
				}
			}
		}
		assertThat(checked).isGreaterThan(40);
		assertThat(unknown).isEmpty();
	}

	@Configuration(proxyBeanMethods = false)
	@EnableConfigurationProperties(OwnProperties.class)
	static class OwnConfiguration {

	}

	/**
	 * Of a store that the application has written.
	 *
	 * @param url where it is
	 */
	@ConfigurationProperties("distributed-lock.stores")
	record OwnProperties(String url) {
	}

}
