package io.distributedlock.store.etcd;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KV;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Op;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * Sends requests to etcd. Those of many threads that meet go out nested in one
 * transaction, so that one write of etcd's log to disk serves them all.
 * <p>
 * One call is under way at a time; what comes meanwhile gathers for the next one. Only
 * calls that are full need not wait for others. When a call of several requests is
 * answered, their callers are about to come again. So the next call waits for them, but
 * not longer than a quarter of what the last one took: else two halves of the callers
 * would take turns, each waiting for the other's call. A lone request is sent at once, by
 * the thread that brings it, and not nested.
 * <p>
 * Requests go out in the order in which they came, but for those that would write a key
 * that another of the same call writes.
 */
final class Transactions {

	/** Of the 128 operations that etcd allows by default, a nested one needs up to 8. */
	private static final int LARGEST = 96;

	/** How many calls may be under way if they are full. */
	private static final int MOST_CALLS = 8;

	/** The longest time to wait for callers that are about to come again. */
	private static final long LONGEST_PAUSE = 1_000_000;

	private final KV kv;

	private final RevisionGuard revisions;

	private final EtcdErrors errors;

	private final Timers timers;

	private final ReentrantLock mutex = new ReentrantLock();

	private final Questions questions;

	private final LinkedList<Request> waiting = new LinkedList<>();

	/** Calls without an answer. */
	private int underWay;

	/** Batches of requests that are being made. */
	private int gathering;

	/** How many requests to wait for, 0 if there is nothing to wait for. */
	private int expected;

	/** Counts the pauses, so that a late timer ends none but its own. */
	private long pauses;

	private boolean closed;

	Transactions(KV kv, RevisionGuard revisions, EtcdErrors errors, Timers timers) {
		this.kv = kv;
		this.revisions = revisions;
		this.errors = errors;
		this.timers = timers;
		this.questions = new Questions(timers);
	}

	void submit(Request request) {
		boolean refused;
		this.mutex.lock();
		try {
			refused = this.closed;
			if (!refused) {
				this.waiting.add(request);
			}
		}
		finally {
			this.mutex.unlock();
		}
		if (refused) {
			request.failed(this.errors.closed());
		}
		else {
			pump();
		}
	}

	/**
	 * Makes the requests that a piece of code submits go out together.
	 */
	<T> T together(Supplier<T> code) {
		gather(1);
		try {
			return code.get();
		}
		finally {
			gather(-1);
			pump();
		}
	}

	private void gather(int change) {
		this.mutex.lock();
		try {
			this.gathering += change;
		}
		finally {
			this.mutex.unlock();
		}
	}

	/**
	 * Reads from etcd, without a write to its log.
	 * @param reads what to read
	 * @return the answer; it never comes if the servers are away
	 */
	CompletableFuture<TxnResponse> read(Op... reads) {
		long atLeast = this.revisions.highest();
		return insist(() -> this.kv.txn().Then(reads).commit()).handle((response, failure) -> {
			if (failure != null) {
				throw this.errors.translateRead(failure);
			}
			this.revisions.check(response.getHeader().getRevision(), atLeast, this.errors.servers());
			return response;
		});
	}

	/**
	 * Asks for something that may be asked twice.
	 * @param question asks one of the servers
	 * @return the answer; it never comes if the servers are away
	 */
	<T> CompletableFuture<T> insist(Supplier<CompletableFuture<T>> question) {
		return this.questions.insist(question);
	}

	void close() {
		List<Request> left;
		this.mutex.lock();
		try {
			this.closed = true;
			left = new ArrayList<>(this.waiting);
			this.waiting.clear();
		}
		finally {
			this.mutex.unlock();
		}
		for (Request request : left) {
			request.cancel();
			request.failed(this.errors.closed());
		}
	}

	private void pump() {
		for (List<Request> call = next(); call != null; call = next()) {
			send(call);
		}
	}

