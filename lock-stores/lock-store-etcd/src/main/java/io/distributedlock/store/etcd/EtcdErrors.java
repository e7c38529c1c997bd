package io.distributedlock.store.etcd;

import java.io.IOException;
import java.net.ConnectException;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeoutException;

import javax.net.ssl.SSLHandshakeException;

import io.etcd.jetcd.common.exception.ErrorCode;
import io.etcd.jetcd.common.exception.EtcdException;
import io.grpc.Status;
import io.grpc.StatusException;
import io.grpc.StatusRuntimeException;
import io.netty.handler.ssl.NotSslRecordException;
import org.jspecify.annotations.Nullable;

import io.distributedlock.spi.StoreException;

/**
 * What can go wrong in etcd or on the way there, and what to tell the person who has to
 * repair it.
 */
final class EtcdErrors {

	/**
	 * Is in the client's message while both sides agree upon TLS, and no longer
	 * afterwards.
	 */
	private static final String TLS_UNDER_WAY = "ClientTlsHandler";

	private final String prefix;

	private volatile String servers;

	EtcdErrors(String servers, String prefix) {
		this.servers = servers;
		this.prefix = prefix;
	}

	String servers() {
		return this.servers;
	}

	void servers(String servers) {
		this.servers = servers;
	}

	StoreException closed() {
		return closed(false);
	}

	StoreException closed(boolean sent) {
		return new StoreException("The etcd lock store is closed. [etcd " + this.servers + "]", sent, false, null);
	}

	/**
	 * Makes the exception for an attempt that was abandoned while it was asked for.
	 * @param sent whether a request of it may have been executed, and is being undone
	 */
	StoreException givenUp(boolean sent) {
		String message = "The attempt was given up while it was asked for. [etcd " + this.servers + "]";
		return sent ? new StoreException(message, true, true, null) : new GivenUpException(message);
	}

	/**
	 * Makes the exception for a command without an answer.
	 * @param sent whether it was sent, so that it may have been executed
	 */
	StoreException timedOut(boolean sent) {
		String what = sent ? "etcd has not answered in time."
				: "etcd has not answered in time, so that the command was not even sent.";
		return new StoreException(what + " Is a majority of its members up (`etcdctl endpoint status`), are endpoints"
				+ " and TLS settings right, or is its disk slow (etcd_disk_wal_fsync_duration_seconds)? [etcd "
				+ this.servers + "]", sent, true, null);
	}

	/**
	 * Makes the exception for a transaction that failed.
	 */
	StoreException translate(Throwable thrown) {
		return translate(thrown, true);
	}

	/**
	 * Makes the exception for something that changes nothing that matters if it was
	 * executed.
	 */
	StoreException translateUnsent(Throwable thrown) {
		StoreException failure = translate(thrown, false);
		return failure.mayHaveExecuted()
				? new StoreException(failure.getMessage(), false, failure.isRetryable(), failure.getCause()) : failure;
	}

	StoreException translateRead(Throwable thrown) {
		return translateUnsent(thrown);
	}

	boolean isLeaseLost(Throwable thrown) {
		Throwable cause = cause(thrown);
		Status status = status(cause);
		return (cause instanceof EtcdException known && known.getErrorCode() == ErrorCode.NOT_FOUND)
				|| (status != null && status.getCode() == Status.Code.NOT_FOUND);
	}

	private StoreException translate(Throwable thrown, boolean write) {
		Throwable cause = cause(thrown);
		if (cause instanceof StoreException known) {
			return known;
		}
		if (cause instanceof TimeoutException) {
			return timedOut(write);
		}
		Status status = status(cause);
		if (status == null) {
			return failure("The etcd client failed: " + cause, write, true, cause);
		}
		String said = (status.getDescription() != null) ? status.getDescription() : status.getCode().toString();
		if (said.contains("database space exceeded")) {
			return noSpace(said, write, cause);
		}
		StoreException known = known(said, cause);
		if (known != null) {
			return known;
		}
		return switch (status.getCode()) {
			case UNAVAILABLE -> unavailable(said, write, cause);
			case DEADLINE_EXCEEDED, CANCELLED, INTERNAL, ABORTED, UNKNOWN ->
				failure("etcd gave no answer: " + said + ".", write, true, cause);
			case UNAUTHENTICATED ->
				failure("etcd wants a user: " + said + ". Set user name and password of the etcd client.", false, true,
						cause);
			// Also from a connection that was closed under the request.
			case RESOURCE_EXHAUSTED -> failure("etcd is overloaded: " + said + ". This passes.", write, true, cause);
			case NOT_FOUND -> failure("The lease of this lock has ended: " + said + ".", false, true, cause);
			default -> failure("etcd refused the command: " + said + ".", false, false, cause);
		};
	}

