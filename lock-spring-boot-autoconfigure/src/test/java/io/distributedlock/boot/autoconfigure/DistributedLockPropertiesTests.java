package io.distributedlock.boot.autoconfigure;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

import io.distributedlock.AdaptiveTtl;
import io.distributedlock.LockPolicy;
import io.distributedlock.LockSettings;
import io.distributedlock.OnOutage;
import io.distributedlock.spring.OnActiveTransaction;
import org.junit.jupiter.api.Test;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

import org.springframework.boot.context.properties.bind.BindException;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.context.properties.source.MapConfigurationPropertySource;
import org.springframework.core.io.ClassPathResource;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

/**
 * Tests for {@link DistributedLockProperties}.
 */
class DistributedLockPropertiesTests {

	private static DistributedLockProperties bind(Map<String, String> values) {
		return new Binder(new MapConfigurationPropertySource(values)).bindOrCreate("distributed-lock",
				DistributedLockProperties.class);
	}

	private static void assertRefused(String name, String value, String message) {
		assertThatExceptionOfType(BindException.class).isThrownBy(() -> bind(Map.of(name, value)))
			.havingRootCause()
			.withMessageContaining(message);
	}

	@Test
	void defaultsAreThoseOfTheProtocol() {
		DistributedLockProperties properties = bind(Map.of());
		assertThat(properties.enabled()).isTrue();
		assertThat(properties.store()).isNull();
		assertThat(properties.toSettings()).isEqualTo(LockSettings.DEFAULTS);
		assertThat(properties.handoff().leases()).isEqualTo(64);
		assertThat(properties.handoff().time()).isEqualTo(Duration.ofMillis(50));
		assertThat(properties.recheck()).isEqualTo(Duration.ofMillis(400));
		assertThat(properties.reservation()).isEqualTo(Duration.ofSeconds(1));
		assertThat(properties.commandTimeout()).isEqualTo(Duration.ofSeconds(1));
		assertThat(properties.deadlockDetection().enabled()).isTrue();
		assertThat(properties.deadlockDetection().threshold()).isEqualTo(Duration.ofMillis(50));
		assertThat(properties.shutdown().timeout()).isEqualTo(Duration.ofSeconds(20));
		assertThat(properties.redis().prefix()).isEqualTo("lock:");
		assertThat(properties.transaction().onActiveTransaction()).isEqualTo(OnActiveTransaction.DEFER);
		assertThat(properties.transaction().commitMargin()).isEqualTo(Duration.ofMillis(100));
		assertThat(properties.locks()).isEmpty();
	}

	@Test
	void settingsOfALockAreOpenWhereNothingIsSaid() {
		DistributedLockProperties properties = bind(Map.of("distributed-lock.locks.stock.ttl", "7s",
				"distributed-lock.locks.[Shop.buy].renew", "false", "distributed-lock.locks.payment.keep", "true"));
		assertThat(properties.toLockSettings()).containsOnly(
				Map.entry("stock", LockSettings.NONE.withTtl(Duration.ofSeconds(7))),
				Map.entry("Shop.buy", LockSettings.NONE.withRenew(false)),
				Map.entry("payment", LockSettings.NONE.withKeep(true)));
	}

	@Test
	void aLockCanShedCallersButNotInStrictOrder() {
		assertThat(bind(Map.of("distributed-lock.locks.stock.shed", "true")).toLockSettings())
			.containsOnly(Map.entry("stock", LockSettings.NONE.withShed(true)));
		assertThatExceptionOfType(BindException.class)
			.isThrownBy(() -> bind(
					Map.of("distributed-lock.locks.stock.shed", "true", "distributed-lock.locks.stock.fair", "true")))
			.havingRootCause()
			.withMessageContaining("distributed-lock.locks.stock: shed = true goes with neither fair = true");
	}

	@Test
	void policiesOfLocksAreFoundUnderTheirNames() {
		assertThat(bind(Map.of("distributed-lock.locks.stock.ttl", "7s")).toPolicies()).isNull();
		Function<String, LockPolicy> policies = bind(Map.of("distributed-lock.locks.stock.on-outage", "local",
				"distributed-lock.locks.shop-buy.adaptive-ttl.enabled", "true",
				"distributed-lock.locks.shop-buy.adaptive-ttl.max", "20s"))
			.toPolicies();
		assertThat(policies).isNotNull();
		assertThat(policies.apply("stock")).isEqualTo(new LockPolicy(null, OnOutage.LOCAL));
		assertThat(policies.apply("Shop.buy")).isEqualTo(
				new LockPolicy(new AdaptiveTtl(Duration.ofSeconds(1), Duration.ofSeconds(20), 2), OnOutage.FAIL));
		assertThat(policies.apply("other")).isEqualTo(LockPolicy.DEFAULT);
	}

