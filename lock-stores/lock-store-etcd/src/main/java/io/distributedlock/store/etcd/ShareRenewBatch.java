package io.distributedlock.store.etcd;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;

import io.etcd.jetcd.KeyValue;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.RenewCommand;
import io.distributedlock.spi.RenewReply;

/**
 * Renews shares, like {@link RenewBatch}: by a keep-alive for all of a ttl, and a read of
 * up to {@value #READS} of them with their records. A share whose ttl changes, or whose
 * record is on the lease of another JVM, is renewed by a {@link Script} that writes the
 * record again; see {@link DraftWriter}.
 */
final class ShareRenewBatch {

	/** Each is two operations. */
	private static final int READS = 50;

	private final Context context;

	ShareRenewBatch(Context context) {
		this.context = context;
	}

	CompletionStage<List<RenewReply>> renew(List<RenewCommand> commands) {
		long now = System.nanoTime();
		List<CompletableFuture<RenewReply>> replies = new ArrayList<>();
		Map<Duration, List<Item>> byTtl = new HashMap<>();
		for (RenewCommand command : commands) {
			CompletableFuture<RenewReply> reply = new CompletableFuture<>();
			replies.add(reply);
			Stake stake = this.context.stakes().find(command.attempt());
			if (stake == null || !stake.isHeld(now)) {
				reply.complete(RenewReply.NOT_OWNER);
			}
			else {
				byTtl.computeIfAbsent(command.ttl(), (ttl) -> new ArrayList<>()).add(new Item(command, stake, reply));
			}
		}
		byTtl.forEach((ttl, items) -> {
			for (int from = 0; from < items.size(); from += READS) {
				new Part(this.context, items.subList(from, Math.min(from + READS, items.size()))).start();
			}
		});
		return CompletableFuture.allOf(replies.toArray(CompletableFuture<?>[]::new))
			.thenApply((done) -> replies.stream().map(CompletableFuture::join).toList());
	}

	private record Item(RenewCommand command, Stake stake, CompletableFuture<RenewReply> reply) {
	}

	/**
	 * Renewals that share one read.
	 */
	private static final class Part extends Operation<Boolean> {

		private final List<Item> items;

		Part(Context context, List<Item> items) {
			super(context, items.get(0).command.key(),
					items.stream().map((item) -> item.command.timeout()).max(Duration::compareTo).orElseThrow());
			this.items = items;
		}

		@Override
		void step() {
			Duration ttl = this.items.get(0).command.ttl();
			KeyLayout layout = this.context.layout();
			this.context.sessions().use(this, ttl, (session) -> {
				long end = System.nanoTime() + ttl.toNanos();
				read((answer) -> {
					List<GetResponse> found = answer.getGetResponses();
					for (int i = 0; i < this.items.size(); i++) {
						renewed(this.items.get(i), found.get(2 * i).getKvs(), found.get(2 * i + 1).getKvs(), session,
								end);
					}
					succeed(true);
				}, this.items.stream()
					.map((item) -> item.command)
					.flatMap((command) -> Stream.of(layout.record(command.key().id()),
							layout.share(command.key().id(), command.attempt())))
					.map((key) -> Op.get(key, GetOption.DEFAULT))
					.toArray(Op[]::new));
			});
		}

		private void renewed(Item item, List<KeyValue> record, List<KeyValue> share, Session session, long end) {
			boolean simple = !record.isEmpty() && !share.isEmpty() && record.get(0).getLease() == session.lease
					&& share.get(0).getLease() == session.lease && item.stake.session() == session
					&& share.get(0).getModRevision() >= record.get(0).getCreateRevision() && isShared(record.get(0))
					&& isHeld(share.get(0));
			if (simple) {
				item.reply.complete(item.stake.renewed(record.get(0).getModRevision(), end) ? RenewReply.RENEWED
						: RenewReply.NOT_OWNER);
				return;
			}
			ShareScripts.renew(this.context, item.command).start().whenComplete((reply, failure) -> {
				if (failure != null) {
					item.reply.complete(new RenewReply.Failed(this.context.errors().translate(failure)));
				}
				else {
					if (reply instanceof RenewReply.NotOwner) {
						item.stake.finish();
					}
					item.reply.complete(reply);
				}
			});
		}

		private static boolean isShared(KeyValue record) {
			return LockRecord.decode(record).state() == LockRecord.State.SHARED;
		}

		private static boolean isHeld(KeyValue share) {
			return StoredPart.decode(share).isHeld();
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
