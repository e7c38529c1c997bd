package io.distributedlock.boot.autoconfigure.event;

import java.util.ArrayList;
import java.util.List;

import io.distributedlock.LockListener;
import io.distributedlock.LockNotAcquiredException.Reason;
import io.distributedlock.LossReason;
import io.distributedlock.boot.autoconfigure.support.LockEvents;
import io.distributedlock.boot.autoconfigure.support.StubLease;
import io.distributedlock.spring.event.LockAcquiredEvent;
import io.distributedlock.spring.event.LockLostEvent;
import io.distributedlock.spring.event.LockRefusedEvent;
import io.distributedlock.spring.event.LockReleasedEvent;
import org.junit.jupiter.api.Test;

import org.springframework.boot.autoconfigure.AutoConfigurations;
import org.springframework.boot.test.context.runner.ApplicationContextRunner;
import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.PayloadApplicationEvent;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;
import org.springframework.context.event.EventListener;

import static org.assertj.core.api.Assertions.assertThat;

class LockEventsAutoConfigurationTests {

	private final ApplicationContextRunner runner = new ApplicationContextRunner()
		.withConfiguration(AutoConfigurations.of(LockEventsAutoConfiguration.class));

	private final StubLease lease = StubLease.of("stock", 42);

	@Test
	void eachKindReachesTheMethodThatListensToIt() {
		this.runner.withUserConfiguration(Methods.class).run((context) -> {
			LockEvents events = events(context);
			events.acquired(this.lease);
			events.released(this.lease);
			events.lost(this.lease, LossReason.EXPIRED);
			events.refused(this.lease.key(), Reason.BUSY);
			Methods heard = context.getBean(Methods.class);
			assertThat(heard.acquired.lease()).isSameAs(this.lease);
			assertThat(heard.acquired.waited()).isEqualTo(LockEvents.WAITED);
			assertThat(heard.released.held()).isEqualTo(LockEvents.HELD);
			assertThat(heard.lost.exception().reason()).isEqualTo(LossReason.EXPIRED);
			assertThat(heard.refused.exception().reason()).isEqualTo(Reason.BUSY);
			assertThat(heard.refused.store()).isEqualTo("redis");
		});
	}

	@Test
	void kindsThatNobodyListensToAreNotPublishedButLossesAre() {
		this.runner.withUserConfiguration(OnlyReleased.class).run((context) -> {
			// Added after the start, so it does not count, but shows what is published.
			Everything everything = new Everything();
			context.getSourceApplicationContext(ConfigurableApplicationContext.class)
				.addApplicationListener(everything);
			events(context).all(() -> this.lease);
			assertThat(everything.payloads).hasOnlyElementsOfTypes(LockReleasedEvent.class, LockLostEvent.class)
				.hasAtLeastOneElementOfType(LockReleasedEvent.class)
				.hasAtLeastOneElementOfType(LockLostEvent.class);
		});
	}

	@Test
	void aListenerToAllEventsHearsAll() {
		this.runner.withUserConfiguration(Everything.class).run((context) -> {
			events(context).all(() -> this.lease);
			assertThat(context.getBean(Everything.class).payloads).hasAtLeastOneElementOfType(LockAcquiredEvent.class)
				.hasAtLeastOneElementOfType(LockReleasedEvent.class)
				.hasAtLeastOneElementOfType(LockRefusedEvent.class);
		});
	}

	@Test
	void aLazyListenerHearsToo() {
		this.runner.withUserConfiguration(LazyListener.class).run((context) -> {
			events(context).acquired(this.lease);
			assertThat(LazyListener.heard).containsExactly(this.lease);
		});
	}

	@Test
	void aListenerInTheParentContextHearsToo() {
		new ApplicationContextRunner().withUserConfiguration(Methods.class)
			.run((parent) -> this.runner.withParent(parent).run((child) -> {
				events(child).acquired(this.lease);
				assertThat(parent.getBean(Methods.class).acquired).isNotNull();
			}));
	}

	@Test
	void alwaysPublishesForListenersThatComeLater() {
		this.runner.withPropertyValues("distributed-lock.events.publish=always").run((context) -> {
			Everything everything = new Everything();
			context.getSourceApplicationContext(ConfigurableApplicationContext.class)
				.addApplicationListener(everything);
			events(context).acquired(this.lease);
			assertThat(everything.payloads).hasExactlyElementsOfTypes(LockAcquiredEvent.class);
		});
	}

	@Test
	void neverPublishesNothing() {
		this.runner.withUserConfiguration(Everything.class)
			.withPropertyValues("distributed-lock.events.publish=never")
			.run((context) -> {
				events(context).all(() -> this.lease);
				assertThat(context.getBean(Everything.class).payloads).isEmpty();
			});
	}

	private static LockEvents events(ApplicationContext context) {
		return new LockEvents(context.getBean(LockListener.class));
	}

	@Configuration(proxyBeanMethods = false)
	static class Methods {

		private LockAcquiredEvent acquired;

		private LockReleasedEvent released;

		private LockLostEvent lost;

		private LockRefusedEvent refused;

		@EventListener
		void on(LockAcquiredEvent event) {
			this.acquired = event;
		}

		@EventListener
		void on(LockReleasedEvent event) {
			this.released = event;
		}

		@EventListener
		void on(LockLostEvent event) {
			this.lost = event;
		}

		@EventListener
		void on(LockRefusedEvent event) {
			this.refused = event;
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class OnlyReleased {

		@EventListener
		void on(LockReleasedEvent event) {
		}

	}

	static class Everything implements ApplicationListener<ApplicationEvent> {

		private final List<Object> payloads = new ArrayList<>();

		@Override
		public void onApplicationEvent(ApplicationEvent event) {
			if (event instanceof PayloadApplicationEvent<?> payload) {
				this.payloads.add(payload.getPayload());
			}
		}

	}

	@Configuration(proxyBeanMethods = false)
	static class LazyListener {

		private static final List<Object> heard = new ArrayList<>();

		@Bean
		@Lazy
		ApplicationListener<PayloadApplicationEvent<LockAcquiredEvent>> listener() {
			heard.clear();
			return new ApplicationListener<>() {

				@Override
				public void onApplicationEvent(PayloadApplicationEvent<LockAcquiredEvent> event) {
					heard.add(event.getPayload().lease());
				}

			};
		}

	}

}
