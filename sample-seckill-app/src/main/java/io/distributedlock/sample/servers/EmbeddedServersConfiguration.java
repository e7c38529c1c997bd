package io.distributedlock.sample.servers;

import java.util.List;

import org.jspecify.annotations.Nullable;

import org.springframework.boot.autoconfigure.condition.ConditionMessage;
import org.springframework.boot.autoconfigure.condition.ConditionOutcome;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
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
 * Runs the embedded servers, each only if the configuration names no server of its kind,
 * and neither Docker Compose nor a test has brought one.
 */
@Configuration(proxyBeanMethods = false)
class EmbeddedServersConfiguration {

	/**
	 * The embedded Redis.
	 */
	@Configuration(proxyBeanMethods = false)
	@Conditional(NoRedisConfigured.class)
	@ConditionalOnMissingBean(DataRedisConnectionDetails.class)
	static class Redis {

		@Bean
		SharedServer embeddedRedis(EmbeddedServersProperties properties) {
			return SharedServer.join(new RedisProgram(), properties.directoryOf("redis"), properties.redisPort());
		}

		@Bean
		EmbeddedRedisConnectionDetails embeddedRedisConnectionDetails(SharedServer embeddedRedis) {
			return new EmbeddedRedisConnectionDetails(embeddedRedis.site());
		}

	}

	/**
	 * The embedded PostgreSQL.
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
		EmbeddedPostgresConnectionDetails embeddedPostgresConnectionDetails(SharedServer embeddedPostgres) {
			return new EmbeddedPostgresConnectionDetails(embeddedPostgres.site());
		}

	}

	/**
	 * Where Spring Data Redis finds the embedded Redis.
	 */
	static final class EmbeddedRedisConnectionDetails implements DataRedisConnectionDetails {

		private final ServerSite site;

		EmbeddedRedisConnectionDetails(ServerSite site) {
			this.site = site;
		}

		@Override
		public String getPassword() {
			return this.site.password();
		}

		@Override
		public Standalone getStandalone() {
			return Standalone.of(ServerSite.HOST, this.site.port());
		}

	}

	/**
	 * Where the data source finds the embedded PostgreSQL.
	 */
	static final class EmbeddedPostgresConnectionDetails implements JdbcConnectionDetails {

		private final ServerSite site;

		EmbeddedPostgresConnectionDetails(ServerSite site) {
			this.site = site;
		}

		@Override
		public String getUsername() {
			return PostgresProgram.USER;
		}

		@Override
		public String getPassword() {
			return this.site.password();
		}

		@Override
		public String getJdbcUrl() {
			return PostgresProgram.url(this.site, PostgresProgram.DATABASE);
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
