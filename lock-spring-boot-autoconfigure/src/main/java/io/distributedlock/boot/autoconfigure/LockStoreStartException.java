package io.distributedlock.boot.autoconfigure;

import io.distributedlock.spi.StoreException;

/**
 * A store that was configured cannot be used: its server is out of reach, or refuses.
 */
final class LockStoreStartException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final transient LockStoreHelp help;

	LockStoreStartException(LockStoreHelp help, StoreException cause) {
		super(help.label() + " lock store: " + cause.getMessage(), cause);
		this.help = help;
	}

	LockStoreHelp help() {
		return this.help;
	}

}