	/**
	 * etcd says so before it executes something, and also after it has executed what used
	 * up the last of its space.
	 */
	private StoreException noSpace(String said, boolean write, Throwable cause) {
		String message = "etcd has used up its space quota and takes no writes (" + said
				+ "). Compact and defragment it (`etcdctl compact`, `etcdctl defrag`), then `etcdctl alarm disarm`;"
				+ " raise --quota-backend-bytes if it is too small. Locks that are held can be renewed and released.";
		return new NoSpaceException(message + " [etcd " + this.servers + "]", write, cause);
	}

	/**
	 * The errors of etcd's rpctypes that an operator can do something about. They come
	 * before anything was executed.
	 */
	private @Nullable StoreException known(String said, Throwable cause) {
		if (said.contains("too many requests")) {
			return failure("etcd has too many requests under way (" + said
					+ "); its disk is slower than what is written. This passes.", false, true, cause);
		}
		if (said.contains("permission denied")) {
			return failure("The etcd user lacks permissions (" + said
					+ "). Type `etcdctl role grant-permission ROLE readwrite " + this.prefix + " --prefix=true`.",
					false, false, cause);
		}
		if (said.contains("authentication failed") || said.contains("user name is empty")
				|| said.contains("authentication is not enabled")) {
			return failure("etcd refused the user of its client (" + said
					+ "). Check user name and password of the etcd client.", false, false, cause);
		}
		if (said.contains("invalid auth token") || said.contains("revision of auth store is old")) {
			return failure(
					"etcd does not know the client's token any more (" + said
							+ "). The client fetches a new one; if it goes on, look at the clocks of etcd's members.",
					false, true, cause);
		}
		if (said.contains("too many operations in txn")) {
			return failure("etcd allows fewer operations in a transaction than its default (" + said
					+ "). Start etcd with --max-txn-ops=128 or more.", false, false, cause);
		}
		if (said.contains("corrupt")) {
			return failure("etcd has found its data corrupt (" + said + "). Look at `etcdctl alarm list`.", false,
					false, cause);
		}
		return null;
	}

	private StoreException unavailable(String said, boolean write, Throwable cause) {
		for (Throwable next = cause; next != null; next = next.getCause()) {
			if (next instanceof ConnectException) {
				return failure(
						"etcd cannot be reached (" + next.getMessage() + "). Is it up, and are the endpoints right?",
						false, true, cause);
			}
			if (next instanceof SSLHandshakeException || next instanceof NotSslRecordException) {
				return noTls(innermost(next), cause);
			}
			if (next instanceof IOException && said.contains(TLS_UNDER_WAY)) {
				// A server without TLS hangs up. Whether what it says before that arrives
				// is chance.
				return noTls(next.getMessage(), cause);
			}
		}
		if (said.contains("leader changed") || said.contains("no leader") || said.contains("leader failure")
				|| said.contains("not leader") || said.contains("connection lost")) {
			return failure("etcd is changing its leader (" + said + "). This passes if a majority of members is up.",
					write, true, cause);
		}
		return failure("The connection to etcd was lost, or it does not answer: " + said + ".", write, true, cause);
	}

	/**
	 * Finds the reason, such as a certificate that is not trusted.
	 */
	private static @Nullable String innermost(Throwable thrown) {
		String message = thrown.getMessage();
		for (Throwable next = thrown.getCause(); next != null; next = next.getCause()) {
			message = (next.getMessage() != null) ? next.getMessage() : message;
		}
		return message;
	}

	/**
	 * Nothing was sent: commands follow when both sides have agreed upon TLS.
	 */
	private StoreException noTls(@Nullable String said, Throwable cause) {
		return failure("No TLS connection to etcd" + ((said != null) ? " (" + said + ")" : "")
				+ ". Do both sides use TLS (https:// in the endpoints only if the server has a certificate), and"
				+ " does the client trust the server's certificate (ssl.bundle)?", false, true, cause);
	}

	private StoreException failure(String message, boolean mayHaveExecuted, boolean retryable, Throwable cause) {
		return new StoreException(message + " [etcd " + this.servers + "]", mayHaveExecuted, retryable, cause);
	}

	private static Throwable cause(Throwable thrown) {
		Throwable cause = thrown;
		while (cause instanceof CompletionException && cause.getCause() != null) {
			cause = cause.getCause();
		}
		return cause;
	}

	/**
	 * Finds the innermost status: a call that failed since its user could not be
	 * authenticated carries the reason as its cause.
	 */
	private static @Nullable Status status(Throwable thrown) {
		Status status = null;
		for (Throwable next = thrown; next != null; next = next.getCause()) {
			if (next instanceof StatusRuntimeException known) {
				status = known.getStatus();
			}
			else if (next instanceof StatusException known) {
				status = known.getStatus();
			}
		}
		return status;
	}

}
