package io.distributedlock.store.jdbc;

/**
 * What a JVM is to be told after the commit.
 *
 * @param kind reserved or revoked
 * @param instance whom to tell
 * @param attempt what it is about
 * @param key id of the lock
 */
record Signal(char kind, String instance, String attempt, String key) {

	static final char RESERVED = 'r';

	static final char REVOKED = 'x';

}
