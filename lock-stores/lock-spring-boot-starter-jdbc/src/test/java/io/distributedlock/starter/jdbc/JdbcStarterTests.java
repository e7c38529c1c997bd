package io.distributedlock.starter.jdbc;

import io.distributedlock.boot.starter.StarterContractTests;

import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.context.SpringBootTest;
import org.springframework.context.annotation.Import;

/**
 * An application with this starter and an H2 database.
 */
@SpringBootTest
class JdbcStarterTests extends StarterContractTests {

	JdbcStarterTests() {
		super("jdbc", "org.springframework.jdbc.core.JdbcTemplate");
	}

	@SpringBootConfiguration(proxyBeanMethods = false)
	@EnableAutoConfiguration
	@Import(Beans.class)
	static class Application {

	}

}
