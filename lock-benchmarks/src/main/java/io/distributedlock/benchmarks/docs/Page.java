package io.distributedlock.benchmarks.docs;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A page that people write, with parts between markers that are generated:
 * {@code <!-- generated: NAME -->} to {@code <!-- end of NAME -->}.
 */
final class Page {

	private final Path path;

	private String text;

	Page(Path path) throws IOException {
		this.path = path;
		this.text = Files.readString(path);
	}

	/**
	 * Replaces a part.
	 * @throws IllegalStateException if the page has no such part
	 */
	void replace(String name, String content) {
		String begin = "<!-- generated: " + name + " -->";
		String end = "<!-- end of " + name + " -->";
		int from = this.text.indexOf(begin);
		int to = this.text.indexOf(end);
		if (from < 0 || to < from) {
			throw new IllegalStateException(
					this.path + " has no part \"" + name + "\". Add the lines \"" + begin + "\" and \"" + end + "\".");
		}
		this.text = this.text.substring(0, from + begin.length()) + "\n\n" + content.strip() + "\n\n"
				+ this.text.substring(to);
	}

	void write() throws IOException {
		Files.writeString(this.path, this.text);
	}

}
