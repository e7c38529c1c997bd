package io.distributedlock.store.etcd;

import java.util.ArrayList;
import java.util.List;

import io.etcd.jetcd.ByteSequence;
import io.etcd.jetcd.kv.GetResponse;
import io.etcd.jetcd.kv.TxnResponse;
import io.etcd.jetcd.op.Op;
import io.etcd.jetcd.options.GetOption;

import io.distributedlock.LockKey;

/**
 * All that etcd has of one lock at one revision: its record, its shares and its whole
 * queue. Whoever adds a share writes the record again, so nothing that is not seen here
 * can count as long as the record is unchanged; shares and places may only have ended.
 *
 * @param lock the record and the queue
 * @param shares those that count
 * @param stale keys of shares that do not, since the record they belonged to is gone
 * @param askedAt moment before which the question was not sent
 */
record WholeLock(LockView lock, List<StoredPart> shares, List<ByteSequence> stale, long askedAt) {

	static Op[] questions(KeyLayout layout, LockKey key) {
		return new Op[] { Op.get(layout.record(key.id()), GetOption.DEFAULT),
				Op.get(layout.shares(key.id()), GetOption.builder().isPrefix(true).build()),
				Request.readQueue(layout.queue(key.id()), 0) };
	}

	static WholeLock of(TxnResponse answer, long askedAt) {
		List<GetResponse> read = answer.getGetResponses();
		LockView view = LockView.of(read.get(0), read.get(2));
		long created = view.isShared() ? read.get(0).getKvs().get(0).getCreateRevision() : Long.MAX_VALUE;
		List<StoredPart> shares = new ArrayList<>();
		List<ByteSequence> stale = new ArrayList<>();
		read.get(1).getKvs().forEach((stored) -> {
			StoredPart share = StoredPart.decode(stored);
			if (share.revision() >= created) {
				shares.add(share);
			}
			else {
				stale.add(share.key());
			}
		});
		return new WholeLock(view, shares, stale, askedAt);
	}

}
