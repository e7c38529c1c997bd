package io.distributedlock.boot.autoconfigure.event;

import java.time.Duration;

import io.distributedlock.Lease;
import io.distributedlock.LockKey;
import io.distributedlock.LockListener;
import io.distributedlock.LockLostException;
import io.distributedlock.LockNotAcquiredException;
import io.distributedlock.boot.autoconfigure.event.LockEventsProperties.Publish;
import io.distributedlock.spring.event.LockAcquiredEvent;
import io.distributedlock.spring.event.LockLostEvent;
import io.distributedlock.spring.event.LockRefusedEvent;
import io.distributedlock.spring.event.LockReleasedEvent;

import org.springframework.context.ApplicationContext;
import org.springframework.context.ApplicationListener;
import org.springframework.context.event.ContextRefreshedEvent;

/**
 * Publishes application events about locks.
 * <p>
 * An event costs some 200 ns even if nobody listens, more than all meters together. So
 * when the context has started this asks once which kinds somebody listens to, and
 * publishes no others. Until then it publishes all. Lost leases are rare and always
 * published.
 */
final class LockEventPublisher implements LockListener, ApplicationListener<ContextRefreshedEvent> {

	private final ApplicationContext context;

	private final Publish publish;

	private volatile boolean acquired;

	private volatile boolean released;

	private volatile boolean refused;

	private final boolean lost;

	LockEventPublisher(ApplicationContext context, Publish publish) {
		this.context = context;
		this.publish = publish;
		boolean initially = publish != Publish.NEVER;
		this.acquired = initially;
		this.released = initially;
		this.refused = initially;
		this.lost = initially;
	}

	@Override
	public void onApplicationEvent(ContextRefreshedEvent event) {
		if (this.publish == Publish.WHEN_LISTENED && event.getApplicationContext() == this.context) {
			EventListeners listeners = new EventListeners(this.context);
			this.acquired = listeners.existFor(LockAcquiredEvent.class);
			this.released = listeners.existFor(LockReleasedEvent.class);
			this.refused = listeners.existFor(LockRefusedEvent.class);
		}
	}

	@Override
	public void onAcquired(Lease lease, Duration waited) {
		if (this.acquired) {
			this.context.publishEvent(new LockAcquiredEvent(lease, waited));
		}
	}

	@Override
	public void onReleased(Lease lease, Duration held) {
		if (this.released) {
			this.context.publishEvent(new LockReleasedEvent(lease, held));
		}
	}

	@Override
	public void onRefused(LockKey key, String store, LockNotAcquiredException exception, Duration waited) {
		if (this.refused) {
			this.context.publishEvent(new LockRefusedEvent(key, store, exception, waited));
		}
	}

	@Override
	public void onLost(Lease lease, LockLostException exception, Duration held) {
		if (this.lost) {
			this.context.publishEvent(new LockLostEvent(lease, exception, held));
		}
	}

}
