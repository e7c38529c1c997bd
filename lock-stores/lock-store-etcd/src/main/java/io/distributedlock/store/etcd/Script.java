package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Function;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.kv.GetResponse;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.StoreException;

/**
 * A command that looks at all there is of a lock before it changes anything: shares,
 * strict order, and everything that meets them.
 * <p>
 * It reads the lock, decides what is to be, and writes that in one transaction on the
 * condition that the record is as it was read; if it is not, the same transaction reads
 * the lock anew. The scripts of this JVM for one lock take turns in {@link Scripts}, so
 * they do not disturb each other, and each begins with what the answer to the one before
 * has shown. An answer that changes nothing is given only if the lock was read after the
 * command had begun.
 *
 * @param <R> type of the result
 */
final class Script<R> extends Operation<R> {

	private final List<AttemptId> attempts;

	private final Duration life;

	private final Function<Draft, Decision<R>> rules;

	private final long startedAt = System.nanoTime();

	private volatile List<Stake> stakes = List.of();

	private volatile @Nullable WholeLock latest;

	/**
	 * Makes a script.
	 * @param timeout after which it fails
	 * @param attempts of this JVM that may have something afterwards
	 * @param life for how long, if the outcome is unknown
	 * @param rules decides; called again whenever the lock was not as it was read
	 */
	Script(Context context, LockKey key, Duration timeout, List<AttemptId> attempts, Duration life,
			Function<Draft, Decision<R>> rules) {
		super(context, key, timeout);
		this.attempts = attempts;
		this.life = life;
		this.rules = rules;
	}

	/**
	 * Makes a script that gives this JVM nothing.
	 */
	Script(Context context, LockKey key, Duration timeout, Function<Draft, Decision<R>> rules) {
		this(context, key, timeout, List.of(), Duration.ZERO, rules);
	}

	@Override
	void step() {
		List<CompletableFuture<Void>> ending = new ArrayList<>(0);
		List<Stake> opened = new ArrayList<>(this.attempts.size());
		for (AttemptId id : this.attempts) {
			Stake stake = this.context.stakes().open(this.key, id);
			opened.add(stake);
			if (stake.isOver()) {
				ending.add(stake.gone);
			}
		}
		this.stakes = opened;
		if (ending.isEmpty()) {
			this.context.scripts().enter(this);
		}
		else {
			// Only when nothing is left of an attempt can it begin anew.
			CompletableFuture.allOf(ending.toArray(CompletableFuture<?>[]::new))
				.whenComplete((done, failure) -> attempt(this::step));
		}
	}

	/**
	 * Its turn has come.
	 * @param known what there was a moment ago, or null if that is not known
	 */
	void turn(@Nullable WholeLock known) {
		attempt(() -> {
			if (known != null) {
				run(known);
			}
			else {
				readWhole();
			}
		});
	}

	/**
	 * Returns what there was when the script ended, or null if that is not known.
	 */
	@Nullable WholeLock latest() {
		return this.latest;
	}

	private void readWhole() {
		long askedAt = System.nanoTime();
		read((answer) -> run(WholeLock.of(answer, askedAt)), WholeLock.questions(this.context.layout(), this.key));
	}

	private void run(WholeLock lock) {
		this.latest = lock;
		Draft draft = new Draft(this.context, this.key, lock);
		Decision<R> decision = this.rules.apply(draft);
		List<Duration> needs = new ArrayList<>(draft.needs);
		if (DraftWriter.anchors(draft)) {
			needs.add(draft.longest());
		}
		withSessions(needs, 0, new HashMap<>(), (sessions) -> write(draft, decision, sessions));
	}

	private void withSessions(List<Duration> needs, int from, Map<Integer, Session> found,
			Consumer<Map<Integer, Session>> next) {
		if (from < needs.size()) {
			Duration need = needs.get(from);
			this.context.sessions().use(this, need, (session) -> {
				found.put(session.seconds, session);
				withSessions(needs, from + 1, found, next);
			});
			return;
		}
		long now = System.nanoTime();
		boolean alive = needs.stream().allMatch((need) -> {
			Session session = found.get(Sessions.seconds(need));
			return session != null && !session.isLost() && session.aliveUntil() - now >= need.toNanos();
		});
		if (alive) {
			next.accept(found);
		}
		else {
			// To get one of them took longer than another lives.
			withSessions(needs, 0, new HashMap<>(), next);
		}
	}

	private void write(Draft draft, Decision<R> decision, Map<Integer, Session> sessions) {
		long now = System.nanoTime();
		DraftWriter writer = new DraftWriter(draft, sessions);
		if (decision.isQuiet() || writer.isEmpty()) {
			if (draft.base.askedAt() - this.startedAt < 0) {
				readWhole();
			}
			else {
				succeed(decision.done(new Done(this.context, this.stakes, draft, writer, draft.base, 0, now)));
			}
			return;
		}
		Request request = request((answer) -> {
			WholeLock seen = WholeLock.of(answer.body(), now);
			if (answer.succeeded()) {
				this.latest = seen;
				Done done = new Done(this.context, this.stakes, draft, writer, seen, answer.revision(), now);
				followUp(done);
				succeed(decision.done(done));
			}
			else {
				sawMarkers(sessions.values(), answer.body().getGetResponses());
				run(seen);
			}
		});
		writer.fill(request);
		request.stakes = this.stakes;
		submit(request);
	}