	private @Nullable List<Request> next() {
		this.mutex.lock();
		try {
			if (mustWait()) {
				return null;
			}
			List<Request> call = new ArrayList<>(Math.min(this.waiting.size(), LARGEST));
			Set<ByteSequence> written = new HashSet<>();
			for (Iterator<Request> requests = this.waiting.iterator(); requests.hasNext() && call.size() < LARGEST;) {
				Request request = requests.next();
				if (request.alone && !call.isEmpty()) {
					break;
				}
				if (!written.isEmpty() && request.written().stream().anyMatch(written::contains)) {
					continue;
				}
				requests.remove();
				if (request.begin()) {
					call.add(request);
					written.addAll(request.written());
					if (request.alone) {
						break;
					}
				}
				else if (request.cancel()) {
					continue;
				}
				else {
					// Its attempt was given up.
					this.timers.soon(() -> request.failed(this.errors.givenUp(false)));
				}
			}
			if (call.isEmpty()) {
				return null;
			}
			this.underWay++;
			this.expected = 0;
			return call;
		}
		finally {
			this.mutex.unlock();
		}
	}

	private boolean mustWait() {
		int requests = this.waiting.size();
		if (requests == 0 || this.gathering > 0) {
			return true;
		}
		return (this.underWay > 0) ? requests < LARGEST || this.underWay >= MOST_CALLS : requests < this.expected;
	}

	private void send(List<Request> call) {
		long atLeast = this.revisions.highest();
		long sentAt = System.nanoTime();
		long deadline = call.get(0).deadline;
		for (Request request : call) {
			deadline = (request.deadline - deadline > 0) ? request.deadline : deadline;
		}
		AtomicBoolean freed = new AtomicBoolean();
		// One of several servers may hang: others need not wait any longer, and the next
		// call goes to another.
		Future<?> timeout = this.timers.after(Math.min(deadline - sentAt, Questions.STALLED), () -> {
			free(freed);
			pump();
		});
		commit(call).whenComplete((response, failure) -> {
			timeout.cancel(false);
			if (call.size() > 1 && failure == null) {
				pause(call.size(), System.nanoTime() - sentAt);
			}
			free(freed);
			if (failure != null) {
				failed(call, this.errors.translate(failure));
			}
			else {
				answered(call, response, atLeast);
			}
			pump();
		});
	}

	/**
	 * Waits for the callers of a call to come again.
	 */
	private void pause(int callers, long took) {
		long pause = Math.min(took / 4, LONGEST_PAUSE);
		long number;
		this.mutex.lock();
		try {
			this.expected = Math.min(this.waiting.size() + callers, LARGEST);
			number = ++this.pauses;
		}
		finally {
			this.mutex.unlock();
		}
		this.timers.after(pause, () -> {
			boolean ended;
			this.mutex.lock();
			try {
				ended = this.pauses == number && this.expected > 0;
				if (ended) {
					this.expected = 0;
				}
			}
			finally {
				this.mutex.unlock();
			}
			if (ended) {
				pump();
			}
		});
	}

	private void free(AtomicBoolean freed) {
		if (freed.compareAndSet(false, true)) {
			this.mutex.lock();
			try {
				this.underWay--;
			}
			finally {
				this.mutex.unlock();
			}
		}
	}

	private CompletableFuture<TxnResponse> commit(List<Request> call) {
		try {
			if (call.size() == 1) {
				Request only = call.get(0);
				return this.kv.txn().If(only.conditions()).Then(only.then()).Else(only.otherwise()).commit();
			}
			return this.kv.txn().Then(call.stream().map(Request::nested).toArray(Op[]::new)).commit();
		}
		catch (RuntimeException ex) {
			return CompletableFuture.failedFuture(ex);
		}
	}

	private void answered(List<Request> call, TxnResponse response, long atLeast) {
		long revision = response.getHeader().getRevision();
		try {
			this.revisions.check(revision, atLeast, this.errors.servers());
		}
		catch (StoreException ex) {
			call.forEach((request) -> request.failed(ex));
			return;
		}
		if (call.size() == 1) {
			call.get(0).answered(new Request.Answer(response.isSucceeded(), response, revision));
			return;
		}
		List<TxnResponse> parts = response.getTxnResponses();
		for (int i = 0; i < parts.size(); i++) {
			call.get(i).answered(new Request.Answer(parts.get(i).isSucceeded(), parts.get(i), revision));
		}
	}

	private void failed(List<Request> call, StoreException failure) {
		if (call.size() > 1 && !failure.mayHaveExecuted()) {
			// Perhaps only one of them is to blame.
			this.mutex.lock();
			try {
				if (!this.closed) {
					for (Request request : call) {
						request.again();
						this.waiting.addLast(request);
					}
					return;
				}
			}
			finally {
				this.mutex.unlock();
			}
		}
		call.forEach((request) -> request.failed(failure));
	}

}
