package io.distributedlock.store.zookeeper;

import io.distributedlock.spi.Share;

/**
 * How somebody has or wants a key.
 *
 * @param form alone or with others
 * @param limit of permits, how many there are; else zero
 */
record Kind(Form form, int limit) {

	/** The callers of a JVM that want to be alone, who have one place together. */
	static final Kind ALONE = new Kind(Form.ALONE, 0);

	/** A caller that wants to be alone and has a place of its own. */
	static final Kind FAIR = new Kind(Form.FAIR, 0);

	/** The readers of a JVM, who have one place together. */
	static final Kind READERS = new Kind(Form.READERS, 0);

	static Kind of(Share share) {
		return (share instanceof Share.Permits permits) ? new Kind(Form.PERMIT, permits.limit()) : READERS;
	}

	/** Tells whether each attempt has a place of its own. */
	boolean isSingle() {
		return this.form == Form.FAIR || this.form == Form.PERMIT;
	}

	boolean isShared() {
		return this.form == Form.READERS || this.form == Form.PERMIT;
	}

	String text() {
		return (this.form == Form.PERMIT) ? this.form + ":" + this.limit : this.form.toString();
	}

	static Kind parse(String text) {
		int colon = text.indexOf(':');
		return (colon < 0) ? new Kind(Form.valueOf(text), 0)
				: new Kind(Form.valueOf(text.substring(0, colon)), Integer.parseInt(text.substring(colon + 1)));
	}

	/**
	 * Alone or with others.
	 */
	enum Form {

		/** Alone; one place for all such callers of a JVM. */
		ALONE,

		/** Alone, in strict order. */
		FAIR,

		/** With all others that read; one place for all readers of a JVM. */
		READERS,

		/** With others that have a permit. */
		PERMIT

	}

}
