package io.distributedlock.engine;

import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

import io.distributedlock.LockKey;
import io.distributedlock.spi.AttemptId;
import org.jspecify.annotations.Nullable;

/**
 * What JVMs tell each other to find deadlocks (rule S6). As text:
 *
 * <pre>
 * 1p;STEP;STEP...            a probe: the last of these callers waits for a lock of yours
 * 1c,AT,LEFT;STEP;STEP...    these callers wait in a circle: check the one with number AT, LEFT are to be checked
 * STEP = WAIT-ID,ADDRESS,HOLD,OWNER,KEY,KIND,SINCE
 * </pre>
 *
 * The first character is the version. Addresses and owners are percent-encoded, keys are
 * ids of {@link LockKey} and so are already. Nothing of a message is trusted: what does
 * not look exactly like this is not a message, and what it says of a JVM's own callers is
 * compared with what that JVM knows.
 *
 * @param at which step a confirmation is to check, -1 for a probe
 * @param left how many steps are still to be checked, with this one; 0 for a probe
 * @param steps the path
 */
record DeadlockMessage(int at, int left, List<WaitStep> steps) {

	/** Longest path: a cycle over more callers is not found. */
	static final int MAX_STEPS = 64;

	/** Longest message of any store that is looked at. */
	static final int MAX_LENGTH = 64 * 1024;

	/** Longest name of an owner that is sent. */
	private static final int MAX_OWNER = 64;

	private static final int MAX_ENCODED = 1024;

	private static final Pattern WAIT_ID = Pattern.compile("[A-Za-z0-9_-]{" + AttemptId.TEXT_LENGTH + "}");

	private static final Pattern KEY = Pattern.compile("[A-Za-z0-9._%:~-]{1," + LockKey.MAX_ID_LENGTH + "}");

	private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");

	private static final Pattern ENCODED = Pattern.compile("[A-Za-z0-9._%*+-]{0," + MAX_ENCODED + "}");

	private static final int FIELDS = 7;

	DeadlockMessage {
		steps = List.copyOf(steps);
	}

	static DeadlockMessage probe(List<WaitStep> path) {
		return new DeadlockMessage(-1, 0, path);
	}

	boolean isProbe() {
		return this.at < 0;
	}

	String text() {
		StringBuilder text = new StringBuilder(64 + 128 * this.steps.size());
		if (isProbe()) {
			text.append("1p");
		}
		else {
			text.append("1c,").append(this.at).append(',').append(this.left);
		}
		for (WaitStep step : this.steps) {
			text.append(';').append(step.waitId()).append(',').append(encode(step.address()));
			text.append(',').append(step.hold()).append(',').append(encode(shorten(step.owner())));
			text.append(',').append(step.key()).append(',').append(step.kind().letter);
			text.append(',').append(step.since());
		}
		return text.toString();
	}

	private static String shorten(String owner) {
		return (owner.length() <= MAX_OWNER) ? owner : owner.substring(0, MAX_OWNER - 3) + "...";
	}

	private static String encode(String text) {
		return URLEncoder.encode(text, StandardCharsets.UTF_8);
	}

	/**
	 * Reads a message.
	 * @return the message, null if the text is none that this version knows
	 */
	static @Nullable DeadlockMessage parse(String text) {
		if (text.length() > MAX_LENGTH) {
			return null;
		}
		String[] parts = text.split(";", -1);
		int count = parts.length - 1;
		if (count < 1 || count > MAX_STEPS) {
			return null;
		}
		List<WaitStep> steps = new ArrayList<>(count);
		for (int i = 1; i <= count; i++) {
			WaitStep step = step(parts[i].split(",", -1));
			if (step == null) {
				return null;
			}
			steps.add(step);
		}
		if (parts[0].equals("1p")) {
			return probe(steps);
		}
		String[] head = parts[0].split(",", -1);
		if (head.length != 3 || !head[0].equals("1c") || !isNumber(head[1]) || !isNumber(head[2])) {
			return null;
		}
		long at = Long.parseLong(head[1]);
		long left = Long.parseLong(head[2]);
		return (at < count && left >= 1 && left <= 2L * count) ? new DeadlockMessage((int) at, (int) left, steps)
				: null;
	}

	private static @Nullable WaitStep step(String[] fields) {
		if (fields.length != FIELDS || !WAIT_ID.matcher(fields[0]).matches() || !isNumber(fields[2])
				|| !KEY.matcher(fields[4]).matches() || !isNumber(fields[6])) {
			return null;
		}
		String address = decode(fields[1]);
		String owner = decode(fields[3]);
		WaitStep.Kind kind = kind(fields[5]);
		if (address == null || owner == null || kind == null) {
			return null;
		}
		return new WaitStep(fields[0], address, Long.parseLong(fields[2]), owner, fields[4], kind,
				Long.parseLong(fields[6]));
	}

	private static WaitStep.@Nullable Kind kind(String letter) {
		for (WaitStep.Kind kind : WaitStep.Kind.values()) {
			if (letter.length() == 1 && letter.charAt(0) == kind.letter) {
				return kind;
			}
		}
		return null;
	}

	private static boolean isNumber(String text) {
		return NUMBER.matcher(text).matches();
	}

	/** It comes to people's eyes, in a log: without control characters. */
	private static @Nullable String decode(String encoded) {
		if (!ENCODED.matcher(encoded).matches()) {
			return null;
		}
		try {
			return URLDecoder.decode(encoded, StandardCharsets.UTF_8).replaceAll("\\p{Cntrl}", "?");
		}
		catch (IllegalArgumentException ex) {
			return null;
		}
	}

}
