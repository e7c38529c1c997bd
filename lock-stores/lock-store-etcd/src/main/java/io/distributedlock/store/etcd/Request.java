package io.distributedlock.store.etcd;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Cmp;
import io.etcd.jetcd.op.CmpTarget;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.DeleteOption;
import io.etcd.jetcd.options.GetOption;
import io.etcd.jetcd.options.PutOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * One transaction about one lock: conditions, what to do if all hold, and what to read if
 * one does not. Requests about different locks go out together.
 * <p>
 * etcd refuses a transaction that writes a key twice, and looks at all conditions before
 * it writes anything. So those that go out together must have no written key in common.
 */
final class Request {

	final long deadline;

	private final List<Cmp> conditions = new ArrayList<>(3);

	private final List<Op> then = new ArrayList<>(4);

	private final List<Op> otherwise = new ArrayList<>(3);

	private final Set<ByteSequence> written = new HashSet<>(4);

	private final Consumer<Answer> onAnswer;

	private final Consumer<StoreException> onFailure;

	private final AtomicReference<State> state = new AtomicReference<>(State.WAITING);

	@Nullable Session session;

	/** Revision of the session's marker that the request depends on. */
	long markerRevision;

	/** Whose doing it is, or null. */
	@Nullable Stake stake;

	/** The same for requests of several attempts. */
	List<Stake> stakes = List.of();

	/** Is large, or was refused together with others, so that it must go alone now. */
	boolean alone;

	Request(long deadline, Consumer<Answer> onAnswer, Consumer<StoreException> onFailure) {
		this.deadline = deadline;
		this.onAnswer = onAnswer;
		this.onFailure = onFailure;
	}

	/**
	 * Demands that a key exists no longer, or not yet.
	 */
	Request ifAbsent(ByteSequence key) {
		this.conditions.add(new Cmp(key, Cmp.Op.EQUAL, CmpTarget.createRevision(0)));
		return this;
	}

	/**
	 * Demands that nobody has written a key since.
	 * @param revision of its latest write, 0 if it must not exist
	 */
	Request ifUnchanged(ByteSequence key, long revision) {
		if (revision == 0) {
			return ifAbsent(key);
		}
		this.conditions.add(new Cmp(key, Cmp.Op.EQUAL, CmpTarget.modRevision(revision)));
		return this;
	}

	/**
	 * Demands that a session lives, and that nobody has given up earlier requests of it.
	 */
	Request ifLives(Session session) {
		long revision = session.markerRevision();
		if (this.session == null) {
			// To change one of the markers is enough to give the request up.
			this.session = session;
			this.markerRevision = revision;
		}
		return ifUnchanged(session.marker, revision);
	}

	Request put(ByteSequence key, ByteSequence value, long lease) {
		this.then.add(Op.put(key, value, PutOption.builder().withLeaseId(lease).build()));
		this.written.add(key);
		return this;
	}

	Request delete(ByteSequence key) {
		this.then.add(Op.delete(key, DeleteOption.DEFAULT));
		this.written.add(key);
		return this;
	}

	/**
	 * Says that the request must not go together with others that write the key.
	 */
	Request claims(ByteSequence key) {
		this.written.add(key);
		return this;
	}

	/**
	 * Reads the first entries of a queue, after everything was written.
	 */
	Request thenReadQueue(ByteSequence queue) {
		this.then.add(readFirst(queue));
		return this;
	}

	/**
	 * Reads a key if a condition did not hold.
	 */
	Request elseRead(ByteSequence key) {
		this.otherwise.add(Op.get(key, GetOption.DEFAULT));
		return this;
	}

	/**
	 * Reads something after everything was written.
	 */
	Request thenRead(Op... reads) {
		this.then.addAll(List.of(reads));
		return this;
	}

	/**
	 * Reads something if a condition did not hold.
	 */
	Request elseRead(Op... reads) {
		this.otherwise.addAll(List.of(reads));
		return this;
	}

	/**
	 * Reads the first entries of a queue if a condition did not hold.
	 */
	Request elseReadQueue(ByteSequence queue) {
		this.otherwise.add(readFirst(queue));
		return this;
	}

