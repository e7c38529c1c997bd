package io.distributedlock.boot.autoconfigure;

import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.StoreException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Starts a store, and knows what to tell people for whom it does not start.
 *
 * @param name name of the store in properties, such as {@code redis}
 * @param label what people call it, such as {@code Redis}
 * @param outOfReach what to do if the server does not answer
 * @param refused what to do if the server answers, but cannot be used for locks
 */
public record LockStoreHelp(String name, String label, String outOfReach, String refused) {

	private static final Logger logger = LoggerFactory.getLogger(LockStoreHelp.class);

	/**
	 * Makes a store, asks it to check its server, and logs its advice. A store whose
	 * check fails is closed again.
	 * @param <S> type of the store
	 * @param factory makes the store
	 * @param check asks it for advice, one or two sentences for each finding
	 * @return the store
	 */
	public <S extends LockStore> S start(Supplier<S> factory, Function<S, List<String>> check) {
		try {
			S store = factory.get();
			try {
				check.apply(store).forEach((advice) -> logger.warn("{} lock store: {}", this.label, advice));
				return store;
			}
			catch (RuntimeException ex) {
				store.close();
				throw ex;
			}
		}
		catch (StoreException ex) {
			throw new LockStoreStartException(this, ex);
		}
		catch (IllegalArgumentException ex) {
			throw new LockStoreSetupException("The " + this.label + " lock store cannot be made: " + ex.getMessage(),
					"Correct distributed-lock." + this.name + ".*. " + doWithout(), ex);
		}
	}

	/**
	 * Says how to do without the store.
	 * @return a sentence
	 */
	public String doWithout() {
		return "If no lock is to be kept there, set distributed-lock." + this.name + ".enabled=false.";
	}

}