	@Test
	void policiesThatCannotBeFollowedAreRefused() {
		refusedTogether("distributed-lock.locks.stock: adaptive-ttl is for locks that are not renewed",
				Map.of("distributed-lock.locks.stock.adaptive-ttl.enabled", "true",
						"distributed-lock.locks.stock.renew", "true"));
		refusedTogether("distributed-lock.locks.stock: keep and adaptive-ttl",
				Map.of("distributed-lock.locks.stock.adaptive-ttl.enabled", "true", "distributed-lock.locks.stock.keep",
						"true"));
		refusedTogether("distributed-lock.locks.stock: adaptive-ttl.max",
				Map.of("distributed-lock.locks.stock.adaptive-ttl.enabled", "true",
						"distributed-lock.locks.stock.adaptive-ttl.max", "100ms"));
		refusedTogether("distributed-lock.locks.stock: on-outage is local",
				Map.of("distributed-lock.locks.stock.on-outage", "local", "distributed-lock.locks.stock.permits", "3"));
	}

	private static void refusedTogether(String message, Map<String, String> values) {
		assertThatExceptionOfType(BindException.class).isThrownBy(() -> bind(values))
			.havingRootCause()
			.withMessageContaining(message);
	}

	@Test
	void valuesOutOfRangeAreRefusedWithThePropertyAndWhatToType() {
		assertRefused("distributed-lock.ttl", "100ms", "distributed-lock: ttl is 100ms, at least 500ms are needed");
		assertRefused("distributed-lock.locks.stock.ttl", "100ms",
				"distributed-lock.locks.stock: ttl is 100ms, at least 500ms are needed");
		assertRefused("distributed-lock.locks.stock.min-hold", "2h", "minHold (PT2H) is longer than maxHold (PT1H)");
		assertRefused("distributed-lock.recheck", "600ms", "Lower recheck or raise reservation");
		assertRefused("distributed-lock.recheck", "0", "distributed-lock.recheck is 0ms, it must be above 0");
		assertRefused("distributed-lock.command-timeout", "0", "it must be above 0");
		assertRefused("distributed-lock.handoff.leases", "0", "at least 1 is needed");
		assertRefused("distributed-lock.handoff.time", "0", "distributed-lock.handoff.time is 0ms");
		assertRefused("distributed-lock.deadlock-detection.threshold", "0",
				"distributed-lock.deadlock-detection.threshold is 0ms, it must be 1ms or more");
		assertRefused("distributed-lock.shutdown.timeout", "-1s", "Use 0 for not waiting");
		assertRefused("distributed-lock.redis.prefix", "", "distributed-lock.redis.prefix is ''. Use ASCII");
		assertRefused("distributed-lock.redis.prefix", "  ", "distributed-lock.redis.prefix is");
		assertRefused("distributed-lock.redis.prefix", "a b:", "distributed-lock.redis.prefix is 'a b:'");
		assertRefused("distributed-lock.redis.prefix", "{lock}:", "distributed-lock.redis.prefix is '{lock}:'");
		assertRefused("distributed-lock.transaction.commit-margin", "1s", "must be between 0 and 250ms");
	}

	@Test
	void instanceIdsAreUniqueAndUsable() {
		LockInstanceId first = LockInstanceId.create("shop 1/ä");
		assertThat(first.value()).matches("shop_1__-[0-9a-f]{8}");
		assertThat(LockInstanceId.create("shop 1/ä")).isNotEqualTo(first);
		assertThat(LockInstanceId.create(null).value()).contains("-" + ProcessHandle.current().pid() + "-")
			.matches("[A-Za-z0-9._-]{1,128}");
	}

	@Test
	void everyPropertyIsDescribedForTheIde() throws IOException {
		String metadata = new ClassPathResource("META-INF/spring-configuration-metadata.json")
			.getContentAsString(StandardCharsets.UTF_8);
		JsonNode properties = JsonMapper.shared().readTree(metadata).get("properties");
		Map<String, String> described = new HashMap<>();
		properties.forEach((property) -> described.put(property.get("name").asString(),
				property.hasNonNull("description") ? property.get("description").asString() : ""));
		assertThat(described).containsKeys("distributed-lock.enabled", "distributed-lock.store", "distributed-lock.ttl",
				"distributed-lock.wait-time", "distributed-lock.renew", "distributed-lock.min-hold",
				"distributed-lock.max-hold", "distributed-lock.locks", "distributed-lock.handoff.leases",
				"distributed-lock.handoff.time", "distributed-lock.recheck", "distributed-lock.reservation",
				"distributed-lock.deadlock-detection.enabled", "distributed-lock.deadlock-detection.threshold",
				"distributed-lock.command-timeout", "distributed-lock.instance-id", "distributed-lock.shutdown.timeout",
				"distributed-lock.transaction.on-active-transaction", "distributed-lock.transaction.commit-margin",
				"distributed-lock.redis.enabled", "distributed-lock.redis.prefix");
		assertThat(described).allSatisfy((name, description) -> assertThat(description).as(name).isNotBlank());
	}

}