	static Op readFirst(ByteSequence queue) {
		return readQueue(queue, 3);
	}

	/**
	 * Reads a queue, in the order in which its entries were made.
	 * @param limit how many entries at most, 0 for all
	 */
	static Op readQueue(ByteSequence queue, int limit) {
		return Op.get(queue,
				GetOption.builder()
					.isPrefix(true)
					.withSortField(GetOption.SortTarget.CREATE)
					.withSortOrder(GetOption.SortOrder.ASCEND)
					.withLimit(limit)
					.build());
	}

	/**
	 * Returns how many operations etcd counts.
	 */
	int size() {
		return Math.max(this.conditions.size(), Math.max(this.then.size(), this.otherwise.size()));
	}

	Cmp[] conditions() {
		return this.conditions.toArray(Cmp[]::new);
	}

	Op[] then() {
		return this.then.toArray(Op[]::new);
	}

	Op[] otherwise() {
		return this.otherwise.toArray(Op[]::new);
	}

	/**
	 * Nests the transaction into another.
	 */
	Op nested() {
		return Op.txn(conditions(), then(), otherwise());
	}

	Set<ByteSequence> written() {
		return this.written;
	}

	/**
	 * Begins to send.
	 * @return false if it was given up before
	 */
	boolean begin() {
		if (System.nanoTime() - this.deadline >= 0) {
			cancel();
		}
		if (!this.state.compareAndSet(State.WAITING, State.SENT)) {
			return false;
		}
		for (Stake each : this.stakes) {
			if (!each.sending(this)) {
				this.stakes.forEach((other) -> other.answered(this));
				return false;
			}
		}
		return this.stake == null || this.stake.sending(this);
	}

	/**
	 * Makes a request that was refused wait again, to be sent alone.
	 */
	void again() {
		this.alone = true;
		this.state.set(State.WAITING);
	}

	/**
	 * Gives up a request that waits.
	 * @return true if it was not sent and never will be
	 */
	boolean cancel() {
		return this.state.compareAndSet(State.WAITING, State.CANCELLED) || this.state.get() == State.CANCELLED;
	}

	void answered(Answer answer) {
		unlist();
		try {
			this.onAnswer.accept(answer);
		}
		catch (StoreException ex) {
			this.onFailure.accept(ex);
		}
		catch (RuntimeException ex) {
			this.onFailure.accept(new StoreException("The etcd store failed unexpectedly: " + ex, true, false, ex));
		}
	}

	void failed(StoreException failure) {
		if (!failure.mayHaveExecuted() || failure instanceof NoSpaceException) {
			unlist();
		}
		this.onFailure.accept(failure);
	}

	private void unlist() {
		if (this.stake != null) {
			this.stake.answered(this);
		}
		this.stakes.forEach((each) -> each.answered(this));
	}

	private enum State {

		WAITING, SENT, CANCELLED

	}

	/**
	 * What came of a request.
	 *
	 * @param succeeded whether all conditions held
	 * @param body the answers to what was read
	 * @param revision of etcd after the transaction, which is that of its writes
	 */
	record Answer(boolean succeeded, TxnResponse body, long revision) {

		/**
		 * Returns the record and, if it was read too, the queue.
		 */
		LockView view() {
			List<io.etcd.jetcd.kv.GetResponse> read = this.body.getGetResponses();
			return LockView.of(read.get(0), (read.size() > 1) ? read.get(1) : null);
		}

		/**
		 * Returns the queue, if nothing else was read.
		 */
		List<QueueEntry> queue() {
			return LockView.entries(this.body.getGetResponses().get(0));
		}

		/**
		 * Returns the revision of the latest write of a key, which was read last.
		 * @return the revision, 0 if the key does not exist
		 */
		long lastRead() {
			List<io.etcd.jetcd.kv.GetResponse> read = this.body.getGetResponses();
			List<KeyValue> found = read.get(read.size() - 1).getKvs();
			return found.isEmpty() ? 0 : found.get(0).getModRevision();
		}

	}

}
