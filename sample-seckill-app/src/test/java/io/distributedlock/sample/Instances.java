package io.distributedlock.sample;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import tools.jackson.databind.JsonNode;

import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * Several instances of the application, with embedded servers of the tests' own.
 */
final class Instances implements AutoCloseable {

	private final List<ConfigurableApplicationContext> started = new ArrayList<>();

	ConfigurableApplicationContext start(String... properties) {
		return start(new Class<?>[] { SeckillApplication.class }, "target/test-servers", properties);
	}

	ConfigurableApplicationContext start(Class<?>[] sources, String directory, String... properties) {
		Map<String, String> arguments = new LinkedHashMap<>(
				Map.of("server.port", "0", "seckill.servers.directory", directory));
		for (String server : List.of("redis", "postgres", "etcd", "zookeeper", "redlock")) {
			arguments.put("seckill.servers." + server + "-port", "0");
		}
		for (String property : properties) {
			int equals = property.indexOf('=');
			arguments.put(property.substring(0, equals), property.substring(equals + 1));
		}
		ConfigurableApplicationContext instance = new SpringApplicationBuilder(sources).run(arguments.entrySet()
			.stream()
			.map((argument) -> "--" + argument.getKey() + "=" + argument.getValue())
			.toArray(String[]::new));
		this.started.add(instance);
		return instance;
	}

	static Client client(ConfigurableApplicationContext instance) {
		return new Client(instance.getEnvironment().getRequiredProperty("local.server.port", Integer.class));
	}

	/**
	 * Lets users who click twice storm a product, and waits for the end.
	 * @param product which product
	 * @param stock units to sell
	 * @param users how many users
	 * @param targets the instances that they come to
	 * @return the result
	 */
	static JsonNode storm(String product, int stock, int users, Client... targets) {
		List<String> urls = Arrays.stream(targets).map((target) -> "\"" + target.base() + "\"").toList();
		return targets[0].run("""
				{"productId": "%s", "stock": %d, "users": %d, "concurrency": 32, "clicks": 2, "targets": [%s]}"""
			.formatted(product, stock, users, String.join(", ", urls)));
	}

	@Override
	public void close() {
		this.started.forEach(ConfigurableApplicationContext::close);
	}

}
