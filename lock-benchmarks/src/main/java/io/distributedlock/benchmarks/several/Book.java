package io.distributedlock.benchmarks.several;

import java.io.IOException;
import java.nio.file.Path;

import io.distributedlock.benchmarks.jvm.SharedLongs;

/**
 * What readers and writers of several JVMs share: memory that counts who is inside, so
 * that each sees whom it must not meet.
 */
final class Book {

	private static final int READERS = 0;

	private static final int WRITERS = 1;

	private final SharedLongs inside;

	Book(Path file) throws IOException {
		this.inside = new SharedLongs(file, 2);
	}

	/** Runs work as a reader, and tells whether it met a writer. */
	boolean read(Runnable work) {
		this.inside.getAndAdd(READERS, 1);
		boolean met = this.inside.get(WRITERS) != 0;
		work.run();
		met |= this.inside.get(WRITERS) != 0;
		this.inside.getAndAdd(READERS, -1);
		return met;
	}

	/** Runs work as a writer, and tells whether it met anybody. */
	boolean write(Runnable work) {
		boolean met = this.inside.getAndAdd(WRITERS, 1) != 0 || this.inside.get(READERS) != 0;
		work.run();
		met |= this.inside.get(READERS) != 0 || this.inside.get(WRITERS) != 1;
		this.inside.getAndAdd(WRITERS, -1);
		return met;
	}

}
