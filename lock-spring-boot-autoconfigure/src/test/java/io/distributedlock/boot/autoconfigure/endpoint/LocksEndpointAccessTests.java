package io.distributedlock.boot.autoconfigure.endpoint;

import java.util.List;

import io.distributedlock.LockKey;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.security.autoconfigure.SecurityAutoConfiguration;
import org.springframework.boot.security.autoconfigure.actuate.web.servlet.EndpointRequest;
import org.springframework.boot.security.autoconfigure.web.servlet.SecurityFilterAutoConfiguration;
import org.springframework.boot.security.autoconfigure.web.servlet.ServletWebSecurityAutoConfiguration;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.http.HttpMethod;
import org.springframework.security.config.Customizer;
import org.springframework.security.config.annotation.web.builders.HttpSecurity;
import org.springframework.security.core.userdetails.User;
import org.springframework.security.core.userdetails.UserDetailsService;
import org.springframework.security.provisioning.InMemoryUserDetailsManager;
import org.springframework.security.web.SecurityFilterChain;

import static org.assertj.core.api.Assertions.assertThat;

/**
 * Who may do what, by configuration.
 */
class LocksEndpointAccessTests {

	@ParameterizedTest(name = "access {0}, at most {1}: GET {2}, DELETE {3}")
	@CsvSource({ ",, 200, 405", "none,, 404, 404", "read-only,, 200, 405", "unrestricted,, 200, 200",
			"unrestricted, read-only, 200, 405", "unrestricted, none, 404, 404" })
	void accessDecides(String access, String most, int get, int delete) throws Exception {
		try (EndpointApplication application = EndpointApplication.start(EndpointApplication.EXPOSED,
				(access != null) ? "management.endpoint.locks.access=" + access : "unused=1",
				(most != null) ? "management.endpoints.access.max-permitted=" + most : "unused=2")) {
			application.locks().heldElsewhere(LockKey.of("stock", 42));
			assertThat(application.get("/actuator/locks").statusCode()).isEqualTo(get);
			assertThat(application.get("/actuator/locks/stock/42").statusCode()).isEqualTo(get);
			assertThat(application.delete("/actuator/locks/stock/42?token=15").statusCode()).isEqualTo(delete);
			assertThat(application.locks().stored.isEmpty()).isEqualTo(delete == 200);
		}
	}

	@Test
	void itIsNotOnTheWebUnlessExposed() throws Exception {
		try (EndpointApplication application = EndpointApplication.start(EndpointApplication.UNRESTRICTED)) {
			assertThat(application.get("/actuator/locks").statusCode()).isEqualTo(404);
			assertThat(application.delete("/actuator/locks/stock/42?token=15").statusCode()).isEqualTo(404);
		}
	}

	@ParameterizedTest(name = "{0}: GET {1}, DELETE {2}")
	@CsvSource({ ", 401, 401", "viewer, 200, 403", "operator, 200, 200" })
	void rolesDecideUnderSpringSecurityAndTheAuditNamesTheUser(String user, int get, int delete) throws Exception {
		try (EndpointApplication application = EndpointApplication.start(
				List.of(EndpointApplication.Application.class, Secured.class), EndpointApplication.EXPOSED,
				EndpointApplication.UNRESTRICTED)) {
			application.locks().heldElsewhere(LockKey.of("stock", 42));
			assertThat(application.send("GET", "/actuator/locks", user).statusCode()).isEqualTo(get);
			assertThat(application.send("DELETE", "/actuator/locks/stock/42?token=15", user).statusCode())
				.isEqualTo(delete);
			assertThat(application.locks().stored.isEmpty()).isEqualTo(delete == 200);
			assertThat(application.audits()).filteredOn((audit) -> audit.getType().equals(LocksEndpoint.AUDIT_TYPE))
				.hasSize((delete == 200) ? 1 : 0)
				.allSatisfy((audit) -> assertThat(audit.getPrincipal()).isEqualTo("operator"));
		}
	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ SecurityAutoConfiguration.class, ServletWebSecurityAutoConfiguration.class,
			SecurityFilterAutoConfiguration.class })
	static class Secured {

		@Bean
		SecurityFilterChain actuator(HttpSecurity http) throws Exception {
			return http.securityMatcher(EndpointRequest.toAnyEndpoint())
				.authorizeHttpRequests((requests) -> requests
					.requestMatchers(EndpointRequest.to("locks").withHttpMethod(HttpMethod.DELETE))
					.hasRole("OPERATOR")
					.anyRequest()
					.authenticated())
				.httpBasic(Customizer.withDefaults())
				.csrf((csrf) -> csrf.disable())
				.build();
		}

		@Bean
		UserDetailsService users() {
			return new InMemoryUserDetailsManager(
					User.withUsername("viewer").password("{noop}password").roles("VIEWER").build(),
					User.withUsername("operator").password("{noop}password").roles("OPERATOR").build());
		}

	}

}
