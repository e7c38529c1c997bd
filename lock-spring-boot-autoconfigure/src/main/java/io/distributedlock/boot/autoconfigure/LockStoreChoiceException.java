package io.distributedlock.boot.autoconfigure;

import java.util.List;

import org.jspecify.annotations.Nullable;

/**
 * It is not clear which store keeps the locks that name none.
 */
final class LockStoreChoiceException extends IllegalStateException {

	private static final long serialVersionUID = 1L;

	private final transient @Nullable String chosen;

	private final transient List<String> stores;

	LockStoreChoiceException(@Nullable String chosen, List<String> stores) {
		super((chosen != null) ? "There is no lock store '" + chosen + "', there are " + stores
				: "There are several lock stores, " + stores + ", and no choice");
		this.chosen = chosen;
		this.stores = List.copyOf(stores);
	}

	@Nullable String chosen() {
		return this.chosen;
	}

	List<String> stores() {
		return this.stores;
	}

}
