package io.distributedlock.spring.integration;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.Lock;

import io.distributedlock.LockRequest;
import io.distributedlock.LockTemplate;

import org.springframework.integration.support.locks.DistributedLock;

/**
 * A lock as Spring Integration sees it. Keeps no state of its own.
 */
final class RegistryLock implements DistributedLock {

	private final LockTemplate locks;

	private final LockRequest request;

	private final Lock lock;

	RegistryLock(LockTemplate locks, LockRequest request) {
		this.locks = locks;
		this.request = request;
		this.lock = locks.asLock(request);
	}

	private Lock withTtl(Duration ttl) {
		return this.locks.asLock(this.request.withTtl(ttl));
	}

	@Override
	public void lock(Duration ttl) {
		withTtl(ttl).lock();
	}

	@Override
	public boolean tryLock(Duration waitTime, Duration ttl) throws InterruptedException {
		long nanos = TimeUnit.NANOSECONDS.convert(waitTime);
		return withTtl(ttl).tryLock(nanos, TimeUnit.NANOSECONDS);
	}

	@Override
	public void lock() {
		this.lock.lock();
	}

	@Override
	public void lockInterruptibly() throws InterruptedException {
		this.lock.lockInterruptibly();
	}

	@Override
	public boolean tryLock() {
		return this.lock.tryLock();
	}

	@Override
	public boolean tryLock(long time, TimeUnit unit) throws InterruptedException {
		return this.lock.tryLock(time, unit);
	}

	@Override
	public void unlock() {
		this.lock.unlock();
	}

	@Override
	public Condition newCondition() {
		return this.lock.newCondition();
	}

	@Override
	public String toString() {
		return this.lock.toString();
	}

}
