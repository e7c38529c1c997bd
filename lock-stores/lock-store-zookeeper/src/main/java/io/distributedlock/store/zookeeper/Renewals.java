package io.distributedlock.store.zookeeper;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

/**
 * One batch of renewals. For each session it sends one write, which shows that the
 * session lives, and behind it reads of the nodes, which show that they are still those
 * of the grants: both go out at once. No node is written.
 */
final class Renewals {

	private final StoreContext context;

	private final Sessions sessions;

	private final List<RenewCommand> commands;

	private final boolean shared;

	private final @Nullable RenewReply[] replies;

	private final CompletableFuture<List<RenewReply>> result = new CompletableFuture<>();

	/** Indexes of those whose session would end before the new ttl does. */
	private final List<Integer> moves = new ArrayList<>();

	private int open;

	Renewals(StoreContext context, Sessions sessions, List<RenewCommand> commands, boolean shared) {
		this.shared = shared;
		this.context = context;
		this.sessions = sessions;
		this.commands = List.copyOf(commands);
		this.replies = new RenewReply[commands.size()];
	}

	CompletableFuture<List<RenewReply>> send() {
		if (this.context.isClosed()) {
			return CompletableFuture.failedFuture(this.context.failures().closed(false));
		}
		Duration timeout = this.commands.stream()
			.map(RenewCommand::timeout)
			.max(Comparator.naturalOrder())
			.orElse(Duration.ZERO);
		ScheduledFuture<?> timer = this.context.timer()
			.schedule(() -> complete(this.context.failures().timedOut(true)), timeout.toNanos(), TimeUnit.NANOSECONDS);
		this.result.whenComplete((answer, failure) -> timer.cancel(false));
		Map<Link, List<Renewal>> groups = new LinkedHashMap<>();
		for (int i = 0; i < this.replies.length; i++) {
			sort(i, groups);
		}
		synchronized (this) {
			this.open = groups.size() + this.moves.size();
		}
		if (this.open == 0) {
			complete(null);
		}
		groups.forEach(this::send);
		this.moves.forEach(this::move);
		return this.result;
	}

	private void move(int index) {
		CompletableFuture<RenewReply> moved;
		try {
			RenewCommand command = this.commands.get(index);
			moved = this.context.submit(new MoveTask(this.context, command, this.sessions.forTtl(command.ttl())));
		}
		catch (StoreException ex) {
			moved = CompletableFuture.failedFuture(ex);
		}
		moved.whenComplete((reply, thrown) -> {
			set(index, (reply != null) ? reply : new RenewReply.Failed(this.context.failures().unexpected(thrown)));
			partEnded();
		});
	}

	private void partEnded() {
		boolean last;
		synchronized (this) {
			this.open--;
			last = this.open == 0;
		}
		if (last) {
			complete(null);
		}
	}

	private void sort(int index, Map<Link, List<Renewal>> groups) {
		RenewCommand command = this.commands.get(index);
		LocalKey local = this.context.local(command.key().id());
		Grant grant = (local != null) ? local.grant(command.attempt()) : null;
		if (grant == null || !grant.isAlive() || grant.shared != this.shared) {
			set(index, RenewReply.NOT_OWNER);
		}
		else if (!this.sessions.suffices(grant.link, command.ttl())) {
			this.moves.add(index);
		}
		else if (!grant.link.isConnected()) {
			set(index, new RenewReply.Failed(this.context.failures().timedOut(false)));
		}
		else {
			groups.computeIfAbsent(grant.link, (link) -> new ArrayList<>()).add(new Renewal(index, command, grant));
		}
	}

	private void send(Link link, List<Renewal> group) {
		long sent = System.nanoTime();
		CompletableFuture<Link.Outcome> proof = link.commit(List.of(link.proof()));
		read(link, group).thenCombine(proof, (records, proven) -> {
			for (int i = 0; i < group.size(); i++) {
				Renewal renewal = group.get(i);
				answer(renewal, records.get(i), proven, sent);
			}
			return true;
		}).whenComplete((done, thrown) -> {
			if (thrown != null) {
				StoreException failure = this.context.failures().unexpected(thrown);
				group.forEach((renewal) -> set(renewal.index(), new RenewReply.Failed(failure)));
			}
			partEnded();
		});
	}

	private CompletableFuture<List<Link.Found<HeldRecord>>> read(Link link, List<Renewal> group) {
		List<String> keys = group.stream().map((renewal) -> renewal.command().key().id()).toList();
		if (!this.shared) {
			return link.readHeld(keys);
		}
		return link.readWaiting(keys).thenApply((records) -> {
			List<Link.Found<HeldRecord>> shares = new ArrayList<>();
			for (int i = 0; i < records.size(); i++) {
				WaitRecord record = records.get(i).record();
				HeldRecord share = (record != null) ? record.heldShare(group.get(i).grant().attempt) : null;
				shares.add(new Link.Found<>(share, records.get(i).failure()));
			}
			return shares;
		});
	}

	private void answer(Renewal renewal, Link.Found<HeldRecord> found, Link.Outcome proven, long sent) {
		Grant grant = renewal.grant();
		HeldRecord record = found.record();
		if (found.failure() != null) {
			set(renewal.index(), new RenewReply.Failed(found.failure()));
		}
		else if (record == null || !record.attempt().equals(grant.attempt)) {
			this.context.gone(grant);
			set(renewal.index(), RenewReply.NOT_OWNER);
		}
		else if (!record.session().equals(grant.link.name())) {
			// It was moved, and nobody was told; this session says nothing about it.
			synchronized (this) {
				this.open++;
			}
			move(renewal.index());
		}
		else if (!proven.succeeded() || !grant.link.outlives(sent, renewal.command().ttl())) {
			set(renewal.index(), new RenewReply.Failed(this.context.failures().stalled()));
		}
		else {
			boolean renewed = grant.renew(sent, renewal.command().ttl());
			set(renewal.index(), renewed ? RenewReply.RENEWED : RenewReply.NOT_OWNER);
		}
	}

	private synchronized void set(int index, RenewReply reply) {
		if (this.replies[index] == null) {
			this.replies[index] = reply;
		}
	}

	private void complete(@Nullable StoreException failure) {
		List<RenewReply> all;
		synchronized (this) {
			if (failure != null) {
				for (int i = 0; i < this.replies.length; i++) {
					set(i, new RenewReply.Failed(failure));
				}
			}
			all = Arrays.stream(this.replies).map((reply) -> (reply != null) ? reply : RenewReply.NOT_OWNER).toList();
		}
		this.result.complete(all);
	}

	/**
	 * One of the batch.
	 *
	 * @param index where its answer goes
	 * @param command what is asked
	 * @param grant what is to be kept
	 */
	private record Renewal(int index, RenewCommand command, Grant grant) {
	}

}
