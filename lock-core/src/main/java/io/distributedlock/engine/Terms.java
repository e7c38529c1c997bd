package io.distributedlock.engine;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/**
 * How long a hold lasts, in nanoseconds. The times count from its start, so that all
 * holds with the same settings share one object.
 *
 * @param ttl what renewals ask for
 * @param renew whether the watchdog renews
 * @param minHold how long the key is not freed
 * @param maxHold after this time the watchdog stops renewing
 * @param floor renewals never set an end earlier than this
 */
record Terms(long ttl, boolean renew, long minHold, long maxHold, long floor) {

	/**
	 * The owner has entered again: what it asks for can only lengthen the hold (rule
	 * E11).
	 * @param nested what it asks for
	 * @param after how long after the start it came
	 */
	Terms with(Terms nested, long after) {
		return new Terms(Math.max(this.ttl, nested.ttl), this.renew || nested.renew,
				Math.max(this.minHold, after + nested.minHold), this.maxHold, this.floor);
	}

	/** The key stays taken until the ttl from the start is over (rule E10). */
	Terms kept() {
		return (this.minHold >= this.ttl) ? this
				: new Terms(this.ttl, this.renew, this.ttl, Math.max(this.maxHold, this.ttl), this.floor);
	}

	Terms withFloor(long raised) {
		return (raised <= this.floor) ? this : new Terms(this.ttl, this.renew, this.minHold, this.maxHold, raised);
	}

	/**
	 * The terms that one engine has met. They come from settings in the code, so there
	 * are few; if a program computes them, those beyond the limit are not shared.
	 */
	static final class Known {

		private static final int LIMIT = 256;

		private final ConcurrentMap<Terms, Terms> known = new ConcurrentHashMap<>();

		Terms share(Terms terms) {
			Terms shared = this.known.get(terms);
			if (shared != null) {
				return shared;
			}
			if (this.known.size() < LIMIT) {
				this.known.putIfAbsent(terms, terms);
			}
			return terms;
		}

	}

}
