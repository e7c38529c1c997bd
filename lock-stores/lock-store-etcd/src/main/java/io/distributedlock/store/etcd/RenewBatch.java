package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.LockKey;
import io.distributedlock.spi.ExtendReply;
import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;
import io.distributedlock.spi.StoreException;

/**
 * Renews grants. A grant is renewed when two answers have come: that its lease lives for
 * the whole ttl from now, and that its record is still there. The first is one keep-alive
 * for all grants of a ttl, the second a read for up to {@value #READS} of them. Neither
 * writes to etcd's log. Only a grant whose ttl changes is written again, on another
 * lease.
 */
final class RenewBatch {

	private static final int READS = 100;

	private final Context context;

	private final List<CompletableFuture<RenewReply>> replies = new ArrayList<>();

	RenewBatch(Context context) {
		this.context = context;
	}

	CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		long now = System.nanoTime();
		Map<Duration, List<Item>> byTtl = new HashMap<>();
		for (RenewCommand command : commands) {
			CompletableFuture<RenewReply> reply = new CompletableFuture<>();
			this.replies.add(reply);
			Stake stake = this.context.stakes().find(command.attempt());
			Session session = (stake != null) ? stake.session() : null;
			if (stake == null || session == null || !stake.isHeld(now)) {
				reply.complete(RenewReply.NOT_OWNER);
			}
			else if (session.seconds != Sessions.seconds(command.ttl()) || session.isLost()) {
				move(command, reply);
			}
			else {
				byTtl.computeIfAbsent(command.ttl(), (ttl) -> new ArrayList<>())
					.add(new Item(command, stake, session, reply));
			}
		}
		byTtl.forEach((ttl, items) -> {
			for (int from = 0; from < items.size(); from += READS) {
				List<Item> part = items.subList(from, Math.min(from + READS, items.size()));
				new Part(this.context, part.get(0).command.key(), part).start();
			}
		});
		return CompletableFuture.allOf(this.replies.toArray(CompletableFuture<?>[]::new))
			.thenApply((done) -> this.replies.stream().map(CompletableFuture::join).toList());
	}

	private void move(RenewCommand command, CompletableFuture<RenewReply> reply) {
		new ExtendOperation(this.context, command.key(), command).start().whenComplete((extended, failure) -> {
			if (failure != null) {
				reply.complete(new RenewReply.Failed(this.context.errors().translate(failure)));
			}
			else {
				reply.complete((extended instanceof ExtendReply.Extended) ? RenewReply.RENEWED : RenewReply.NOT_OWNER);
			}
		});
	}

	private record Item(RenewCommand command, Stake stake, Session session, CompletableFuture<RenewReply> reply) {
	}

	/**
	 * Renewals that share one read.
	 */
	private static final class Part extends Operation<Boolean> {

		private final List<Item> items;

		Part(Context context, LockKey any, List<Item> items) {
			super(context, any, longest(items));
			this.items = items;
		}

		private static Duration longest(List<Item> items) {
			return items.stream().map((item) -> item.command.timeout()).max(Duration::compareTo).orElseThrow();
		}

		@Override
		void step() {
			Duration ttl = this.items.get(0).command.ttl();
			this.context.sessions().use(this, ttl, (session) -> {
				long end = System.nanoTime() + ttl.toNanos();
				read((answer) -> {
					for (int i = 0; i < this.items.size(); i++) {
						Item item = this.items.get(i);
						item.reply.complete(renewed(item, answer.getGetResponses().get(i), session, end));
					}
					succeed(true);
				}, this.items.stream()
					.map((item) -> Op.get(this.context.layout().record(item.command.key().id()), GetOption.DEFAULT))
					.toArray(Op[]::new));
			});
		}

		private RenewReply renewed(Item item, GetResponse read, Session session, long end) {
			try {
				LockView view = LockView.of(read, null);
				if (!view.isHeldBy(item.command.attempt())) {
					item.stake.finish();
					return RenewReply.NOT_OWNER;
				}
				if (view.lease() != session.lease) {
					throw new StoreException("The lease of this lock is being replaced; try again.", false, true, null);
				}
				return item.stake.renewed(view.revision(), end) ? RenewReply.RENEWED : RenewReply.NOT_OWNER;
			}
			catch (StoreException ex) {
				return new RenewReply.Failed(ex);
			}
		}

		@Override
		void unanswered(boolean sent) {
			// The replies follow when the operation itself has failed.
			whenComplete((done, failure) -> fail(failure));
		}

		private void fail(@Nullable Throwable failure) {
			if (failure != null) {
				RenewReply failed = new RenewReply.Failed(this.context.errors().translate(failure));
				this.items.forEach((item) -> item.reply.complete(failed));
			}
		}

	}

}
