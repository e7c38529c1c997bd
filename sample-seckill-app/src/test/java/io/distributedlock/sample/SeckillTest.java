package io.distributedlock.sample;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

import org.springframework.boot.test.context.SpringBootTest;

/**
 * Runs the whole application on a free port, with embedded servers of the tests' own: a
 * sample that runs on this machine at the same time is not disturbed.
 */
@Target(ElementType.TYPE)
@Retention(RetentionPolicy.RUNTIME)
@Documented
@SpringBootTest(webEnvironment = SpringBootTest.WebEnvironment.RANDOM_PORT,
		properties = { "seckill.servers.directory=target/test-servers", "seckill.servers.redis-port=0",
				"seckill.servers.postgres-port=0" })
public @interface SeckillTest {

}