	private void sawMarkers(Collection<Session> sessions, List<GetResponse> read) {
		int index = 3;
		for (Session session : sessions) {
			GetResponse marker = read.get(index++);
			this.context.sessions()
				.sawMarker(session, marker.getKvs().isEmpty() ? 0 : marker.getKvs().get(0).getModRevision());
		}
	}

	/**
	 * Sees to it that what was reserved is passed on when nobody claims it, and that
	 * nobody is overlooked.
	 */
	private void followUp(Done done) {
		LockRecord record = done.seen().lock().record();
		if (record != null && record.state() == LockRecord.State.RESERVED && done.draft().alone != null
				&& done.seen().lock().revision() == done.revision()) {
			this.context.endLater(this.key, done.revision(), record.time());
		}
		for (StoredPart share : done.seen().shares()) {
			if (!share.isHeld() && share.revision() == done.revision()) {
				this.context.advanceLater(this.key, share);
			}
		}
		if (done.draft().more || (record == null && !done.seen().lock().queue().isEmpty())) {
			Scripts.advance(this.context, this.key).start();
		}
	}

	@Override
	void failed(StoreException failure) {
		if (failure instanceof GivenUpException && this.stakes.stream().anyMatch(Stake::isOver)) {
			// Something of it ended in the moment in which it was asked for again. What
			// ends it may need the turn.
			this.latest = null;
			this.context.scripts().leave(this);
			attempt(this::step);
		}
		else {
			super.failed(failure);
		}
	}

	@Override
	void unanswered(boolean sent) {
		this.latest = null;
		for (Stake stake : this.stakes) {
			if (sent) {
				stake.unsure(System.nanoTime() + this.life.toNanos());
				this.context.stakes().wheel().watch(stake);
			}
			else {
				this.context.stakes().forgetIfNothing(stake);
			}
		}
	}

	/**
	 * What a script has come to.
	 *
	 * @param <R> type of the result
	 */
	interface Decision<R> {

		/**
		 * Called when what was decided is so in etcd.
		 */
		R done(Done done);

		/**
		 * Tells whether nothing is to be written, not even what has expired.
		 */
		default boolean isQuiet() {
			return false;
		}

		/**
		 * Decides that nothing is to change.
		 */
		static <R> Decision<R> quiet(R result) {
			return new Decision<>() {
				@Override
				public R done(Done done) {
					return result;
				}

				@Override
				public boolean isQuiet() {
					return true;
				}
			};
		}

	}

	/**
	 * How things are after a script.
	 *
	 * @param context of the store
	 * @param stakes of the attempts
	 * @param draft what was decided
	 * @param writer knows on which leases it is
	 * @param seen the lock afterwards
	 * @param revision of the write, 0 if nothing was to be written
	 * @param sentAt moment from which times count
	 */
	record Done(Context context, List<Stake> stakes, Draft draft, DraftWriter writer, WholeLock seen, long revision,
			long sentAt) {

		Done with(Stake stake) {
			return new Done(this.context, List.of(stake), this.draft, this.writer, this.seen, this.revision,
					this.sentAt);
		}

		/**
		 * Notes that an attempt holds the lock.
		 * @return the record with its tokens
		 */
		LockRecord held(int attempt, LockRecord record) {
			Stake stake = this.stakes.get(attempt);
			LockRecord written = (this.revision != 0) ? record.written(this.revision) : record;
			ByteSequence own = this.context.layout().entry(stake.key.id(), this.context.instance());
			List<QueueEntry> others = this.seen.lock()
				.queue()
				.stream()
				.filter((place) -> !place.key().equals(own))
				.toList();
			note(stake, stake.held(this.writer.session(record.time()), written, this.seen.lock().revision(),
					(this.revision != 0) ? others : null, this.sentAt + record.time().toNanos()));
			this.context.reservations().forget(stake.key.id());
			return written;
		}

		/**
		 * Notes that an attempt has a share.
		 * @return its token
		 */
		long shared(int attempt, StoredPart share) {
			Stake stake = this.stakes.get(attempt);
			LockRecord record = LockRecord.shared(this.context.instance(), share.time());
			note(stake, stake.held(this.writer.session(share.time()), record, this.seen.lock().revision(), null,
					this.sentAt + share.time().toNanos()));
			return share.token(this.revision);
		}

		/**
		 * Notes whether an attempt waits.
		 * @param asked whether it was to
		 * @return whether it does
		 */
		boolean waits(int attempt, boolean asked) {
			Stake stake = this.stakes.get(attempt);
			QueueEntry place = asked ? this.seen.lock().entryOf(stake.attempt) : null;
			if (place == null) {
				this.context.stakes().forgetIfNothing(stake);
				return false;
			}
			Duration life = this.context.queueEntryTtl();
			note(stake, stake.queued(this.writer.session(life), place.revision(), place.since(),
					this.sentAt + life.toNanos()));
			return true;
		}

		private void note(Stake stake, boolean possible) {
			if (!possible) {
				throw this.context.errors().givenUp(true);
			}
			this.context.stakes().wheel().watch(stake);
		}

	}

}
