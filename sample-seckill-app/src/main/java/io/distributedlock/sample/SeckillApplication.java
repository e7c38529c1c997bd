package io.distributedlock.sample;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.boot.context.properties.ConfigurationPropertiesScan;

/**
 * The flash sale. Open {@code http://127.0.0.1:8080/} when it runs.
 */
@SpringBootApplication
@ConfigurationPropertiesScan
public class SeckillApplication {

	/**
	 * Starts the application.
	 * @param args properties such as {@code --server.port=8081}
	 */
	public static void main(String[] args) {
		SpringApplication.run(SeckillApplication.class, args);
	}

}
