package io.distributedlock.boot.autoconfigure.endpoint;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.stream.Stream;

import io.distributedlock.boot.autoconfigure.LockInstanceId;
import io.distributedlock.boot.autoconfigure.support.StubInspector;
import org.jspecify.annotations.Nullable;

import org.springframework.boot.Banner;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.actuate.audit.AuditEvent;
import org.springframework.boot.actuate.audit.AuditEventRepository;
import org.springframework.boot.actuate.audit.InMemoryAuditEventRepository;
import org.springframework.boot.actuate.autoconfigure.audit.AuditAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.EndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.jackson.JacksonEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.endpoint.web.WebEndpointAutoConfiguration;
import org.springframework.boot.actuate.autoconfigure.web.server.ManagementContextAutoConfiguration;
import org.springframework.boot.autoconfigure.ImportAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.boot.http.converter.autoconfigure.HttpMessageConvertersAutoConfiguration;
import org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration;
import org.springframework.boot.servlet.autoconfigure.actuate.web.ServletManagementContextAutoConfiguration;
import org.springframework.boot.tomcat.autoconfigure.servlet.TomcatServletWebServerAutoConfiguration;
import org.springframework.boot.webmvc.autoconfigure.DispatcherServletAutoConfiguration;
import org.springframework.boot.webmvc.autoconfigure.WebMvcAutoConfiguration;
import org.springframework.boot.webmvc.autoconfigure.error.ErrorMvcAutoConfiguration;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;

/**
 * A web application with the endpoint over made-up locks, on a free loopback port.
 */
final class EndpointApplication implements AutoCloseable {

	static final String EXPOSED = "management.endpoints.web.exposure.include=locks";

	static final String UNRESTRICTED = "management.endpoint.locks.access=unrestricted";

	private final HttpClient http = HttpClient.newHttpClient();

	private final ConfigurableApplicationContext context;

	private EndpointApplication(ConfigurableApplicationContext context) {
		this.context = context;
	}

	static EndpointApplication start(String... properties) {
		return start(List.of(Application.class), properties);
	}

	static EndpointApplication start(List<Class<?>> sources, String... properties) {
		String[] own = { "server.port=0", "server.address=127.0.0.1", "spring.main.register-shutdown-hook=false" };
		return new EndpointApplication(
				new SpringApplicationBuilder(sources.toArray(Class<?>[]::new)).web(WebApplicationType.SERVLET)
					.bannerMode(Banner.Mode.OFF)
					.properties(Stream.concat(Stream.of(own), Stream.of(properties)).toArray(String[]::new))
					.run());
	}

	StubInspector locks() {
		return this.context.getBean(StubInspector.class);
	}

	List<AuditEvent> audits() {
		return this.context.getBean(AuditEventRepository.class).find(null, null, null);
	}

	HttpResponse<String> get(String path) throws IOException, InterruptedException {
		return send("GET", path, null);
	}

	HttpResponse<String> delete(String path) throws IOException, InterruptedException {
		return send("DELETE", path, null);
	}

	HttpResponse<String> send(String method, String path, @Nullable String user)
			throws IOException, InterruptedException {
		String port = this.context.getEnvironment().getRequiredProperty("local.server.port");
		HttpRequest.Builder request = HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + port + path))
			.method(method, HttpRequest.BodyPublishers.noBody());
		if (user != null) {
			byte[] credentials = (user + ":password").getBytes(StandardCharsets.UTF_8);
			request.header("Authorization", "Basic " + Base64.getEncoder().encodeToString(credentials));
		}
		return this.http.send(request.build(), HttpResponse.BodyHandlers.ofString());
	}

	@Override
	public void close() {
		this.context.close();
	}

	<T> T bean(Class<T> type) {
		return this.context.getBean(type);
	}

	@Configuration(proxyBeanMethods = false)
	@ImportAutoConfiguration({ TomcatServletWebServerAutoConfiguration.class, DispatcherServletAutoConfiguration.class,
			WebMvcAutoConfiguration.class, ErrorMvcAutoConfiguration.class,
			HttpMessageConvertersAutoConfiguration.class, JacksonAutoConfiguration.class,
			EndpointAutoConfiguration.class, WebEndpointAutoConfiguration.class, JacksonEndpointAutoConfiguration.class,
			ManagementContextAutoConfiguration.class, ServletManagementContextAutoConfiguration.class,
			AuditAutoConfiguration.class, LocksEndpointAutoConfiguration.class })
	static class Web {

		@Bean
		InMemoryAuditEventRepository audits() {
			return new InMemoryAuditEventRepository();
		}

	}

	@Configuration(proxyBeanMethods = false)
	@Import(Web.class)
	static class Application {

		@Bean
		StubInspector inspector() {
			return new StubInspector();
		}

		@Bean
		LockInstanceId instance() {
			return new LockInstanceId("app-1");
		}

	}

}
