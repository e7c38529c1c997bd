package io.distributedlock.store.redis;

import java.util.ArrayList;
import java.util.List;

import io.distributedlock.spi.AcquireCommand;
import io.distributedlock.spi.AcquireReply;

/**
 * Asks for one lock for callers in strict order.
 */
final class LineOperation extends Operation<List<AcquireReply>> {

	private final StoreContext context;

	private final List<AcquireCommand> commands;

	LineOperation(StoreContext context, List<AcquireCommand> commands, long deadline) {
		super(LockScript.LINE, commands.get(0).key(), context.layout().bucket(commands.get(0).key().id()), deadline);
		this.context = context;
		this.commands = commands;
	}

	@Override
	void header(List<? extends Operation<?>> all, List<byte[]> keys, List<byte[]> arguments) {
		keys.add(this.context.layout().mark(bucket()));
		this.context.addKeys(id(), keys);
		this.context.addQueueing(bucket(), arguments);
	}

	@Override
	void body(List<byte[]> keys, List<byte[]> arguments) {
		arguments.add(Ascii.bytes(String.valueOf(this.context.entryKind())));
		arguments.add(Ascii.bytes(this.context.clock(bucket()).at(deadline())));
		for (AcquireCommand command : this.commands) {
			arguments.add(Ascii.bytes(command.attempt().toString()));
			arguments.add(Ascii.bytes(command.ttl().toMillis()));
		}
	}

	@Override
	boolean mayGrant() {
		return true;
	}

	@Override
	boolean isGrant(Answer answer) {
		return answer.toString().contains("\ng");
	}

	@Override
	void answered(Answer answer, long sentAt, long receivedAt) {
		String text = answer.toString();
		if (Character.isDigit(text.charAt(0))) {
			String[] lines = text.split("\n");
			this.context.clock(bucket()).observe(Long.parseLong(lines[0]), sentAt, receivedAt);
			List<AcquireReply> replies = new ArrayList<>(this.commands.size());
			for (int i = 1; i < lines.length; i++) {
				replies.add(reply(lines[i]));
			}
			complete(replies);
		}
		else if (answer.kind() == 'L') {
			late(this.context, answer.number(0), receivedAt);
		}
		else {
			fail(this.context.failure(answer));
		}
	}

	private static AcquireReply reply(String line) {
		if (line.charAt(0) == 'g') {
			return new AcquireReply.Granted(Long.parseLong(line.substring(1)), 1);
		}
		String[] fields = line.substring(1).split(",", 3);
		return new AcquireReply.Refused(fields[2].isEmpty() ? null : fields[2],
				AcquireOperation.freeIn(Long.parseLong(fields[1])), fields[0].equals("1"));
	}

}
