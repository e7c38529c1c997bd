package io.distributedlock.store.jdbc;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;
import io.distributedlock.spi.AttemptId;
import io.distributedlock.spi.ReleaseReply;
import io.distributedlock.store.jdbc.Claim.Kind;

/**
 * The commands of callers that want strict order (rule S4), on a row that is locked. All
 * take their places first, and then the queue advances.
 */
final class StrictOrder {

	private final LockRow row;

	StrictOrder(LockRow row) {
		this.row = row;
	}

	List<AcquireReply> acquire(List<AcquireCommand> commands) {
		boolean queues = this.row.rules().subscribed();
		if (queues) {
			Set<String> asking = new HashSet<>();
			for (AcquireCommand command : commands) {
				String attempt = command.attempt().toString();
				asking.add(attempt);
				if (!this.row.holds(attempt) && !this.row.isReservedFor(attempt)) {
					this.row.enqueue(Kind.FAIR, attempt, 0);
				}
			}
			this.row.serve((place) -> asking.contains(place.attempt()));
		}
		List<AcquireReply> replies = new ArrayList<>(commands.size());
		for (AcquireCommand command : commands) {
			replies.add(answer(command, queues));
		}
		return replies;
	}

	private AcquireReply answer(AcquireCommand command, boolean queues) {
		String attempt = command.attempt().toString();
		if (this.row.holds(attempt)) {
			return this.row.heldAlready(command.ttl(), 1);
		}
		if (this.row.isReservedFor(attempt) || (!queues && this.row.isFree() && !this.row.isWaitedFor())) {
			return this.row.grant(attempt, command.ttl(), 1);
		}
		return this.row.refused(queues);
	}

	ReleaseReply release(String attempt, Duration ttl) {
		if (!this.row.holds(attempt)) {
			return new ReleaseReply.NotOwner();
		}
		String instance = this.row.rules().instance();
		int signals = this.row.signals().size();
		boolean reserved = this.row.passOn((place) -> place.kind() == Kind.FAIR && place.instance().equals(instance));
		String next = this.row.attempt();
		if (next != null && this.row.isReservedFor(next) && this.row.signals().size() == signals) {
			return new ReleaseReply.Passed(AttemptId.parse(next), this.row.grant(next, ttl, 1).firstToken());
		}
		return new ReleaseReply.Released(reserved);
	}

}
