package io.distributedlock.store.redis;

import java.net.ConnectException;
import java.security.cert.CertificateException;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * What can go wrong in Redis or on the way there, and what to tell the person who has to
 * repair it (rule R11).
 */
enum RedisErrors {

	NOSCRIPT(false, true, "Redis does not keep the scripts it is given; is something between that drops EVAL?"),

	TRYAGAIN(false, true, "The Redis Cluster is moving this lock's slot to another node. This passes."),

	READONLY(false, true,
			"The Redis server is a replica and takes no writes; after a failover this passes. If not,"
					+ " point spring.data.redis at the primary, at Sentinel or at the Cluster."),

	LOADING(false, true, "Redis is loading its data after a start. This passes."),

	MASTERDOWN(false, true, "The Redis replica has lost its primary. Wait for the failover, or look at the primary."),

	BUSY(false, true,
			"Redis is busy with a long script of somebody else. If it does not pass, find it with"
					+ " CLIENT LIST and end it with SCRIPT KILL."),

	OOM(false, true,
			"Redis has reached maxmemory and refuses new locks; existing ones can be renewed and released."
					+ " Raise maxmemory, or let other data expire (INFO memory)."),

	NOREPLICAS(false, true,
			"Redis has fewer replicas than min-replicas-to-write and refuses all writes, releases"
					+ " and renewals too. Bring the replicas back (INFO replication)."),

	MISCONF(false, true,
			"Redis cannot save to disk and refuses writes. Look at its log and disk; INFO persistence"
					+ " shows the failed save."),

	NOAUTH(false, false, "Redis asks for a password. Set spring.data.redis.password (and spring.data.redis.username)."),

	WRONGPASS(false, false,
			"Redis does not accept user name and password. Check spring.data.redis.username and"
					+ " spring.data.redis.password."),

	NOPERM(true, false, "The Redis user may not do what locks need: %s. Grant it as docs/redis-acl.md shows."),

	MAXCLIENTS(false, true,
			"Redis has as many clients as it accepts. Raise maxclients, or find the application that"
					+ " leaks connections with CLIENT LIST."),

	CLUSTERDOWN(false, true,
			"The Redis Cluster does not serve this lock's slot. Look at CLUSTER INFO and CLUSTER"
					+ " NODES for the failed node."),

	CROSSSLOT(false, false,
			"Redis Cluster says that the keys of one lock are on different nodes: %s. Is there a proxy"
					+ " that rewrites keys?"),

	WRONGTYPE(true, false,
			"A key under the lock prefix holds something that is no lock: %s. Find what else writes"
					+ " there, or set another distributed-lock.redis.prefix."),

	UNKNOWN_COMMAND(false, false,
			"Redis does not know a command that locks need: %s. Redis 6.2 or Valkey 7.2 is the"
					+ " oldest that works; a renamed command has to be made available again."),

	REJECTED(false, true, "There is no connection to Redis at the moment; it is being restored."),

	CERTIFICATE(false, false,
			"This side does not trust the certificate of Redis: %s. Add the server's CA to the SSL"
					+ " bundle, or to the trust store of the JVM."),

	/** Nothing was sent, unless the client had lost another connection before. */
	UNREACHABLE(true, true, "No connection to Redis could be opened."),

	CONNECTION(true, true, "The connection to Redis was lost while the command was under way."),

	TIMEOUT(true, true, "Redis did not answer in time."),

	SCRIPT(true, false, "Redis could not run a lock script: %s."),

	OTHER(true, true, "The Redis client failed: %s.");

	private static final Pattern CODE = Pattern.compile(
			"(?:^|[\\s-])(NOSCRIPT|TRYAGAIN|READONLY|LOADING|MASTERDOWN|BUSY|OOM|NOREPLICAS|MISCONF|NOAUTH|WRONGPASS"
					+ "|NOPERM|CLUSTERDOWN|CROSSSLOT|WRONGTYPE) ");

	private static final Pattern COMMAND = Pattern.compile("'([A-Za-z|]+)' command|command '?([A-Za-z|]+)'?");

	private final boolean mayHaveExecuted;

	private final boolean retryable;

	private final String advice;

	RedisErrors(boolean mayHaveExecuted, boolean retryable, String advice) {
		this.mayHaveExecuted = mayHaveExecuted;
		this.retryable = retryable;
		this.advice = advice;
	}

	/**
	 * Tells whether the server gave this answer; false if there was none.
	 */
	boolean isAnswer() {
		return compareTo(REJECTED) < 0 || this == SCRIPT;
	}

