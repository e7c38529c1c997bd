package io.distributedlock.sample.servers;

import java.util.List;

import io.distributedlock.boot.autoconfigure.etcd.EtcdConnectionDetails;
import io.distributedlock.boot.autoconfigure.redlock.RedlockConnectionDetails;
import io.distributedlock.boot.autoconfigure.zookeeper.ZooKeeperConnectionDetails;
import org.jspecify.annotations.Nullable;

import org.springframework.beans.factory.annotation.Qualifier;
import org.springframework.beans.factory.annotation.Value;
import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.SpringBootCondition;
import org.springframework.boot.context.properties.bind.Bindable;
import org.springframework.boot.context.properties.bind.Binder;
import org.springframework.boot.data.redis.autoconfigure.DataRedisConnectionDetails;
import org.springframework.boot.jdbc.autoconfigure.JdbcConnectionDetails;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.ConditionContext;
import org.springframework.context.annotation.Conditional;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.type.AnnotatedTypeMetadata;

/**
 * Runs the embedded servers: PostgreSQL, and those of the store that
 * {@code distributed-lock.store} chooses. Each only if the configuration names no server
 * of its kind, and neither Docker Compose nor a test has brought one.
 */
@Configuration(proxyBeanMethods = false)
class EmbeddedServersConfiguration {

	private static final String STORE = "distributed-lock.store";

	/**
	 * The embedded Redis.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnProperty(name = STORE, havingValue = "redis")
	@Conditional(NoRedisConfigured.class)
	@ConditionalOnMissingBean(DataRedisConnectionDetails.class)
	static class Redis {

		@Bean
		SharedServer embeddedRedis(EmbeddedServersProperties properties) {
			return SharedServer.join(new RedisProgram(), properties.directoryOf("redis"), properties.redisPort());
		}

		@Bean
		DataRedisConnectionDetails embeddedRedisConnectionDetails(@Qualifier("embeddedRedis") SharedServer redis) {
			return new EmbeddedConnectionDetails.Redis(redis.site());
		}

	}

	/**
	 * The five embedded Redis servers whose majority keeps the locks.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnProperty(name = STORE, havingValue = "redlock")
	@Conditional(NoRedlockConfigured.class)
	@ConditionalOnMissingBean(RedlockConnectionDetails.class)
	static class Redlock {

		@Bean
		SharedServers embeddedRedlock(EmbeddedServersProperties properties) {
			return SharedServers.joinRedlock(properties);
		}

		@Bean
		RedlockConnectionDetails embeddedRedlockConnectionDetails(SharedServers embeddedRedlock) {
			return new EmbeddedConnectionDetails.Redlock(embeddedRedlock.sites());
		}

	}

	/**
	 * The installed etcd.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnProperty(name = STORE, havingValue = "etcd")
	@Conditional(NoEtcdConfigured.class)
	@ConditionalOnMissingBean(EtcdConnectionDetails.class)
	static class Etcd {

		@Bean
		SharedServer embeddedEtcd(EmbeddedServersProperties properties) {
			return SharedServer.join(new EtcdProgram(), properties.directoryOf("etcd"), properties.etcdPort());
		}

		@Bean
		EtcdConnectionDetails embeddedEtcdConnectionDetails(@Qualifier("embeddedEtcd") SharedServer etcd) {
			return new EmbeddedConnectionDetails.Etcd(etcd.site());
		}

	}

	/**
	 * The embedded ZooKeeper.
	 */
	@Configuration(proxyBeanMethods = false)
	@ConditionalOnProperty(name = STORE, havingValue = "zookeeper")
	@Conditional(NoZooKeeperConfigured.class)
	@ConditionalOnMissingBean(ZooKeeperConnectionDetails.class)
	static class ZooKeeper {

		@Bean
		SharedServer embeddedZooKeeper(EmbeddedServersProperties properties) {
			return SharedServer.join(new ZooKeeperProgram(), properties.directoryOf("zookeeper"),
					properties.zookeeperPort());
		}

		@Bean
		ZooKeeperConnectionDetails embeddedZooKeeperConnectionDetails(
				@Qualifier("embeddedZooKeeper") SharedServer zooKeeper) {
			return new EmbeddedConnectionDetails.ZooKeeper(zooKeeper.site());
		}

	}

	/**
	 * The embedded PostgreSQL, with a database for each store: a token of one store says
	 * nothing about a token of another.
	 */
	@Configuration(proxyBeanMethods = false)
	@Conditional(NoDatabaseConfigured.class)
	@ConditionalOnMissingBean(JdbcConnectionDetails.class)
	static class Postgres {

		@Bean
		SharedServer embeddedPostgres(EmbeddedServersProperties properties) {
			return SharedServer.join(new PostgresProgram(), properties.directoryOf("postgres"),
					properties.postgresPort());
		}

		@Bean
		JdbcConnectionDetails embeddedPostgresConnectionDetails(@Qualifier("embeddedPostgres") SharedServer postgres,
				@Value("${distributed-lock.store}") String store) {
			String database = "seckill_" + store;
			PostgresProgram.createDatabase(postgres.site(), database);
			return new EmbeddedConnectionDetails.Postgres(postgres.site(), database);
		}

	}

	/**
	 * Matches if no property says where a Redis is. Properties that only tune the client
	 * do not count.
	 */
	static class NoRedisConfigured extends NothingConfigured {

		NoRedisConfigured() {
			super("spring.data.redis", List.of("url", "host", "port", "sentinel.master", "sentinel.nodes",
					"cluster.nodes", "masterreplica.nodes"));
		}

	}

	/**
	 * Matches if no property names nodes for Redlock.
	 */
	static class NoRedlockConfigured extends NothingConfigured {

		NoRedlockConfigured() {
			super("distributed-lock.redlock", List.of("nodes"));
		}

	}

	/**
	 * Matches if no property says where an etcd is.
	 */
	static class NoEtcdConfigured extends NothingConfigured {

		NoEtcdConfigured() {
			super("distributed-lock.etcd", List.of("endpoints"));
		}

	}

	/**
	 * Matches if no property says where a ZooKeeper is.
	 */
	static class NoZooKeeperConfigured extends NothingConfigured {

		NoZooKeeperConfigured() {
			super("distributed-lock.zookeeper", List.of("connect-string"));
		}

	}

	/**
	 * Matches if no property says where a database is.
	 */
	static class NoDatabaseConfigured extends NothingConfigured {

		NoDatabaseConfigured() {
			super("spring.datasource", List.of("url", "jndi-name", "hikari.jdbc-url"));
		}

	}

	/**
	 * Matches if none of some properties is set, however it is written.
	 */
	abstract static class NothingConfigured extends SpringBootCondition {

		private final String prefix;

		private final List<String> names;

		NothingConfigured(String prefix, List<String> names) {
			this.prefix = prefix;
			this.names = names;
		}

		@Override
		public ConditionOutcome getMatchOutcome(ConditionContext context, AnnotatedTypeMetadata metadata) {
			Binder binder = Binder.get(context.getEnvironment());
			ConditionMessage.Builder message = ConditionMessage.forCondition("Embedded server");
			for (String name : this.names) {
				if (isSet(binder, this.prefix + "." + name)) {
					return ConditionOutcome.noMatch(message.because(this.prefix + "." + name + " is set"));
				}
			}
			return ConditionOutcome.match(message.because(this.prefix + " names no server"));
		}

		private static boolean isSet(Binder binder, String name) {
			@Nullable List<String> values = binder.bind(name, Bindable.listOf(String.class)).orElse(null);
			return values != null && !values.isEmpty();
		}

	}

}
