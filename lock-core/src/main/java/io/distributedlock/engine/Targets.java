package io.distributedlock.engine;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import io.distributedlock.LockMode;
import io.distributedlock.LockOwner;
import io.distributedlock.LockRequest;
import io.distributedlock.LockSettings;
import io.distributedlock.spi.FairLockStore;
import io.distributedlock.spi.LockStore;
import io.distributedlock.spi.SharedLockStore;
import org.jspecify.annotations.Nullable;

/**
 * Finds out what requests ask for, and of which store. What a request leaves open comes
 * from the settings of its name, and from the defaults; policies have the last word.
 * <p>
 * Bad input is refused here, before any gate is entered: settings that do not go
 * together, a store that there is not or that cannot do what is asked of it, and several
 * requests that contradict each other. Safe for use by many threads.
 */
final class Targets {

	private final LockSettings defaults;

	private final Map<String, LockSettings> locks;

	private final Policies policies;

	private final Map<String, StoreRuntime> runtimes;

	private final StoreRuntime defaultRuntime;

	private final Terms.Known terms = new Terms.Known();

	Targets(LockSettings defaults, Map<String, LockSettings> locks, Policies policies,
			Map<String, StoreRuntime> runtimes, String defaultStore) {
		this.defaults = defaults;
		this.locks = locks;
		this.policies = policies;
		this.runtimes = runtimes;
		this.defaultRuntime = runtime(defaultStore);
	}

	/**
	 * Fills the settings of single names.
	 * @throws IllegalArgumentException if those of a name contradict each other
	 */
	static Map<String, LockSettings> resolve(Map<String, LockSettings> locks, LockSettings defaults) {
		Map<String, LockSettings> resolved = new HashMap<>();
		locks.forEach((name, settings) -> {
			try {
				resolved.put(name, settings.orElse(defaults));
			}
			catch (IllegalArgumentException ex) {
				throw new IllegalArgumentException("Settings of lock '" + name + "': " + ex.getMessage(), ex);
			}
		});
		return resolved;
	}

	/**
	 * Returns what holds for a name.
	 */
	LockSettings settings(String name) {
		return this.locks.getOrDefault(name, this.defaults);
	}

	/**
	 * Returns the settings of a request, all given but perhaps the store.
	 * @throws IllegalArgumentException if they contradict each other
	 */
	LockSettings settings(LockRequest request) {
		LockSettings configured = settings(request.key().name());
		if (request.settings().equals(LockSettings.NONE) && request.mode() == LockMode.WRITE) {
			return configured;
		}
		try {
			return checked(request, request.settings().orElse(configured));
		}
		catch (IllegalArgumentException ex) {
			throw new IllegalArgumentException("Lock '" + request.key() + "': " + ex.getMessage(), ex);
		}
	}

	private static LockSettings checked(LockRequest request, LockSettings settings) {
		if (request.mode() == LockMode.READ) {
			Duration minHold = settings.minHold();
			if ((minHold != null && !minHold.isZero()) || Boolean.TRUE.equals(settings.keep())) {
				throw new IllegalArgumentException(
						"mode = READ goes with neither minHold nor keep: readers do not keep a key taken.");
			}
			if (Boolean.TRUE.equals(settings.fair())) {
				throw new IllegalArgumentException("mode = READ and fair = true do not go together: readers of one"
						+ " instance share one place in the queue. Waiting writers are not starved anyway.");
			}
			if (settings.permits() != null && settings.permits() > 1) {
				throw new IllegalArgumentException("mode = READ and permits = " + settings.permits()
						+ " do not go together. Leave one of them out.");
			}
		}
		return settings;
	}

	/**
	 * Returns what a request is at the gates.
	 * @throws IllegalArgumentException if its policy cannot be followed, or its store
	 * cannot do what it asks for
	 */
	Profile profile(LockRequest request, LockSettings resolved, StoreRuntime runtime) {
		LockSettings settings = this.policies.apply(request, resolved);
		Profile profile = Profile.of(settings, request.mode(), this.terms);
		if (!profile.isAlone()) {
			String missing = missing(runtime.store, request.mode(), settings);
			if (missing != null) {
				throw new IllegalArgumentException("Lock '" + request.key() + "': " + missing);
			}
		}
		return profile;
	}

