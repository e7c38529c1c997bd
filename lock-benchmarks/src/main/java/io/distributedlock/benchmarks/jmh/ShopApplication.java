package io.distributedlock.benchmarks.jmh;

import java.util.Map;

import org.aopalliance.intercept.MethodInterceptor;
import org.aopalliance.intercept.MethodInvocation;

import org.springframework.aop.Advisor;
import org.springframework.aop.support.DefaultPointcutAdvisor;
import org.springframework.aop.support.annotation.AnnotationMatchingPointcut;
import org.springframework.beans.factory.config.BeanDefinition;
import org.springframework.boot.SpringBootConfiguration;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Role;

/**
 * An application as its author would write it: the starter, the in-memory store, and the
 * meters of a Prometheus registry. There is no tracer, so there are no observations.
 */
@SpringBootConfiguration(proxyBeanMethods = false)
@EnableAutoConfiguration
class ShopApplication {

	// The class path has the peers as well, which no such application would.
	private static final String PEERS = "com.baomidou.lock.spring.boot.autoconfigure.LockAutoConfiguration,"
			+ "com.baomidou.lock.spring.boot.autoconfigure.RedisTemplateLockAutoConfiguration";

	@Bean
	Shop shop() {
		return new Shop();
	}

	@Bean
	@Role(BeanDefinition.ROLE_INFRASTRUCTURE)
	static Advisor doNothingAdvisor() {
		MethodInterceptor interceptor = MethodInvocation::proceed;
		return new DefaultPointcutAdvisor(AnnotationMatchingPointcut.forMethodAnnotation(DoNothing.class), interceptor);
	}

	static ConfigurableApplicationContext start() {
		return new SpringApplicationBuilder(ShopApplication.class).web(WebApplicationType.NONE)
			.properties(Map.of("distributed-lock.store", "memory", "spring.main.banner-mode", "off",
					"logging.level.root", "error", "spring.autoconfigure.exclude", PEERS))
			.run();
	}

}
