package io.distributedlock.boot.autoconfigure.logging;

import io.distributedlock.LockListener;
import io.distributedlock.spi.Ticker;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;

import static org.assertj.core.api.Assertions.assertThat;

class LockLoggingAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(LockLoggingAutoConfiguration.class));

	@Test
	void thereIsAListenerThatLogs() {
		this.runner.run((context) -> assertThat(context.getBean(LockListener.class)).isInstanceOf(LockLog.class));
	}

	@Test
	void anOwnOneTakesItsPlace() {
		this.runner.withBean("myLog", LockLog.class, () -> new LockLog(Ticker.SYSTEM))
			.run((context) -> assertThat(context).hasSingleBean(LockLog.class).hasBean("myLog"));
	}

}