	/**
	 * Finds out what an error of a Redis client means.
	 */
	static RedisErrors of(Throwable error) {
		for (Throwable cause = error; cause != null; cause = cause.getCause()) {
			RedisErrors kind = of(cause.getMessage());
			if (kind != null) {
				return kind;
			}
			if (cause instanceof CertificateException) {
				return CERTIFICATE;
			}
		}
		for (Throwable cause = error; cause != null; cause = cause.getCause()) {
			if (cause instanceof ConnectException || isRefusalToConnect(cause.getMessage())) {
				return UNREACHABLE;
			}
		}
		if (isTimeout(error)) {
			return TIMEOUT;
		}
		for (Throwable cause = error; cause != null; cause = cause.getCause()) {
			String type = cause.getClass().getSimpleName();
			if (cause instanceof java.io.IOException || type.contains("Connection") || type.contains("Pool")) {
				return CONNECTION;
			}
		}
		return OTHER;
	}

	/**
	 * Tells whether time was over, be it for connecting or for an answer.
	 */
	static boolean isTimeout(Throwable error) {
		for (Throwable cause = error; cause != null; cause = cause.getCause()) {
			if (cause instanceof TimeoutException || cause.getClass().getSimpleName().contains("Timeout")) {
				return true;
			}
		}
		return false;
	}

	private static boolean isRefusalToConnect(@Nullable String message) {
		return message != null
				&& (message.startsWith("Failed to connect to") || message.startsWith("Unable to connect to"));
	}

	/**
	 * Finds out what a message of the server means.
	 * @return null if it is none of the server's
	 */
	static @Nullable RedisErrors of(@Nullable String message) {
		if (message == null) {
			return null;
		}
		Matcher code = CODE.matcher(message);
		if (code.find()) {
			return valueOf(code.group(1));
		}
		if (message.contains("max number of clients")) {
			return MAXCLIENTS;
		}
		if (message.contains("can't run this command") || message.contains("can't access at least one of the keys")
				|| message.contains("can't access one of the channels") || message.contains("has no permissions to")) {
			return NOPERM;
		}
		if (message.contains("WAIT cannot be used with")) {
			return READONLY;
		}
		if (message.contains("unknown command") || message.contains("Unknown Redis command")) {
			return UNKNOWN_COMMAND;
		}
		if (message.startsWith("ERR ")) {
			return message.startsWith("ERR Protocol") ? OTHER : SCRIPT;
		}
		if (message.contains("Commands are rejected") || message.contains("Connection is closed")
				|| message.contains("Currently not connected")) {
			return REJECTED;
		}
		if (message.contains("Connection disconnected") || message.contains("Connection closed")) {
			return CONNECTION;
		}
		return null;
	}

	/**
	 * Makes the exception for an error of a Redis client.
	 */
	static StoreException translate(Throwable error, String address) {
		if (error instanceof StoreException known) {
			return known;
		}
		return of(error).exception(deepestMessage(error), address, error);
	}

	/**
	 * Makes the exception for a command that was not sent, since there was no connection
	 * for it.
	 */
	static StoreException notSent(Throwable error, String address) {
		StoreException why = translate(error, address);
		return new StoreException(String.valueOf(why.getMessage()), false, why.isRetryable(), error);
	}

	/**
	 * Makes the exception for an error that a script reported for one operation.
	 */
	static StoreException reported(String message, String address) {
		RedisErrors kind = of(message);
		return ((kind != null) ? kind : SCRIPT).exception(message, address, null);
	}

	/**
	 * Makes the exception for a command without an answer.
	 */
	static StoreException timedOut(String address, boolean sent) {
		String message = sent ? TIMEOUT.advice
				: "The command waited too long for its turn behind others and was not sent.";
		return new StoreException(
				message + " Server: " + address + ". Is it slow (SLOWLOG GET), paused, or the network overloaded?",
				sent, true, null);
	}

	/**
	 * Makes the exception for a grant of which nobody knows whether replicas have it.
	 */
	static StoreException unacknowledged(Throwable error, String address) {
		StoreException why = translate(error, address);
		return new StoreException(
				"Redis could not say whether its replicas have it, so it does not count. " + why.getMessage(), true,
				why.isRetryable(), error);
	}

	/**
	 * Makes the exception for a command that the server found too late to execute.
	 */
	static StoreException late(String address) {
		return new StoreException("Redis got the command too late and did not execute it. Is the server's clock being"
				+ " set, or the network overloaded? [server " + address + "]", false, true, null);
	}

	private StoreException exception(String detail, String address, @Nullable Throwable cause) {
		String what = detail;
		if (this == NOPERM) {
			Matcher command = COMMAND.matcher(detail);
			if (command.find() && !detail.contains("can't run this command")) {
				String name = (command.group(1) != null) ? command.group(1) : command.group(2);
				what = "the command " + name.toUpperCase(java.util.Locale.ROOT) + " (" + detail + ")";
			}
		}
		String message = this.advice.contains("%s") ? String.format(this.advice, what)
				: this.advice + " Redis client: " + detail;
		return new StoreException(message + " [server " + address + "]", this.mayHaveExecuted, this.retryable, cause);
	}

	private static String deepestMessage(Throwable error) {
		String message = error.toString();
		for (Throwable cause = error; cause != null; cause = cause.getCause()) {
			if (cause.getMessage() != null) {
				message = cause.getMessage();
			}
		}
		return message;
	}

}
