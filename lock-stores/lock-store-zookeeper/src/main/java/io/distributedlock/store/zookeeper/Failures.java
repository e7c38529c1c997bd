package io.distributedlock.store.zookeeper;

import java.util.concurrent.CompletionException;

import org.apache.zookeeper.KeeperException.Code;

import io.distributedlock.spi.StoreException;

/**
 * What ZooKeeper and its client say, in words for the person who has to act.
 */
final class Failures {

	private final String address;

	Failures(String address) {
		this.address = address;
	}

	StoreException of(Code code) {
		return switch (code) {
			case CONNECTIONLOSS, OPERATIONTIMEOUT, REQUESTTIMEOUT -> unknown("The connection to ZooKeeper was lost"
					+ " before the answer came. It connects again by itself; if not, see whether its servers run"
					+ " and have a majority.");
			case SESSIONEXPIRED, SESSIONMOVED, SESSIONCLOSEDREQUIRESASLAUTH -> unknown("The session with ZooKeeper has"
					+ " ended, and with it what this JVM held in it. A new one is opened.");
			case NOAUTH -> refused("ZooKeeper refused: no permission on the lock nodes. They were probably made with"
					+ " another authorization, or with none. Give this application the same authorization as the"
					+ " others, or a namespace of its own.");
			case AUTHFAILED, INVALIDACL -> refused("ZooKeeper refused the authorization (" + code
					+ "). Correct scheme and credentials of the lock store.");
			case NOTREADONLY -> later("The ZooKeeper server is read-only, since it sees no majority of its ensemble.");
			case QUOTAEXCEEDED ->
				refused("ZooKeeper refused: the quota of the lock namespace is used up. Raise it" + " with setquota.");
			case UNIMPLEMENTED -> refused("The ZooKeeper server does not know an operation that locks need. Use"
					+ " ZooKeeper 3.6 or later.");
			case THROTTLEDOP -> later("ZooKeeper is overloaded and refused the command.");
			default -> new StoreException(withAddress("ZooKeeper answered " + code + "."), true, true, null);
		};
	}

	StoreException timedOut(boolean sent) {
		return new StoreException(withAddress(sent ? "ZooKeeper has not answered in time."
				: "The command was not sent in time, since there was no connection to ZooKeeper or earlier commands"
						+ " for this key had no answer. See whether its servers run and have a majority."),
				sent, true, null);
	}

	StoreException closed(boolean sent) {
		return new StoreException(withAddress("The ZooKeeper lock store is closed."), sent, false, null);
	}

	StoreException stalled() {
		return unknown("This JVM or its connection to ZooKeeper has stalled, so that the session may end before the"
				+ " ttl does. Try again in a moment.");
	}

	StoreException ttlTooLong(String ttl, String longest) {
		return refused("A ttl of " + ttl + " is longer than the sessions that this ZooKeeper allows. Use a ttl of at"
				+ " most " + longest + ", or raise maxSessionTimeout on its servers.");
	}

	StoreException tooMany(String keyId) {
		return later("More callers wait for the lock '" + keyId + "', or share it, than ZooKeeper keeps in a node. Let"
				+ " fewer wait for one key in strict order or for its permits, or set the system property jute.maxbuffer"
				+ " (1 MB by default) higher, on its servers and for all applications.");
	}

	StoreException unexpected(Throwable thrown) {
		Throwable cause = (thrown instanceof CompletionException && thrown.getCause() != null) ? thrown.getCause()
				: thrown;
		if (cause instanceof StoreException known) {
			return known.getMessage().contains(this.address) ? known : new StoreException(
					withAddress(known.getMessage()), known.mayHaveExecuted(), known.isRetryable(), known.getCause());
		}
		return new StoreException(withAddress("The lock store failed: " + cause + "."), true, false, cause);
	}

	StoreException unknown(String message) {
		return new StoreException(withAddress(message), true, true, null);
	}

	private StoreException later(String message) {
		return new StoreException(withAddress(message), false, true, null);
	}

	StoreException refused(String message) {
		return new StoreException(withAddress(message), false, false, null);
	}

	private String withAddress(String message) {
		return message + " [servers " + this.address + "]";
	}

}