	/**
	 * Says what a store cannot do that a lock asks for.
	 */
	private static @Nullable String missing(LockStore store, LockMode mode, LockSettings settings) {
		boolean shares = store instanceof SharedLockStore;
		if (mode == LockMode.READ && !shares) {
			return "the lock store '" + store.name() + "' knows no readers. Use mode = WRITE, or another store.";
		}
		if (settings.permits() != null && settings.permits() > 1 && !shares) {
			return "the lock store '" + store.name() + "' knows no permits. Use permits = 1, or another store.";
		}
		if (Boolean.TRUE.equals(settings.fair()) && !(store instanceof FairLockStore)) {
			return "the lock store '" + store.name()
					+ "' cannot keep callers in strict order. Leave out fair = true, or use another store.";
		}
		return null;
	}

	/**
	 * Returns a store.
	 * @param store its name, null for the default one
	 * @throws IllegalArgumentException if there is none of that name
	 */
	StoreRuntime runtime(@Nullable String store) {
		if (store == null) {
			return this.defaultRuntime;
		}
		StoreRuntime runtime = this.runtimes.get(store);
		if (runtime == null) {
			throw new IllegalArgumentException("There is no lock store '" + store + "'. There is "
					+ String.join(", ", this.runtimes.keySet()) + ".");
		}
		return runtime;
	}

	/**
	 * Returns what a request asks for.
	 * @throws IllegalArgumentException if it contradicts itself, its policy or its store
	 */
	Target of(LockRequest request) {
		LockSettings settings = settings(request);
		StoreRuntime runtime = runtime(settings.store());
		return new Target(runtime, request, profile(request, settings, runtime));
	}

	/**
	 * Returns what several requests ask for, in their order.
	 * @throws IllegalArgumentException as {@link #of}, or if they contradict each other
	 */
	List<Target> each(Collection<LockRequest> requests) {
		List<Target> targets = requests.stream().map(this::of).toList();
		rejectContradictions(targets.stream().sorted(Target.ORDER).toList());
		return targets;
	}

	/**
	 * Returns what several requests ask for, each lock once, in the order in which all
	 * callers take them.
	 * @throws IllegalArgumentException as {@link #each}, or if there are none
	 */
	List<Target> sorted(Collection<LockRequest> requests) {
		if (requests.isEmpty()) {
			throw new IllegalArgumentException("There are no locks to acquire. Do not ask for locks if the collection"
					+ " of what they protect is empty.");
		}
		return rejectContradictions(requests.stream().map(this::of).sorted(Target.ORDER).toList());
	}

	/**
	 * Refuses a batch that wants one lock in two ways: an owner could be in its own way.
	 * @param sorted the locks, the same ones next to each other
	 * @return each of them once
	 */
	private static List<Target> rejectContradictions(List<Target> sorted) {
		List<Target> targets = new ArrayList<>(sorted.size());
		for (Target next : sorted) {
			Target last = targets.isEmpty() ? null : targets.get(targets.size() - 1);
			if (last == null || !last.isSameLock(next)) {
				targets.add(next);
			}
			else if (!isSame(last, next)) {
				throw new IllegalArgumentException("Lock '" + next.key()
						+ "' is asked for twice with different settings. Leave one of the two out.");
			}
		}
		return targets;
	}

	private static boolean isSame(Target one, Target other) {
		// An adaptive ttl may have changed between the two.
		return one.request().mode() == other.request().mode() && (one.profile().equals(other.profile())
				|| one.request().settings().equals(other.request().settings()));
	}

	/**
	 * Returns on whose behalf several locks are asked for.
	 * @param caller if the requests name nobody
	 * @throws IllegalArgumentException if they name different owners
	 */
	static LockOwner ownerOf(List<Target> targets, LockOwner caller) {
		LockOwner explicit = targets.get(0).request().owner();
		for (Target target : targets) {
			if (target.request().owner() != explicit) {
				throw new IllegalArgumentException("Locks '" + targets.get(0).key() + "' and '" + target.key()
						+ "' are asked for together, but on behalf of different owners. Use one owner for all.");
			}
		}
		return (explicit != null) ? explicit : caller;
	}

}
